"""Where each key and value of a configuration came from.

A validated model no longer knows lines. It keeps a `Source` beside it, so that
what is found later (a template that is not there) can still be reported at the
line that names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

SET: Final = "--set"
"""The option whose value names the key that it sets."""
KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the top of the document, as its author wrote them."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file, or the option that gave a value.

    ``file`` is the file as the user named it, or the option (``--set``, ``--replicas``), which
    has neither line nor column. Both are counted from 1.
    """

    file: str
    line: int | None = None
    column: int | None = None

    @property
    def is_option(self) -> bool:
        """Whether the value came from the command line."""
        return self.line is None


@dataclass(frozen=True, slots=True)
class Mark:
    """A value as it was written.

    Attributes:
        position: Where it stands.
        written: Its text, for a scalar; None for a list or a mapping.
        plain: Whether YAML chose its type: a scalar without quotes or tag.
        origin: The path of what it was made of, in a file of another form; else None.
    """

    position: Position
    written: str | None = None
    plain: bool = False
    origin: KeyPath | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a file of another tool signs in to a server that it names."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a configuration came from.

    All sources are equal, so that configurations with the same values are, wherever these stood.

    Attributes:
        name: The file as the user named it; None for one built by a program.
        directory: What a relative ``templateFile`` starts from.
        values: The mark of each value that was written.
        keys: The position of each key that was written.
        reading: How a file of another form was read; empty for one of ours.
        notes: What in it means something else here, one sentence each.
        environment: What templates of kube-burner's jobs see by `env`; None: nothing.
        sign_ins: By the address of a server, how to sign in to it: apart from all values, so
            that no copy of them has a secret.
    """

    name: str | None = field(default=None, compare=False)
    directory: Path = field(default_factory=Path, compare=False)
    values: Mapping[KeyPath, Mark] = field(default_factory=dict, compare=False, repr=False)
    keys: Mapping[KeyPath, Position] = field(default_factory=dict, compare=False, repr=False)
    reading: str = field(default="", compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    environment: Mapping[str, str] | None = field(default=None, compare=False, repr=False)
    sign_ins: Mapping[str, SignIn] = field(default_factory=dict, compare=False, repr=False)

    def locate(self, path: KeyPath) -> Position | None:
        """Return where the value at ``path`` stands, or the nearest that encloses it."""
        for length in range(len(path), -1, -1):
            if mark := self.values.get(path[:length]):
                return mark.position
        return Position(self.name, 1, 1) if self.name is not None else None

    def written(self, path: KeyPath) -> KeyPath:
        """Return ``path`` in the keys of the file, which may be those of another tool."""
        for length in range(len(path), -1, -1):
            if mark := self.values.get(path[:length]):
                return mark.origin or path
        return path

    def problem(self, path: KeyPath, message: str, *, at: Position | None = None) -> Problem:
        """Return a problem with the value at ``path``, placed ``at`` or where it stands."""
        position = at or self.locate(path)
        name = dotted(self.written(path))
        if position is None:
            return Problem(message, path=name)
        if position.is_option and position.file != SET:
            return Problem(message, position.file)  # the option's name says it all
        return Problem(message, position.file, position.line, position.column, name)


def dotted(path: KeyPath) -> str | None:
    """Return ``workloads[0].objects[1].replicas``; None for the document itself."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{clip(part)}" for part in path)
    return text.removeprefix(".") or None


def clip(text: str, limit: int = 60) -> str:
    """Return ``text`` on one line and no longer than ``limit``, for a message."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return line if len(line) <= limit else f"{line[: limit - 3]}..."

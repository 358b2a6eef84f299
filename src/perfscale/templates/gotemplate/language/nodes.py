"""The tree of a template. Lines are counted from 1."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Dot:
    """All that the template was given: ``.``."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of dot, and a field of that: ``.name.other``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name.field``; ``slot`` is where its value is kept, 0 for ``$``."""

    name: str
    slot: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, a number, true, false, or nil."""

    value: object
    shown: str


@dataclass(frozen=True, slots=True)
class Chain:
    """``(pipeline).name``, or a field of what a function returns."""

    operand: Operand
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """A function and its arguments, or one value."""

    operands: tuple[Operand, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each given the result of the one before; where the last result is put."""

    commands: tuple[Command, ...]
    slots: tuple[int, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is written, or kept: ``{{pipeline}}``."""

    pipe: Pipe
    line: int


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range``."""

    keyword: str
    pipe: Pipe
    body: Body
    otherwise: Body | None
    line: int


@dataclass(frozen=True, slots=True)
class Leave:
    """``break`` or ``continue``."""

    keyword: str
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """Another template's text: ``{{template "name" pipeline}}``."""

    name: str
    pipe: Pipe | None
    line: int


Operand: TypeAlias = Dot | Field | Variable | Constant | Chain | Function | Pipe
Node: TypeAlias = Text | Action | Branch | Leave | Call
Body: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Define:
    """A template with a name, or the file's own text; ``slots`` is how many variables it has."""

    name: str
    body: Body
    slots: int
    line: int


def walk(node: Any) -> Iterator[Any]:  # noqa: ANN401 -- any part of a tree
    """A node and everything below it."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, tuple):
            waiting += reversed(each)
        elif hasattr(each, "__dataclass_fields__"):
            yield each
            waiting += [getattr(each, part.name) for part in reversed(fields(each))]


def shown(node: Operand | Command | Pipe) -> str:
    """How a part of a pipeline is written."""
    match node:
        case Dot():
            text = "."
        case Constant(_, text) | Function(text):
            pass
        case Field(names):
            text = _fields(names)
        case Variable(name, _, names):
            text = name + _fields(names)
        case Chain(operand, names):
            text = shown(operand) + _fields(names)
        case Command(operands):
            text = " ".join(map(shown, operands))
        case Pipe(commands):
            text = f"({' | '.join(map(shown, commands))})"
    return text


def _fields(names: tuple[str, ...]) -> str:
    return "".join(f".{name}" for name in names)

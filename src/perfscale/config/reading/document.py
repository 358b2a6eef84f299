"""Reading YAML into plain values and the place of every key and value.

Built on the C parser's nodes and not on ``yaml.load``: a loader keeps the last of
two equal keys, forgets where things stood, and turns ``1.20`` into 1.2 before
anyone can object.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from perfscale.config.reading.scalars import looks_commented, read_plain, resolve
from perfscale.config.reading.source import KeyPath, Mark, Position, SignIn, Source, clip
from perfscale.config.reading.syntax import COMMENT, syntax_problem
from perfscale.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BYTES: Final = 4 * 2**20
MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 50
"""Bounds that no file of ours comes near; aliases of aliases, or a wrong file, do."""

_MANY: Final = f"more than {MAX_VALUES:,} values, with every alias written out"
STANDARD_INPUT: Final = "standard input"
_TAG: Final = "tag:yaml.org,2002:"


class Wanted(NamedTuple):
    """What a file is called, and has in it at the least, for the messages about another one."""

    name: str
    least: str


WORKLOAD_FILE: Final = Wanted("workload file", "the key workloads")


@dataclass(slots=True)
class Document:
    """A file as plain values, which overrides may still change.

    Attributes:
        directory: What relative paths in it start from.
        tree: Mappings, lists and scalars; None for an empty file.
        values: The mark of each value.
        keys: The position of each key.
        problems: What is wrong with it as a document, whatever it means.
        reading: How a file of another form was read; empty for one of ours.
        notes: What in it means something else here, one sentence each.
        environment: What templates of kube-burner's jobs see by `env`; None: nothing.
        sign_ins: By the address of a server, how to sign in to it.
    """

    name: str
    directory: Path
    wanted: Wanted = WORKLOAD_FILE
    tree: Any = None
    values: dict[KeyPath, Mark] = field(default_factory=dict)
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    reading: str = ""
    notes: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    sign_ins: dict[str, SignIn] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> Source:
        """Where its values stand."""
        return Source(
            self.name,
            self.directory,
            self.values,
            self.keys,
            self.reading,
            self.notes,
            self.environment,
            self.sign_ins,
        )


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file as text.

    Attributes:
        name: As the user named it.
        directory: What relative paths in it start from.
    """

    name: str
    directory: Path
    text: str


def read_document(path: str | Path, wanted: Wanted = WORKLOAD_FILE) -> Document:
    """Read a YAML file; ``-`` is standard input.

    Raises:
        ConfigError: It cannot be read, or is not one YAML document.
    """
    return parse_document(read_text(path, wanted), wanted)


def read_text(path: str | Path, wanted: Wanted = WORKLOAD_FILE) -> TextFile:
    """Read a file as text; ``-`` is standard input.

    Raises:
        ConfigError: It cannot be read.
    """
    is_input = str(path) == "-"
    name = STANDARD_INPUT if is_input else str(path)
    text = _read_text(None if is_input else Path(path), name, wanted)
    # A file that the shell made up (`<(sed ...)`) has no neighbours to look for.
    made_up = is_input or name.startswith(("/dev/", "/proc/"))
    return TextFile(name, Path() if made_up else Path(path).parent, text)


def parse_document(
    file: TextFile, wanted: Wanted = WORKLOAD_FILE, *, first_alone: bool = False
) -> Document:
    """Parse the text of a file; of several YAML documents ``first_alone`` takes the first.

    Raises:
        ConfigError: It is not one YAML document.
    """
    document = Document(file.name, file.directory, wanted)
    try:
        _check_size(file.text, document)
        if first_alone:
            node = next(yaml.compose_all(file.text, Loader=yaml.CSafeLoader), None)
        else:
            node = yaml.compose(file.text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError([syntax_problem(error, file.text, file.name, wanted.name)]) from error
    if node is None:
        message = f"the file is empty: a {wanted.name} has at least {wanted.least}"
        raise ConfigError([Problem(message, file.name, 1, 1)])
    document.tree = _Builder(document).build(node)
    return document


def _read_bytes(path: Path | None, name: str, wanted: Wanted) -> bytes:
    """The content of a file, or of standard input, up to one byte more than there may be."""
    try:
        # By its descriptor: `/dev/stdin` cannot be opened where it is a socket.
        with path.open("rb") if path else open(0, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        near = _near(path) if path else ""
        raise ConfigError([Problem(f"there is no such file{near}", name)]) from error
    except IsADirectoryError as error:
        beside = path.iterdir() if path else ()
        files = sorted(p.name for p in beside if p.suffix in (".yaml", ".yml"))
        hint = f": {', '.join(files[:5])}" if files else ""
        message = f"this is a directory: name the {wanted.name} in it{hint}"
        raise ConfigError([Problem(message, name)]) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError([Problem(f"the file cannot be read: {reason}", name)]) from error


def _read_text(path: Path | None, name: str, wanted: Wanted) -> str:
    content = _read_bytes(path, name, wanted)
    if len(content) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 2**20} MiB: this is no {wanted.name}"
        raise ConfigError([Problem(message, name)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the byte {content[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        raise ConfigError([Problem(message, name, line, column)]) from error


def _near(path: Path) -> str:
    try:
        names = [p.name for p in path.parent.iterdir()]
    except (OSError, ValueError):
        return ""
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"; there is {near[0]}" if near else ""


def _check_size(text: str, document: Document) -> None:
    """Refuse what is too deep or too much before it is composed.

    The C composer recurses without a bound, and a value takes a hundred times the
    memory of its text.
    """
    depth = count = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        count += isinstance(event, yaml.NodeEvent)
        if count > 2 * MAX_VALUES:  # a key is none of the values
            raise _beyond(_MANY, _position(event.start_mark, document.name), document.wanted)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                what = f"nested deeper than {MAX_DEPTH} levels"
                position = _position(event.start_mark, document.name)
                raise _beyond(what, position, document.wanted)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _beyond(what: str, position: Position, wanted: Wanted) -> ConfigError:
    message = f"{what}: this is no {wanted.name}"
    return ConfigError([Problem(message, position.file, position.line, position.column)])


def _position(mark: Any, name: str) -> Position:  # noqa: ANN401 - two parsers, two types
    return Position(name, mark.line + 1, mark.column + 1)


class _Builder:
    """Turns nodes into values, and notes what is wrong on the way."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._count = 0
        self._open: set[int] = set()
        self._reported: set[Problem] = set()

    def build(self, node: yaml.Node, path: KeyPath = ()) -> Any:  # noqa: ANN401 - YAML holds anything
        position = _position(node.start_mark, self._document.name)
        self._count += 1
        if self._count > MAX_VALUES:
            raise _beyond(_MANY, position, self._document.wanted)
        if id(node) in self._open:
            self._refuse(position, path, "an alias (*name) to something that contains it")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path, position)
        self._document.values[path] = Mark(position)
        self._open.add(id(node))
        try:
            return self._collection(node, path, position)
        finally:
            self._open.discard(id(node))

    def _collection(self, node: yaml.Node, path: KeyPath, position: Position) -> Any:  # noqa: ANN401 - as above
        if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            self._refuse(position, path, f"the tag {_tag(node)} means nothing here: remove it")
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        mapping: dict[str, Any] = {}
        for key, value in self._pairs(node, path):
            self._document.keys[(*path, key.value)] = _position(key.start_mark, self._document.name)
            mapping[key.value] = self.build(value, (*path, key.value))
        return mapping

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath, position: Position) -> Any:  # noqa: ANN401 - as above
        text = str(node.value)
        # The C parser gives '' as the style of a scalar without quotes, the Python one None.
        plain = not node.style and node.tag == resolve(text)
        self._document.values[path] = Mark(position, text, plain)
        if plain:
            return read_plain(text).value
        if node.tag != f"{_TAG}str":
            self._refuse(position, path, f"the tag {_tag(node)} means nothing here: remove it")
        return text

    def _pairs(self, node: yaml.Node, path: KeyPath) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Yield the keys of a mapping with their values, each once, merged ones last."""
        seen: dict[str, Position] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            position = _position(key.start_mark, self._document.name)
            if key.tag == f"{_TAG}merge":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                message = "a list or mapping ([..], {..}) cannot be a key"
                self._refuse(position, path, f"{message}; variables like {{{{ x }}}} need quotes")
            elif key.value.startswith("//") and looks_commented(key.value):
                self._refuse(position, path, COMMENT)
            elif first := seen.get(key.value):
                message = f"this key is there twice: also in line {first.line}"
                self._refuse(position, (*path, key.value), message)
            else:
                seen[key.value] = position
                yield key, value
        for other in merged:
            yield from self._merged(other, path, seen)

    def _merged(
        self, node: yaml.Node, path: KeyPath, seen: dict[str, Position]
    ) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Yield what ``<<: *anchor`` adds to a mapping."""
        position = _position(node.start_mark, self._document.name)
        if not isinstance(node, yaml.MappingNode) or id(node) in self._open:
            self._refuse(
                position, path, "<< takes the alias (*name) of a mapping, or a list of them"
            )
            return
        self._open.add(id(node))
        try:
            for key, value in self._pairs(node, path):
                if key.value not in seen:
                    seen[key.value] = _position(key.start_mark, self._document.name)
                    yield key, value
        finally:
            self._open.discard(id(node))

    def _refuse(self, position: Position, path: KeyPath, message: str) -> None:
        problem = self._document.source.problem(path, message, at=position)
        if problem not in self._reported:
            self._reported.add(problem)
            self._document.problems.append(problem)


def _tag(node: yaml.Node) -> str:
    return clip(str(node.tag).replace(_TAG, "!!"))

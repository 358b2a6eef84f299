"""Rendered text to manifests: YAML as kubectl reads it, and where things stand in it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import yaml

from perfscale.templates.bounds.expansion import find_excess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

JSON: TypeAlias = dict[str, Any]
_MAP, STR = "tag:yaml.org,2002:map", "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_KEPT = tuple(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "merge"))
_DIGITS = list("-+.0123456789")


class Finding(NamedTuple):
    """Something wrong in rendered text: the line, counted from 1, and what to do."""

    line: int
    message: str


class BadYamlError(Exception):
    """Rendered text is not YAML, or holds what JSON cannot (internal: becomes a TemplateError)."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class _Loader(yaml.CSafeLoader):
    """Safe YAML with the types that JSON has, and kubectl's idea of them.

    PyYAML's own rules also read ``52:54:00:12:34:56`` (a MAC address) as a
    number to base 60 and ``2026-01-31`` as a date; kubectl's do not.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's registry, replaced as a whole
        first: [rule for rule in rules if rule[0] in _KEPT]
        for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401 - PyYAML's signature
        """As PyYAML does, with every failure a YAML error that has a place."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"{getattr(node, 'value', '')!s:.40} is not a value of {node.tag}",
                node.start_mark,
            ) from error


_INTEGER = r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)"
_FLOAT = (
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)

_LONGEST_NUMBER = 100
_PRINTED_WHOLE = 1e21
"""From here on Go's encoding/json writes an exponent."""


def _integer(_: _Loader, node: yaml.ScalarNode) -> int | str:
    """A number, or the text itself where it is longer than any number that is sent."""
    text = node.value.replace("_", "").lower()
    if len(text) > _LONGEST_NUMBER:
        return str(node.value)
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    if re.fullmatch(r"0[0-7]+", text):
        return sign * int(text, 8)
    return sign * int(text, 0)


def _float(loader: _Loader, node: yaml.ScalarNode) -> float | str:
    """A number as kubectl sends it: ``2`` for ``2.0``.

    The text itself where the number is too large: ``12e4567`` is a commit.
    """
    value = loader.construct_yaml_float(node)
    if math.isinf(value):
        return value if "inf" in node.value.lower() else str(node.value)
    return int(value) if value.is_integer() and abs(value) < _PRINTED_WHOLE else value


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"(?:{_FLOAT})$"), _DIGITS)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(rf"{_INTEGER}$"), _DIGITS)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def load_documents(text: str) -> list[object]:
    """The documents of a rendered template, empty ones left out.

    Raises:
        BadYamlError: It is not YAML, or as YAML it is larger than any manifest.
    """
    try:
        if excess := find_excess(text):
            message, line = excess
            raise BadYamlError(Finding(line, message))
        documents = yaml.load_all(text, _Loader)
        return [document for document in documents if document is not None]
    except (yaml.YAMLError, RecursionError) as error:
        raise BadYamlError(_yaml_finding(error, text)) from error


def _compose_documents(text: str) -> list[yaml.Node]:
    """The nodes of the documents that ``load_documents`` returns the values of.

    Args:
        text: Rendered text that ``load_documents`` accepts.
    """
    return [node for node in yaml.compose_all(text, _Loader) if not _is_null(node)]


class Places:
    """Where things stand in a rendered template, for error messages.

    Args:
        text: Rendered text that ``load_documents`` accepts.
    """

    def __init__(self, text: str) -> None:
        self._documents = _compose_documents(text)
        self._members: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}

    def line(self, document: int, path: Sequence[str]) -> int:
        """Line of a key in a document; of the nearest thing around it where it is missing."""
        node = self._documents[document]
        line = node.start_mark.line + 1
        for key in path:
            found = self._members_of(node).get(key)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        return line

    def _members_of(self, node: yaml.Node) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The keys of a mapping and their values, found once for all that is asked of it."""
        if id(node) not in self._members:
            if isinstance(node, yaml.SequenceNode):  # its members go by their numbers
                return {str(number): (each, each) for number, each in enumerate(node.value)}
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            # From the end: of two equal keys the first counts.
            scalars = (pair for pair in reversed(pairs) if isinstance(pair[0], yaml.ScalarNode))
            self._members[id(node)] = {key.value: (key, value) for key, value in scalars}
        return self._members[id(node)]

    def duplicate_keys(self) -> list[Finding]:
        """Keys that stand twice in one mapping; PyYAML keeps the last without a word."""
        return list(_duplicates(self._documents))


def _is_null(node: yaml.Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _iter_values(roots: Iterable[yaml.Node]) -> Iterator[yaml.Node]:
    """Every node that is a value and not a key, once, however many aliases it has."""
    waiting, done = list(roots), set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        yield node
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [value for _, value in node.value]


def iter_scalars(text: str) -> Iterator[yaml.ScalarNode]:
    """Every scalar that is a value and not a key, once, in text that ``load_documents`` accepts."""
    values = _iter_values(_compose_documents(text))
    return (node for node in values if isinstance(node, yaml.ScalarNode))


def _duplicates(documents: Iterable[yaml.Node]) -> Iterator[Finding]:
    for node in _iter_values(documents):
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if (key.tag, key.value) in seen:
                yield Finding(
                    key.start_mark.line + 1,
                    f"the key {key.value!r} stands twice in one mapping; remove one of the two",
                )
            seen.add((key.tag, key.value))


def _yaml_finding(error: yaml.YAMLError | RecursionError, text: str) -> Finding:
    """PyYAML's error as one sentence, with what it usually means."""
    if isinstance(error, RecursionError):
        return Finding(1, "not YAML after rendering: nested too deeply")
    if isinstance(error, yaml.reader.ReaderError):
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        return Finding(line, f"not YAML after rendering: {error.reason}")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark is not None else 1
    problem = getattr(error, "problem", None) or str(error)
    lines = text.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    found = shown[mark.column : mark.column + 1] if mark is not None else ""
    return Finding(line, f"not YAML after rendering: {problem}{_advice(shown, found)}")


def _advice(line: str, found: str) -> str:
    """What is most likely wrong with a line in which PyYAML stopped at the character ``found``."""
    if line.lstrip().startswith("{%"):
        return (
            "; in a file with Go's variables (`{{.replica}}`) `{%` is literal text: "
            "write the whole file in Jinja2"
        )
    if line.lstrip(" ").startswith("\t"):
        return "; indent with spaces, YAML takes no tabs"
    if found == ":":
        return "; put a value with `: ` in it in quotes, and check the indentation"
    if found == "!":
        return "; tags are not understood"
    if found in {"@", "`", "%"}:
        return "; put a value that begins with such a character in quotes"
    return ""


class _Dumper(yaml.CSafeDumper):
    """YAML for reading: text of several lines as a block."""


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar(STR, value, style=style)


_Dumper.add_representer(str, _text)
# PyYAML would leave `1e3` bare, and kubectl would read a number
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"(?:{_FLOAT})$"), _DIGITS)


def dump_document(document: JSON) -> str:
    """One manifest as YAML, keys in the order of the template."""
    dumped = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return str(dumped)

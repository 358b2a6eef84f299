"""The part of kubectl's JSONPath that leads to a value of an object.

https://kubernetes.io/docs/reference/kubectl/jsonpath/: fields, indexes, ``[*]`` and filters that
compare one field. With and without braces, and the first point, as kubectl takes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP: Final = re.compile(
    r"""
    \.?\[\?\(\s*@(?P<of>(?:\.(?:\\.|[^.\[\]\\=!\s()])+)+)\s*
        (?:(?P<operator>==|!=)\s*(?P<operand>"[^"]*"|'[^']*'|[^\s"')]+)\s*)?\)\]
    | \.?\[(?P<number>-?[0-9]+)\]
    | \.?\[(?P<quote>['"])(?P<quoted>[^'"]+)(?P=quote)\]
    | (?P<every>\.?\[\*\]|\.\*)
    | \.(?P<field>(?:\\.|[^.\[\]{}\\*\s@?()])+)
    """,
    re.VERBOSE,
)
_EXAMPLES: Final = '.status.phase, .status.conditions[?(@.type=="Ready")].status or .a[0].b'


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a mapping."""

    name: str

    def of(self, value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
        """What this leads to from ``value``."""
        if isinstance(value, Mapping) and self.name in value:
            yield value[self.name]

    def __str__(self) -> str:
        """As it is written."""
        return f".{self.name}"


@dataclass(frozen=True, slots=True)
class Index:
    """A member of a list; from its end if it is negative, and every one if it is None."""

    number: int | None

    def of(self, value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
        """What this leads to from ``value``."""
        if self.number is None:
            if isinstance(value, Mapping):
                yield from value.values()
            elif _is_list(value):
                yield from value
        elif _is_list(value) and -len(value) <= self.number < len(value):
            yield value[self.number]

    def __str__(self) -> str:
        """As it is written."""
        return f"[{'*' if self.number is None else self.number}]"


@dataclass(frozen=True, slots=True)
class Filter:
    """Those members of a list that have a field, with this value or without it."""

    path: tuple[Field, ...]
    operand: str | None
    negated: bool = False

    def of(self, value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
        """What this leads to from ``value``."""
        for member in value if _is_list(value) else ():
            found = list(_walk(self.path, member))
            equal = bool(found) and (self.operand is None or as_text(found[0]) == self.operand)
            if found and equal is not self.negated:
                yield member

    def __str__(self) -> str:
        """As it is written."""
        operator = "" if self.operand is None else "!=" if self.negated else "=="
        compared = f'{operator}"{self.operand}"' if operator else ""
        return f"[?(@{''.join(map(str, self.path))}{compared})]"


class _Step(Protocol):
    def of(self, value: Any, /) -> Iterator[Any]: ...  # noqa: ANN401 - JSON


Step: TypeAlias = Field | Index | Filter


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A way into an object, which begins with one of its top fields.

    Attributes:
        text: As in ``{.status.phase}``.
        top: The field that it begins with.
        steps: What follows.
    """

    text: str
    top: str
    steps: tuple[Step, ...]

    def find(self, value: object) -> list[Any]:
        """Everything that it leads to from the value of its top field."""
        return list(_walk(self.steps, value))


def parse_jsonpath(text: str) -> JsonPath:
    """Read a path.

    Raises:
        ValueError: It is none, or one that leads to no value; with what is accepted.
    """
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    inner = inner.removeprefix("$")
    if inner and inner[0] not in ".[":
        inner = "." + inner
    steps: list[Step] = []
    at = 0
    while at < len(inner):
        match = _STEP.match(inner, at)
        if match is None:
            raise ValueError(f"{inner[at:]!r} is not understood in it: write it as in {_EXAMPLES}")
        steps.append(_step(match))
        at = match.end()
    if not steps or not isinstance(steps[0], Field):
        raise ValueError(f"it has to begin with a field of the object, as in {_EXAMPLES}")
    return JsonPath("{" + inner + "}", steps[0].name, tuple(steps[1:]))


def _step(match: re.Match[str]) -> Step:
    if match["field"] is not None:
        return Field(_unescaped(match["field"]))
    if match["quoted"] is not None:
        return Field(match["quoted"])
    if match["number"] is not None:
        return Index(int(match["number"]))
    if match["every"] is not None:
        return Index(None)
    names = re.findall(r"\.((?:\\.|[^.\\])+)", match["of"])
    operand = match["operand"]
    if operand is not None and operand[0] in "'\"":
        operand = operand[1:-1]
    return Filter(
        tuple(Field(_unescaped(name)) for name in names), operand, match["operator"] == "!="
    )


def _unescaped(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _walk(steps: Sequence[_Step], value: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    if not steps:
        yield value
        return
    first, *rest = steps
    for found in first.of(value):
        yield from _walk(rest, found)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def as_text(value: object) -> str | None:
    """A value as kubectl prints it for comparing; None for a mapping or a list."""
    if isinstance(value, Mapping) or _is_list(value):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "<nil>" if value is None else str(value)

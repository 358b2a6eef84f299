"""What YAML makes of a scalar without quotes, and whether that is what was written.

``1.20`` is a version to its author and 1.2 to YAML, ``010`` is 8, ``yes`` is a
boolean. A template would print the wrong one, so such values are found here.
Readers differ (``1e3`` is a text to YAML 1.1 and a number to 1.2): a scalar that
any version reads as a number counts as one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

Kind: TypeAlias = Literal["text", "number", "boolean", "nothing", "date"]

_TAG: Final = "tag:yaml.org,2002:"
_RESOLVER: Final = yaml.resolver.Resolver()
_SAFE: Final = yaml.constructor.SafeConstructor()
_CONSTRUCTORS: Final[dict[str, tuple[Kind, Callable[[yaml.ScalarNode], Any] | None]]] = {
    "int": ("number", _SAFE.construct_yaml_int),
    "float": ("number", _SAFE.construct_yaml_float),
    "bool": ("boolean", _SAFE.construct_yaml_bool),
    "null": ("nothing", _SAFE.construct_yaml_null),
    "timestamp": ("date", None),
}
_EXPONENT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]*|[0-9]*\.[0-9]*|[0-9.]+[eE][-+]?[0-9]+)")
_COMMENT: Final = re.compile(r"(^|\s)//(\s|$)")
_LONGEST_NUMBER: Final = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What a plain scalar is to YAML."""

    value: str | float | bool | None
    kind: Kind

    @property
    def printed(self) -> str:
        """How a template prints the value."""
        text = "" if self.value is None else str(self.value)
        return text.lower() if isinstance(self.value, bool) else text

    @property
    def name(self) -> str:
        """What to call the value in a message: ``the number 1.2``."""
        if self.kind in ("number", "boolean"):
            return f"the {self.kind} {self.printed}"
        return "no value" if self.kind == "nothing" else f"a {self.kind}"


def read_plain(text: str) -> Reading:
    """Return what ``text``, written without quotes, is to YAML."""
    if len(text) > _LONGEST_NUMBER:
        return Reading(text, "text")
    kind, construct = _kind(text)
    try:
        return Reading(construct(text), kind)
    except ValueError:  # `0x_` has the shape of a number and is none
        return Reading(text, "text")


def _kind(text: str) -> tuple[Kind, Callable[[str], Any]]:
    """Return what ``text`` looks like, and what makes the value of it."""
    if _EXPONENT.fullmatch(text):
        return "number", float
    if _OCTAL.fullmatch(text):
        return "number", lambda octal: int(octal, 8)
    tag = resolve(text).removeprefix(_TAG)
    kind, construct = _CONSTRUCTORS.get(tag, ("text", None))
    if construct is None:
        return kind, str
    return kind, lambda written: construct(yaml.ScalarNode(tag, written))


def resolve(text: str) -> str:
    """Return the tag that YAML gives to a plain scalar."""
    return str(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call] # PyYAML


def change(text: str) -> str | None:
    """Return what YAML makes of a plain scalar that does not print back as written."""
    reading = read_plain(text)
    if reading.kind == "date" or (reading.kind != "text" and reading.printed != text):
        return reading.name
    return None


def is_odd_number(text: str) -> bool:
    """Tell whether YAML reads ``text`` as a number in other than decimal notation."""
    return read_plain(text).kind == "number" and not (
        _DECIMAL.fullmatch(text) or text.lower().lstrip("+-") in (".inf", ".nan")
    )


def looks_commented(text: str) -> bool:
    """Tell whether ``text`` has a comment of some other language in it."""
    return _COMMENT.search(text) is not None

"""What a person says of a run beforehand, to find it again: tags and a note."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOST: Final = 256
"""Characters of a key, and of a value."""

BASELINE: Final = "baseline"
"""The key of a tag that pins a run as the one that others are compared with."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What ``run.json`` keeps of that."""

    tags: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None


NO_REMARKS: Final = Remarks()


def parse_tag(text: str) -> tuple[str, str]:
    """The key and the value of ``key=value``.

    Raises:
        ValueError: It is something else.
    """
    key, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise ValueError(f"{text!r} is no tag: write a key and a value, as in build=123")
    if not _KEY.fullmatch(key) or len(key) > _MOST:
        raise ValueError(
            f"{text!r} is no tag: its key may have letters, digits, '.', '_' and '-', "
            f"and at most {_MOST} of them"
        )
    if not value.isprintable() or len(value) > _MOST:
        raise ValueError(f"{text!r} is no tag: its value is a line of at most {_MOST} characters")
    return key, value


def parse_tags(texts: Iterable[str]) -> dict[str, str]:
    """Several tags, by key.

    Raises:
        ValueError: One of them is no tag, or two have the same key.
    """
    tags: dict[str, str] = {}
    for text in texts:
        key, value = parse_tag(text)
        if tags.setdefault(key, value) != value:
            raise ValueError(f"the tag {key} is both {tags[key]!r} and {value!r}")
    return tags

"""How large rendered text is as YAML, with every alias written out.

A few lines of aliases of aliases are billions of values, and the parser in C
composes nested text without a bound: so text that could be either is read event by
event first. That takes a third as long as parsing does; text that cannot be, which
is nearly all, is not read twice.
"""

from __future__ import annotations

from typing import Final

import yaml

MAX_CHARACTERS: Final = 8_000_000
MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 200
"""Bounds that no manifest comes near: etcd takes objects of 1.5 MiB at the most."""

_SHORT: Final = 100_000
"""Too short for many values: of a text without aliases, not more than half of it."""
_NESTED: Final = ("- - ", "? ? ")
"""Nesting in a line. With a line for each level, there is not room for many."""


def find_excess(text: str) -> tuple[str, int] | None:
    """Why a text is not parsed, and the line, counted from 1; None if it can be.

    Raises:
        yaml.YAMLError: It is not YAML.
    """
    aliases = "&" in text and "*" in text
    nested = text.count("[") + text.count("{") > MAX_DEPTH or any(map(text.count, _NESTED))
    return _Count().of(text) if aliases or nested or len(text) > _SHORT else None


class _Count:
    """Values and characters so far, aliases as often as they stand there."""

    def __init__(self) -> None:
        self._now = (0, 0)
        self._anchors: dict[str, tuple[int, int]] = {}
        self._open: list[tuple[str | None, tuple[int, int]]] = []

    def of(self, text: str) -> tuple[str, int] | None:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            self._add(event)
            if excess := self._excess():
                return excess, event.start_mark.line + 1  # type: ignore[union-attr] # it has one
        return None

    def _excess(self) -> str | None:
        values, characters = self._now
        if len(self._open) > MAX_DEPTH:
            return f"nested deeper than {MAX_DEPTH} levels: this is no manifest"
        if values > MAX_VALUES:
            return f"more than {MAX_VALUES:,} values, with every alias written out"
        if characters > MAX_CHARACTERS:
            return f"more than {MAX_CHARACTERS:,} characters, with every alias written out"
        return None

    def _add(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._grow(*self._anchors.get(event.anchor or "", (1, 0)))
        elif isinstance(event, yaml.ScalarEvent):
            before = self._now
            self._grow(1, len(event.value))
            self._keep(event.anchor, before)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, self._now))
            self._grow(1, 0)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._keep(*self._open.pop())

    def _grow(self, values: int, characters: int) -> None:
        self._now = (self._now[0] + values, self._now[1] + characters)

    def _keep(self, anchor: str | None, before: tuple[int, int]) -> None:
        if anchor:
            self._anchors[anchor] = (self._now[0] - before[0], self._now[1] - before[1])

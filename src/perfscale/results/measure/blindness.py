"""Times in which a run saw nothing: a watch was not open, or the generator itself stood still.

What happened in such a *blind span* is seen right after it. The latency that is
measured then is too long by as much as the event had to wait; by how much nobody
knows, but not by more than from the beginning of the span. Nothing of this is kept
with the objects: when a span began and when what was missed had come is enough to
find the moments that are uncertain.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import msgspec

from perfscale.results.model.interruptions import BlindSpan, Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_SPANS: Final = 1000
"""Beyond so many, one that follows another of the same watch is made one with it."""


class Place(NamedTuple):
    """What one watch follows; without a kind, everything."""

    kind: str | None
    namespace: str | None


_EVERYTHING: Final = Place(None, None)
_began: Final = attrgetter("began_s")

Numbered: TypeAlias = tuple[int, BlindSpan]
"""A span as it is now, and its number, which stays the same when it changes."""


class BlindSpans:
    """The blind spans of a run, in bounded memory: those of one watch never overlap."""

    def __init__(self) -> None:
        self._spans: list[BlindSpan] = []
        self._of: dict[Place, list[int]] = {}
        self._edges: list[float] | None = []

    def __iter__(self) -> Iterator[BlindSpan]:
        """All of them, in the order in which they were found."""
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def lose(self, kind: str, namespace: str | None, at_s: float) -> Numbered:
        """A watch sees nothing any more."""
        last = self._last(Place(kind, namespace))
        if last is not None:
            number, span = last
            # It had not caught up with what it had missed before.
            if at_s <= span.until_s or len(self._spans) >= _MOST_SPANS:
                return self._change(number, msgspec.structs.replace(span, ended_s=None))
        return self._add(BlindSpan(Cause.WATCH, kind, namespace, at_s))

    def regain(self, kind: str, namespace: str | None, until_s: float) -> Numbered | None:
        """It is open, and has caught up by then; nothing if it was not lost."""
        last = self._last(Place(kind, namespace))
        if last is None or last[1].ended_s is not None:
            return None
        number, span = last
        ended_s = max(until_s, span.began_s)
        return self._change(number, msgspec.structs.replace(span, ended_s=ended_s))

    def stall(self, began_s: float, ended_s: float) -> Numbered:
        """The generator itself stood still."""
        last = self._last(_EVERYTHING)
        if last is not None:
            number, span = last
            if began_s <= span.until_s or len(self._spans) >= _MOST_SPANS:
                return self._change(number, msgspec.structs.replace(span, ended_s=ended_s))
        return self._add(BlindSpan(Cause.GENERATOR, None, None, began_s, ended_s))

    def put(self, number: int, span: BlindSpan) -> None:
        """Take a span from a journal."""
        if number < len(self._spans):
            self._change(number, span)
        else:
            self._add(span)

    def close(self, at_s: float) -> None:
        """The run is over: nothing more is seen of what is not seen now."""
        for number, span in enumerate(self._spans):
            if span.ended_s is None:
                ended_s = max(at_s, span.began_s)
                self._change(number, msgspec.structs.replace(span, ended_s=ended_s))

    def touches(self, at_s: float) -> bool:
        """Whether anything at all saw nothing then; quick, as it is called for every moment."""
        if self._edges is None:
            self._edges = _edges(self._spans)
        return bisect_left(self._edges, at_s) % 2 == 1

    def overlap(self, began_s: float, ended_s: float) -> bool:
        """Whether anything at all saw nothing at some moment between; called for every object."""
        if self._edges is None:
            self._edges = _edges(self._spans)
        index = bisect_left(self._edges, began_s)
        return index % 2 == 1 or index != bisect_left(self._edges, ended_s)

    def earliest_s(self, kind: str | None, namespace: str | None, at_s: float) -> float | None:
        """When what was seen at ``at_s`` may have happened; None if it was then.

        ``kind`` is the object's; None for what no watch reports, such as an answer.
        """
        if not self.touches(at_s):
            return None
        places = {_EVERYTHING}
        if kind is not None:
            places |= {Place(kind, None), Place(kind, namespace)}
        lists = [self._of[place] for place in places if place in self._of]
        earliest_s = at_s
        while span := next((each for each in self._at(earliest_s, lists) if each), None):
            earliest_s = span.began_s
        return earliest_s if earliest_s < at_s else None

    def _at(self, at_s: float, lists: Iterable[list[int]]) -> Iterator[BlindSpan | None]:
        """The span of each watch that a moment is in."""
        for numbers in lists:
            index = bisect_left(numbers, at_s, key=lambda number: self._spans[number].began_s) - 1
            if index >= 0 and at_s <= self._spans[numbers[index]].until_s:
                yield self._spans[numbers[index]]

    def _last(self, place: Place) -> Numbered | None:
        numbers = self._of.get(place)
        return (numbers[-1], self._spans[numbers[-1]]) if numbers else None

    def _add(self, span: BlindSpan) -> Numbered:
        number = len(self._spans)
        self._of.setdefault(Place(span.kind, span.namespace), []).append(number)
        self._spans.append(span)
        self._edges = None
        return number, span

    def _change(self, number: int, span: BlindSpan) -> Numbered:
        self._spans[number] = span
        self._edges = None
        return number, span


def _edges(spans: Iterable[BlindSpan]) -> list[float]:
    """Where the union of spans begins and ends, in turn."""
    edges: list[float] = []
    for began_s, ended_s in merge((span.began_s, span.until_s) for span in spans):
        edges += (began_s, ended_s)
    return edges


def merge(spans: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Spans of time without those that overlap, in their order."""
    current: tuple[float, float] | None = None
    for began_s, ended_s in sorted(spans):
        if current is not None and began_s <= current[1]:
            current = current[0], max(current[1], ended_s)
            continue
        if current is not None:
            yield current
        current = began_s, ended_s
    if current is not None:
        yield current

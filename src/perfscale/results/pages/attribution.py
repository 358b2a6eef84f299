"""Where the time of slow objects went: a bar for each, and for all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.results.model.course.attribution import WORDS, WaitCause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.model.course.attribution import AttributedObject, AttributionResult
    from perfscale.results.model.document import Attribution, SlowObject

COLOURS: Final = {
    WaitCause.UNSEEN: 7,
    WaitCause.SCHEDULING: 3,
    WaitCause.IMAGE_PULL: 1,
    WaitCause.VOLUMES: 4,
    WaitCause.LAUNCHER_START: 2,
    WaitCause.GUEST: 5,
    WaitCause.UNKNOWN: 0,
}
"""Of the page's palette: a cause has the same on every page."""
_WIDTH: Final = 1000


class Bar(NamedTuple):
    """A piece of a bar that is 1000 wide."""

    colour: int
    left: int
    right: int


class CauseRow(NamedTuple):
    """A cause, and how much of a time it took."""

    cause: WaitCause
    words: str
    colour: int
    lasted_s: float
    share: float


@dataclass(frozen=True, slots=True)
class SlowRow:
    """A slow object; ``kept`` is what was kept of it, None where that is not there."""

    measured: SlowObject
    kept: AttributedObject | None
    bars: list[Bar]
    said: str


@dataclass(frozen=True, slots=True)
class AttributionSection:
    """The section.

    Attributes:
        measured: What the summary has.
        causes: By cause, of all objects together.
        bars: The same, drawn.
        rows: The objects, the slowest first.
    """

    measured: Attribution
    causes: list[CauseRow]
    bars: list[Bar]
    rows: list[SlowRow]

    @property
    def words(self) -> Mapping[WaitCause, str]:
        """What to call causes."""
        return WORDS

    @property
    def unready(self) -> int:
        """How many of them are not ready."""
        return sum(not each.measured.ready for each in self.rows)


def attribution_section(
    measured: Attribution | None, evidence: AttributionResult | None
) -> AttributionSection | None:
    """The section; None where there is nothing to show."""
    if measured is None or not (measured.objects or measured.problems):
        return None
    kept = {} if evidence is None else {each.uid: each for each in evidence.objects}
    longest_s = max((each.latency_seconds for each in measured.objects), default=0.0)
    causes = list(_causes(measured.causes))
    return AttributionSection(
        measured,
        causes,
        _stacked(causes),
        [
            SlowRow(each, kept.get(each.uid), _bars(each, longest_s), said_of(each.causes))
            for each in measured.objects
        ],
    )


def said_of(causes: Mapping[str, float]) -> str:
    """Causes in words, with their seconds."""
    return ", ".join(f"{row.words} {row.lasted_s:.1f}" for row in _causes(causes))


def _causes(causes: Mapping[str, float]) -> Iterable[CauseRow]:
    total_s = sum(causes.values())
    for name, lasted_s in causes.items():
        cause = WaitCause(name)
        share = lasted_s / total_s if total_s else 0.0
        yield CauseRow(cause, WORDS[cause], COLOURS[cause], lasted_s, share)


def _stacked(causes: Iterable[CauseRow]) -> list[Bar]:
    bars: list[Bar] = []
    left = 0.0
    for each in causes:
        right = left + each.share * _WIDTH
        bars.append(Bar(each.colour, round(left), round(right)))
        left = right
    return bars


def _bars(slow: SlowObject, longest_s: float) -> list[Bar]:
    """A bar as long as the object took, beside the longest."""
    scale = _WIDTH / longest_s if longest_s else 0.0
    return [
        Bar(
            COLOURS[each.cause],
            round(each.began_seconds * scale),
            round(each.ended_seconds * scale),
        )
        for each in slow.segments
    ]

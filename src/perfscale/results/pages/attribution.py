"""Where the time of slow objects went: a bar for each, and for all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.results.model.course.attribution import WORDS, WaitCause
from perfscale.results.pages.plots import BAR_WIDTH, Bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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


class CauseRow(NamedTuple):
    """A cause, and how much of a time it took."""

    cause: WaitCause
    words: str
    colour: int
    lasted_s: float
    share: float


@dataclass(frozen=True, slots=True)
class SlowRow:
    """A slow object; ``kept`` is what was kept of it, None where that is not there.

    ``longest_s`` is what the longest bar stands for.
    """

    measured: SlowObject
    kept: AttributedObject | None
    longest_s: float

    @property
    def name(self) -> str:
        """The object's kind and name."""
        slow = self.measured
        return f"{slow.kind} {f'{slow.namespace}/' if slow.namespace else ''}{slow.name}"

    @property
    def bars(self) -> list[Bar]:
        """A bar as long as the object took, beside the longest."""
        scale = BAR_WIDTH / self.longest_s if self.longest_s else 0.0
        return [
            Bar(
                COLOURS[each.cause],
                round(each.began_seconds * scale),
                round(each.ended_seconds * scale),
            )
            for each in self.measured.segments
        ]

    @property
    def said(self) -> str:
        """What it waited for, in words."""
        return said_of(self.measured.causes)

    @property
    def sources(self) -> Iterator[str]:
        """What says from when to when it waited for what."""
        for each in self.measured.segments:
            precision = f", ±{each.precision_seconds:.1f} s" if each.precision_seconds else ""
            span = f"{each.began_seconds:.3f} to {each.ended_seconds:.3f}"
            yield f"{span}: {WORDS[each.cause]}{precision}: {each.source}"
        yield from self.measured.notes

    @property
    def evidence(self) -> Iterator[str]:
        """Its pods, conditions and events, as they were when it was looked at."""
        if self.kept is None:
            return
        for pod in self.kept.pods:
            node = f" on {pod.node}" if pod.node else ""
            yield f"Pod {pod.name}{node}: {pod.phase or 'no phase'}"
        for condition in self.kept.conditions:
            reason = f", {condition.reason}" if condition.reason else ""
            since = f" since {condition.since}" if condition.since else ""
            message = f": {condition.message}" if condition.message else ""
            state = f"{condition.of}: {condition.type} {condition.status}"
            yield f"{state}{reason}{since}{message}"
        for event in self.kept.events:
            often = f" ({event.count} times)" if event.count > 1 else ""
            what = f"{event.of}: {event.type} {event.reason}{often}: {event.message}"
            yield f"{event.last or ''} {what}"


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
        [SlowRow(each, kept.get(each.uid), longest_s) for each in measured.objects],
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
        right = left + each.share * BAR_WIDTH
        bars.append(Bar(each.colour, round(left), round(right)))
        left = right
    return bars

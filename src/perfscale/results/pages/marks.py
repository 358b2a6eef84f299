"""What is marked on every plot over time.

Stages, iterations, rounds of churn, hooks, outages, and when nothing was seen. Where there are
more marks than a reader could tell apart, they are thinned out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.results.measure.blindness import merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.results.model.document import Hook, StageSpan, Summary

_MOST_LINES: Final = 24
"""Lines of one kind across a plot."""
_MOST_LABELS: Final = 8
"""Numbers that fit above a plot on a phone."""
_MOST_RIBBONS: Final = 4
_STEPS: Final = (1, 2, 5)
_STAGES: Final = {
    "preparing namespaces": "preparing",
    "pulling images": "preparing",
    "running a hook": "calling",
    "creating": "loading",
    "operating": "loading",
    "waiting until ready": "waiting",
    "waiting until done": "waiting",
    "looking at slow objects": "examining",
    "pausing": "pausing",
    "deleting": "deleting",
    "waiting until gone": "leaving",
    "cleaning up": "cleaning",
}
"""The class of each stage in the style sheet."""


@dataclass(frozen=True, slots=True)
class Band:
    """What is marked behind a plot over time: spans in seconds since the run's start.

    ``style`` is its class in the style sheet.
    """

    name: str
    style: str
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Moments that are marked by lines across a plot, in seconds since the run's start.

    Attributes:
        name: What begins there.
        style: The class in the style sheet.
        at: The moments, each with its number as text, which is empty where there is no room.
    """

    name: str
    style: str
    at: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Ribbon:
    """What was done when, above a plot: a band for each stage.

    ``workloads`` says for whom; it is empty for a ribbon of the whole run.
    """

    workloads: str
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """Everything that is marked on a plot over time."""

    bands: tuple[Band, ...] = ()
    lines: tuple[Lines, ...] = ()
    ribbons: tuple[Ribbon, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.bands or self.lines or self.ribbons)

    @property
    def stages(self) -> list[Band]:
        """Each stage that is in a ribbon, once, for the legend."""
        return list({each.name: each for ribbon in self.ribbons for each in ribbon.bands}.values())


NONE: Final = Marks()


def marks_of(summary: Summary, iterations: Sequence[tuple[float, int]] | None = None) -> Marks:
    """What to mark of a run; nothing where there was nothing.

    Args:
        summary: Of a run that is over, or how far it has come.
        iterations: When iterations began, and their numbers; None takes those of the summary.
    """
    if iterations is None:
        iterations = [
            (each.started_seconds, each.iteration)
            for workload in summary.workloads
            for each in workload.iterations
        ]
    lines = tuple(_lines(summary, iterations))
    return Marks(_bands(summary), lines, tuple(_ribbons(summary.stages)))


def _bands(summary: Summary) -> tuple[Band, ...]:
    outages = merge((each.began_seconds, each.ended_seconds) for each in summary.outages)
    blind = merge((each.began_seconds, each.ended_seconds) for each in summary.blind_spans)
    found = (
        Band("a hook ran in the background", "beside", _hooks(summary, background=True)),
        Band("a hook ran", "hook", _hooks(summary, background=False)),
        Band("nothing was seen, or not everything", "blind", tuple(blind)),
        Band("the API server, or what it calls, was gone", "outage", tuple(outages)),
    )
    return tuple(band for band in found if band.spans)


def _hooks(summary: Summary, *, background: bool) -> tuple[tuple[float, float], ...]:
    return tuple(
        merge(
            (each.began_seconds, _end_of(each, summary))
            for each in summary.hooks
            if each.background is background
        )
    )


def _end_of(hook: Hook, summary: Summary) -> float:
    return summary.duration_seconds if hook.ended_seconds is None else hook.ended_seconds


def _lines(summary: Summary, iterations: Sequence[tuple[float, int]]) -> Iterator[Lines]:
    if len(iterations) > 1:
        yield _thinned("an iteration begins", "iteration", iterations)
    rounds = [(each.began_seconds, each.round) for each in summary.rounds]
    if rounds:
        yield _thinned("a round of churn begins", "round", rounds)


def _thinned(name: str, style: str, moments: Iterable[tuple[float, int]]) -> Lines:
    """As many of the moments as can be told apart: one in two, or five, or ten, and so on."""
    ordered = sorted(moments, key=lambda each: each[0])
    every = _round_step(len(ordered), _MOST_LINES)
    shown = ordered[::every]
    labelled = _round_step(len(shown), _MOST_LABELS)
    at = tuple(
        (at_s, str(number) if index % labelled == 0 else "")
        for index, (at_s, number) in enumerate(shown)
    )
    return Lines(f"{name} (one in {every})" if every > 1 else name, style, at)


def _round_step(count: int, most: int) -> int:
    """The smallest round step of which there are at most so many."""
    power = 1
    while True:
        for step in _STEPS:
            if -(-count // (power * step)) <= most:
                return power * step
        power *= 10


def _ribbons(spans: Sequence[StageSpan]) -> Iterator[Ribbon]:
    """One for workloads that ran one after the other, and more where they ran at once."""
    by_workload: dict[str | None, list[StageSpan]] = {}
    for span in spans:
        by_workload.setdefault(span.workload, []).append(span)
    of_run = by_workload.pop(None, [])
    ribbons: list[dict[str | None, list[StageSpan]]] = []
    for workload, own in by_workload.items():
        free = (each for each in ribbons if _end(each) <= own[0].began_seconds)
        ribbon = next(free, None)
        if ribbon is None:
            ribbons.append({workload: own})
        else:
            ribbon[workload] = own
    if of_run:
        # Nothing else is done meanwhile, so they fit between those of the first.
        ribbons = ribbons or [{}]
        ribbons[0][None] = of_run
    for ribbon in ribbons[:_MOST_RIBBONS]:
        names = (workload for workload in ribbon if workload is not None)
        members = (span for own in ribbon.values() for span in own)
        yield Ribbon(", ".join(names) if len(ribbons) > 1 else "", tuple(_stages(members)))


def _end(ribbon: dict[str | None, list[StageSpan]]) -> float:
    return max(span.ended_seconds for own in ribbon.values() for span in own)


def _stages(spans: Iterable[StageSpan]) -> Iterator[Band]:
    by_stage: dict[str, list[tuple[float, float]]] = {}
    for span in spans:
        by_stage.setdefault(span.stage, []).append((span.began_seconds, span.ended_seconds))
    for stage, every in by_stage.items():
        yield Band(stage, _STAGES.get(stage, "pausing"), tuple(merge(every)))

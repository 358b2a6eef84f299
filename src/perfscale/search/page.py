"""A search on one page: latency and accepted rate over the load, and every step."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from perfscale.results.pages.loads import MOST_SERIES
from perfscale.results.pages.marks import Band, Marks
from perfscale.results.pages.page import REPORT_FILE
from perfscale.results.pages.plots import Plot, Series, highest
from perfscale.results.pages.rendering import render, words
from perfscale.results.pages.scales import by_factors, from_zero
from perfscale.search.deciding.trials import Status, tallies
from perfscale.search.wording import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from perfscale.search.document import SearchDocument, Step, StepLatency


class _Subject(NamedTuple):
    """Whose latency it is."""

    workload: str
    kind: str
    operation: str | None
    measure: str

    @staticmethod
    def of(latency: StepLatency) -> _Subject:
        return _Subject(latency.workload, latency.kind, latency.operation, latency.measure)

    def __str__(self) -> str:
        what = f"{self.operation} of {self.kind}" if self.operation else self.kind
        return f"{self.workload}: {what}, {self.measure}"


class StepRow(NamedTuple):
    """A line of the table of steps."""

    step: Step
    value: str
    verdict: str
    latencies: dict[str, StepLatency]
    page: str | None


def search_page(document: SearchDocument) -> str:
    """The page as text."""
    plan = document.plan
    return render(
        "search.html",
        search=document,
        range=f"from {at(plan, plan.start)}"
        + ("" if plan.end is None else f" to {at(plan, plan.end)}"),
        subjects=[str(each) for each in _subjects(document.steps)],
        rows=[_row(document, each) for each in document.steps],
        plots=list(_plots(document)),
    )


def _row(document: SearchDocument, step: Step) -> StepRow:
    return StepRow(
        step,
        value=at(document.plan, step.value),
        verdict="did not end" if step.verdict is None else words(step.verdict),
        latencies={str(_Subject.of(each)): each for each in step.latencies},
        page=None if step.folder is None else f"{step.folder}/{REPORT_FILE}",
    )


def _subjects(steps: Iterable[Step]) -> list[_Subject]:
    return list(dict.fromkeys(_Subject.of(each) for step in steps for each in step.latencies))


def _plots(document: SearchDocument) -> Iterator[Plot]:
    curve = _Curve(document)
    if len(curve.values) < 2:
        return
    for number, subject in enumerate(_subjects(curve.steps)[:MOST_SERIES], start=1):
        yield curve.latency_plot(f"latency-{number}", subject)
    yield curve.rate_plot()


class _Curve:
    """What was measured, by the value that was offered."""

    def __init__(self, document: SearchDocument) -> None:
        self.steps = [each for each in document.steps if each.verdict is not None]
        self.values = sorted({each.value for each in self.steps})
        if not self.values:
            return
        plan = document.plan
        label = "offered, a second" if plan.vary == "qps" else plan.vary
        self._axis = by_factors(label, self.values[0], self.values[-1])
        self._marks = Marks(bands=tuple(self._bands(document)))

    def _bands(self, document: SearchDocument) -> Iterator[Band]:
        """Where a threshold was lost, and where nothing could be judged: up to the next value."""
        beyond = dict(zip(self.values, [*self.values[1:], self.values[-1]], strict=True))
        found = tallies(document.trials)
        for status, name, style in (
            (Status.LOST, "a threshold was lost", "outage"),
            (Status.NOT_JUDGED, "the cluster could not be judged", "blind"),
        ):
            spans = tuple(
                (each.value, beyond[each.value])
                for each in found
                if each.status(document.plan.repeat) is status
            )
            if spans:
                yield Band(name, style, spans)

    def latency_plot(self, key: str, subject: _Subject) -> Plot:
        """Of one kind, or one operation."""

        def over(statistic: str) -> list[float | None]:
            return self._over(
                lambda step: (
                    getattr(each, statistic)
                    for each in step.latencies
                    if _Subject.of(each) == subject
                )
            )

        return self._plot(
            key,
            str(subject),
            "Seconds at each value; of several runs at one, the one in the middle. Where a "
            "percentile was not reached, the line is interrupted.",
            "seconds",
            tuple(Series(each, over(each)) for each in ("p50", "p99")),
        )

    def rate_plot(self) -> Plot:
        """Of all workloads."""
        workloads = list(dict.fromkeys(rate.workload for step in self.steps for rate in step.rates))

        def over(workload: str, statistic: str) -> list[float | None]:
            return self._over(
                lambda step: (
                    getattr(each, statistic) for each in step.rates if each.workload == workload
                )
            )

        return self._plot(
            "rate",
            "Offered and accepted rate",
            "Requests a second at each value. Where fewer were accepted than were offered, the "
            "server was slow or refused some.",
            "a second",
            tuple(
                Series(
                    f"{workload}, {name}" if len(workloads) > 1 else name, over(workload, statistic)
                )
                for workload in workloads[: MOST_SERIES // 2]
                for name, statistic in (("offered", "offered_qps"), ("accepted", "achieved_qps"))
            ),
        )

    def _over(self, of: Callable[[Step], Iterable[float | None]]) -> list[float | None]:
        return [
            _middle([found for step in self.steps if step.value == value for found in of(step)])
            for value in self.values
        ]

    def _plot(self, key: str, title: str, note: str, unit: str, series: tuple[Series, ...]) -> Plot:
        return Plot(
            key=key,
            title=title,
            note=note,
            x=self._axis,
            y=from_zero(unit, highest(series), to_tick=True),
            at=self.values,
            series=series,
            marks=self._marks,
        )


def _middle(values: Sequence[float | None]) -> float | None:
    """The middle one; None where most of them were not reached."""
    reached = [each for each in values if each is not None]
    return median(reached) if len(reached) * 2 > len(values) else None

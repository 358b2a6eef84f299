"""What Prometheus measured during a run, on its page: results, and how they went over time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.results.pages.loads import MOST_SERIES, SINCE_START
from perfscale.results.pages.marks import NONE
from perfscale.results.pages.plots import Plot, Series, highest
from perfscale.results.pages.scales import from_zero

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.results.model.audit import AuditedSeries, AuditedTime, AuditRecord
    from perfscale.results.pages.marks import Marks

_MOST_PLACES: Final = 512
_MOST_PLOTS: Final = 12


@dataclass(frozen=True, slots=True)
class AuditSection:
    """An audit: the spans of time that there are results for, by name, and a plot for each unit."""

    record: AuditRecord
    times: Mapping[str, AuditedTime]
    plots: list[Plot]

    @property
    def results(self) -> list[str]:
        """Names of all results; those with a limit come first."""
        limited = {
            name: any(
                name in time.values and time.values[name].limit is not None
                for time in self.times.values()
            )
            for time in self.times.values()
            for name in time.values
        }
        return sorted(limited, key=lambda name: not limited[name])


def audit_section(record: AuditRecord, marks: Marks = NONE) -> AuditSection:
    """What to show of ``audit.json``, with ``marks`` on what is over time."""
    times = {} if record.total is None else {"whole run": record.total}
    times |= {each.name: each for each in record.workloads}
    return AuditSection(record, times, list(_plots(record.series, marks)))


def _plots(series: Sequence[AuditedSeries], marks: Marks) -> Iterator[Plot]:
    by_unit: defaultdict[str, list[AuditedSeries]] = defaultdict(list)
    for each in series:
        if any(at_s >= 0 for at_s, _ in each.points):
            by_unit[each.unit].append(each)
    for number, (unit, members) in enumerate(list(by_unit.items())[:_MOST_PLOTS], start=1):
        yield _plot(f"audit-{number}", unit or "without a unit", members, marks)


def _plot(key: str, unit: str, members: Sequence[AuditedSeries], marks: Marks) -> Plot:
    values = {each.name: dict(each.points) for each in members}
    every_s = sorted({at_s for points in values.values() for at_s in points if at_s >= 0})
    at_s = every_s[:: -(-len(every_s) // _MOST_PLACES)]
    found = [Series(name, [points.get(at) for at in at_s]) for name, points in values.items()]
    shown = sorted(found, key=lambda each: -highest([each]))[:MOST_SERIES]
    left_out = len(found) - len(shown)
    return Plot(
        key=key,
        title=f"Prometheus: {unit}",
        note="As Prometheus scraped it."
        + (f" The {left_out} lowest series are in audit.json." if left_out else ""),
        x=from_zero(SINCE_START, max(at_s)),
        y=from_zero(unit, highest(shown), to_tick=True),
        at=at_s,
        series=tuple(each for each in found if each in shown),
        marks=marks,
    )

"""The objects that took longest to be ready, and where their time went."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config.sections.metrics import MILESTONES
from perfscale.results.measure.latencies import ready_s
from perfscale.results.pages.plots import BAR_WIDTH, Bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.model.records import ObjectRecord
    from perfscale.results.pages.figures import Palette

REQUEST: Final = "create request"
"""From when it was sent to its answer, or to the first phase if that was seen earlier."""
ANSWERED: Final = "created"


class Stay(NamedTuple):
    """Time in one phase, in seconds since the create request was sent."""

    phase: str
    since_s: float
    until_s: float


class Slow(NamedTuple):
    """One of the slowest objects: seconds from its create request until ready, and its way there.

    The stays follow each other without a gap.
    """

    record: ObjectRecord
    ready_after_s: float
    stays: tuple[Stay, ...]


def slow(record: ObjectRecord) -> Slow:
    """The way of an object that became ready."""
    ready_after_s = (ready_s(record) or 0.0) - (record.sent_s or 0.0)
    return Slow(record, ready_after_s, _stays(record, ready_after_s))


class Way(NamedTuple):
    """The way of a slow object as it is shown: a bar, and what it is of in words."""

    name: str
    ready_after_s: float
    bars: tuple[Bar, ...]
    said: str


@dataclass(frozen=True, slots=True)
class SlowestSection:
    """The slowest objects, and the colour of every phase they were in, in the phases' order."""

    ways: list[Way]
    colours: dict[str, int]


def slowest_section(records: Iterable[ObjectRecord], palette: Palette) -> SlowestSection:
    """The section of these objects, the slowest first."""
    found = [slow(record) for record in records]
    seen = {stay.phase: palette.of(stay.phase) for each in found for stay in each.stays}
    request = {REQUEST: seen.pop(REQUEST)} if REQUEST in seen else {}
    # The palette has given its numbers in the order of the path to readiness.
    colours = request | dict(sorted(seen.items(), key=itemgetter(1)))
    longest_s = (found[0].ready_after_s if found else 0.0) or 1.0
    return SlowestSection([_way(each, longest_s, colours) for each in found], colours)


def _way(slow: Slow, longest_s: float, colours: Mapping[str, int]) -> Way:
    record, scale = slow.record, BAR_WIDTH / longest_s
    place = f"{record.namespace}/{record.name}" if record.namespace else record.name
    return Way(
        name=f"{record.kind} {place}",
        ready_after_s=slow.ready_after_s,
        bars=tuple(
            Bar(colours[each.phase], round(each.since_s * scale), round(each.until_s * scale))
            for each in slow.stays
        ),
        said=", ".join(f"{each.phase} {each.until_s - each.since_s:.3f}" for each in slow.stays),
    )


def _stays(record: ObjectRecord, ready_after_s: float) -> tuple[Stay, ...]:
    sent_s = record.sent_s or 0.0
    reached = sorted(
        (at_s - sent_s, phase) for phase, at_s in record.phases_s.items() if phase not in MILESTONES
    )
    if record.created_s is not None and (not reached or record.created_s - sent_s < reached[0][0]):
        reached.insert(0, (record.created_s - sent_s, ANSWERED))
    points = [(0.0, REQUEST), *((at_s, phase) for at_s, phase in reached if at_s < ready_after_s)]
    ends = [*points, (ready_after_s, "")]
    return tuple(
        Stay(phase, since_s, until_s)
        for (since_s, phase), (until_s, _) in pairwise(ends)
        if until_s > since_s
    )

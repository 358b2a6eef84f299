"""What is marked behind every plot over time: outages, and times in which nothing was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from perfscale.results.measure.blindness import merge
from perfscale.results.model.interruptions import BlindSpan, OutageRecord
from perfscale.results.verdicts.interruptions import interruptions

if TYPE_CHECKING:
    from perfscale.results.model.document import Summary


@dataclass(frozen=True, slots=True)
class Band:
    """Spans of time that have something in common.

    Attributes:
        name: What was then.
        style: Its class in the style sheet.
        spans: When each began and ended, in seconds since the run's start.
    """

    name: str
    style: str
    spans: tuple[tuple[float, float], ...]


def bands_of(summary: Summary) -> tuple[Band, ...]:
    """What to mark of a run; nothing where there was nothing."""
    outages = merge((each.began_seconds, each.ended_seconds) for each in summary.outages)
    blind = merge((each.began_seconds, each.ended_seconds) for each in summary.blind_spans)
    found = (
        Band("nothing was seen, or not everything", "blind", tuple(blind)),
        Band("the API server, or what it calls, was gone", "outage", tuple(outages)),
    )
    return tuple(band for band in found if band.spans)


def interruptions_of(summary: Summary) -> list[str]:
    """The same in words."""
    # The summary has the fields of the two in their order.
    return interruptions(
        [OutageRecord(*msgspec.structs.astuple(each)) for each in summary.outages],
        [BlindSpan(*msgspec.structs.astuple(each)) for each in summary.blind_spans],
    )

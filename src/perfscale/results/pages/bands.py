"""What is marked behind every plot over time: outages, and times in which nothing was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    outages = [(each.began_s, each.ended_s) for each in _outages(summary)]
    blind = [(each.began_s, each.until_s) for each in _blind_spans(summary)]
    found = (
        Band("nothing was seen, or not everything", "blind", tuple(merge(blind))),
        Band("the API server, or what it calls, was gone", "outage", tuple(merge(outages))),
    )
    return tuple(band for band in found if band.spans)


def interruptions_of(summary: Summary) -> list[str]:
    """The same in words."""
    return interruptions(_outages(summary), _blind_spans(summary))


def _outages(summary: Summary) -> list[OutageRecord]:
    return [
        OutageRecord(
            each.began_seconds, each.ended_seconds, each.what, each.name, each.retries, each.creates
        )
        for each in summary.outages
    ]


def _blind_spans(summary: Summary) -> list[BlindSpan]:
    return [
        BlindSpan(each.cause, each.kind, each.namespace, each.began_seconds, each.ended_seconds)
        for each in summary.blind_spans
    ]

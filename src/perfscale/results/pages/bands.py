"""What is marked behind every plot over time: outages, and times in which nothing was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perfscale.results.measure.blindness import merge
from perfscale.results.model.interruptions import BlindSpan, Cause, OutageRecord
from perfscale.results.verdicts.interruptions import interruptions

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def bands_of(summary: Mapping[str, Any]) -> tuple[Band, ...]:
    """What to mark of a run; nothing where there was nothing."""
    outages = [(each.began_s, each.ended_s) for each in _outages(summary)]
    blind = [(each.began_s, each.until_s) for each in _blind_spans(summary)]
    found = (
        Band("nothing was seen, or not everything", "blind", tuple(merge(blind))),
        Band("the API server, or what it calls, was gone", "outage", tuple(merge(outages))),
    )
    return tuple(band for band in found if band.spans)


def told_of(summary: Mapping[str, Any]) -> list[str]:
    """The same in words."""
    return interruptions(_outages(summary), _blind_spans(summary))


def _outages(summary: Mapping[str, Any]) -> list[OutageRecord]:
    return [
        OutageRecord(
            each["beganSeconds"],
            each["endedSeconds"],
            each["what"],
            each["name"],
            each["retries"],
            each["creates"],
        )
        for each in summary.get("outages", ())
    ]


def _blind_spans(summary: Mapping[str, Any]) -> list[BlindSpan]:
    return [
        BlindSpan(
            Cause(each["cause"]),
            each["kind"],
            each["namespace"],
            each["beganSeconds"],
            each["endedSeconds"],
        )
        for each in summary.get("blindSpans", ())
    ]

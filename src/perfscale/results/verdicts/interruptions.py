"""Outages and blind spans in words: when, for how long, and what that held up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.config import counted, format_duration
from perfscale.results.measure.blindness import merge
from perfscale.results.model.interruptions import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.results.model.interruptions import BlindSpan, OutageRecord

_WORTH_A_LINE_S: Final = 0.1
"""A watch that was opened again sooner has only been counted."""
_MOST_KINDS: Final = 4


def interruptions(outages: Iterable[OutageRecord], blind: Sequence[BlindSpan]) -> list[str]:
    """A sentence for each, in the order in which they began."""
    found = [(each.began_s, _of_outage(each, blind)) for each in outages]
    found += _of_watches(each for each in blind if each.cause is Cause.WATCH)
    found += [
        (each.began_s, f"the generator itself stood still {_when(each.began_s, each.until_s)}")
        for each in blind
        if each.cause is Cause.GENERATOR
    ]
    return [text for _, text in sorted(found)]


def _of_outage(outage: OutageRecord, blind: Iterable[BlindSpan]) -> str:
    what = "the API server" if outage.what == "server" else f"the {outage.what} {outage.name}"
    down = sum(
        span.cause is Cause.WATCH
        and span.began_s <= outage.ended_s
        and span.until_s >= outage.began_s
        for span in blind
    )
    held_up = [
        _counted(outage.retries, "request", "sent again"),
        _counted(outage.creates, "create", "waiting at most"),
        _counted(down, "watch", "down"),
    ]
    effects = ", ".join(each for each in held_up if each)
    when = _when(outage.began_s, outage.ended_s)
    return f"{what} was gone {when}" + (f": {effects}" if effects else "")


def _of_watches(spans: Iterable[BlindSpan]) -> Iterator[tuple[float, str]]:
    """Of watches that were blind at the same time, one sentence."""
    every = [span for span in spans if span.until_s - span.began_s >= _WORTH_A_LINE_S]
    for began_s, ended_s in merge((span.began_s, span.until_s) for span in every):
        kinds = sorted({span.kind or "" for span in every if began_s <= span.began_s <= ended_s})
        named = ", ".join(kinds[:_MOST_KINDS])
        if len(kinds) > _MOST_KINDS:
            named += f" and {len(kinds) - _MOST_KINDS} more kinds"
        yield began_s, f"nothing was seen of {named} {_when(began_s, ended_s)}"


def _when(began_s: float, ended_s: float) -> str:
    lasted = format_duration(round(ended_s - began_s, 1 if ended_s - began_s >= 1 else 3))
    return f"from {began_s:.1f} s to {ended_s:.1f} s after the start ({lasted})"


def _counted(count: int, noun: str, what: str) -> str:
    return f"{counted(count, noun)} {what}" if count else ""

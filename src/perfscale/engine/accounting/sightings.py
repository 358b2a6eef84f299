"""Keeps what a run could not see, and when its server was gone, and appends them to the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.results import BlindEntry, BlindSpans, OutageEntry, OutageRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perfscale.engine.accounting.journal_feed import JournalFeed
    from perfscale.engine.stopwatch import Stopwatch
    from perfscale.kube.resources import Place
    from perfscale.kube.retrying.outages import OutageSpan
    from perfscale.results import BlindSpan

_LONGEST_CATCHING_UP_S: Final = 1.0


class Sightings:
    """The blind spans and outages of a run.

    Args:
        stopwatch: The run's clock.
        journal: Where they are written down.
        warn: Says something that a person should know.

    Attributes:
        blind: Times in which nothing was seen.
    """

    def __init__(
        self, stopwatch: Stopwatch, journal: JournalFeed, warn: Callable[[str], None]
    ) -> None:
        self.warn = warn
        self.blind = BlindSpans()
        self._stopwatch = stopwatch
        self._journal = journal
        self._outages: dict[tuple[float, str, str], OutageRecord] = {}
        self._retries_before: dict[tuple[float, str, str], int] = {}
        self._retries = 0

    @property
    def outages(self) -> tuple[OutageRecord, ...]:
        """When the API server was gone, or what it calls, in the order in which that began."""
        return tuple(sorted(self._outages.values()))

    def of(self, place: Place) -> PlaceSight:
        """What one watch sees."""
        return PlaceSight(self, place)

    def lost(self, place: Place, at_s: float) -> None:
        """A watch sees nothing any more."""
        since_s = self._stopwatch.since_start(at_s)
        self._note(*self.blind.lose(place.resource.kind_name, place.namespace, since_s))

    def regained(self, place: Place, until_s: float) -> None:
        """It has caught up by then."""
        at_s = self._stopwatch.since_start(until_s)
        regained = self.blind.regain(place.resource.kind_name, place.namespace, at_s)
        if regained is not None:
            self._note(*regained)

    def stalled(self, since_s: float, late_s: float) -> None:
        """The event loop should have gone on ``late_s`` ago, and last did at ``since_s``.

        All that has come meanwhile is worked on now.
        """
        now_s = self._stopwatch.clock()
        ended_s = now_s + min(late_s, _LONGEST_CATCHING_UP_S)
        since_start = self._stopwatch.since_start
        self._note(*self.blind.stall(since_start(since_s), since_start(ended_s)))

    def record_outages(self, spans: Iterable[OutageSpan], retries: int, in_flight: int) -> None:
        """Record how outages have gone on; called a few times a second.

        Args:
            spans: Of the client.
            retries: Requests that were sent again, until now.
            in_flight: Creates without an answer.
        """
        for span in spans:
            began_s, ended_s = map(self._stopwatch.since_start, (span.began_s, span.ended_s))
            key = (began_s, span.what, span.name)
            known = self._outages.get(key)
            if known is not None and known.ended_s == ended_s:
                continue
            before = self._retries_before.setdefault(key, self._retries)
            most = max(in_flight, 0 if known is None else known.creates)
            outage = OutageRecord(
                began_s, ended_s, span.what, span.name, retries=retries - before, creates=most
            )
            self._outages[key] = outage
            self._journal.append(OutageEntry(outage))
        self._retries = retries

    def _note(self, number: int, span: BlindSpan) -> None:
        self._journal.append(BlindEntry(number, span))


@dataclass(frozen=True, slots=True)
class PlaceSight:
    """What one watch sees (`perfscale.kube.watching.gaps.GapObserver`)."""

    sightings: Sightings
    place: Place

    def lost(self, at_s: float) -> None:
        """No event after this is seen before the watch is open again."""
        self.sightings.lost(self.place, at_s)

    def regained(self, until_s: float) -> None:
        """It is open again; what comes until then may have happened meanwhile."""
        self.sightings.regained(self.place, until_s)

    def warn(self, text: str) -> None:
        """The server does something that it should not, and the watch goes around it."""
        self.sightings.warn(text)

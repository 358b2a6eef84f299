"""Records when a run could not see what happened, and when its server was gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.results import BlindSpans, OutageEntry, OutageRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perfscale.engine.accounting.journal_feed import JournalFeed
    from perfscale.engine.stopwatch import Stopwatch
    from perfscale.kube.resources import Place
    from perfscale.kube.retrying.outages import OutageSpan
    from perfscale.results import BlindSpan

_LONGEST_CATCHING_UP_S: Final = 1.0


class GapLog:
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
        self.stopwatch = stopwatch
        self._journal = journal
        self._outages: dict[tuple[float, str, str], OutageRecord] = {}
        self._retries_before: dict[tuple[float, str, str], int] = {}
        self._retries = 0

    @property
    def outages(self) -> tuple[OutageRecord, ...]:
        """When the API server was gone, or what it calls, in the order in which that began."""
        return tuple(sorted(self._outages.values()))

    def of(self, place: Place) -> WatchGaps:
        """The gaps of one watch."""
        return WatchGaps(self, place)

    def stalled(self, since_s: float, late_s: float) -> None:
        """The event loop should have gone on ``late_s`` ago, and last did at ``since_s``.

        All that has come meanwhile is worked on now.
        """
        now_s = self.stopwatch.clock()
        ended_s = now_s + min(late_s, _LONGEST_CATCHING_UP_S)
        since_start = self.stopwatch.since_start
        self.record(*self.blind.stall(since_start(since_s), since_start(ended_s)))

    def record_outages(self, spans: Iterable[OutageSpan], retries: int, in_flight: int) -> None:
        """Record how outages have gone on; called a few times a second.

        Args:
            spans: Of the client.
            retries: Requests that were sent again, until now.
            in_flight: Creates without an answer.
        """
        for span in spans:
            began_s, ended_s = map(self.stopwatch.since_start, (span.began_s, span.ended_s))
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

    def record(self, number: int, span: BlindSpan) -> None:
        """Append a blind span, as it is now, to the journal."""
        self._journal.append_blind(number, span)


class WatchGaps(NamedTuple):
    """The gaps of one watch (`perfscale.kube.watching.gaps.GapObserver`)."""

    gaps: GapLog
    place: Place

    def lost(self, at_s: float) -> None:
        """No event after this is seen before the watch is open again."""
        gaps, place = self.gaps, self.place
        since_s = gaps.stopwatch.since_start(at_s)
        gaps.record(*gaps.blind.lose(place.resource.kind_name, place.namespace, since_s))

    def regained(self, until_s: float) -> None:
        """It is open again; what comes until then may have happened meanwhile."""
        gaps, place = self.gaps, self.place
        at_s = gaps.stopwatch.since_start(until_s)
        regained = gaps.blind.regain(place.resource.kind_name, place.namespace, at_s)
        if regained is not None:
            gaps.record(*regained)

    def warn(self, text: str) -> None:
        """The server does something that it should not, and the watch goes around it."""
        self.gaps.warn(text)

"""When the server was gone, or could not call what it needs to answer, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.errors import DependencyError
    from perfscale.kube.calls import Call
    from perfscale.kube.stats import RequestStats

_NOTABLE_S: Final = 1.0
_MOST_SPANS: Final = 1000
"""Of more than so many, the first are kept; all of them are counted."""


class OutageSpan(NamedTuple):
    """One outage.

    Attributes:
        began_s: When the first request failed, on the client's clock.
        ended_s: When the next one succeeded; where none has yet, when the last one failed.
        what: What was gone: ``server``, ``webhook``, or ``aggregated server``.
        name: The webhook's name, or the group that the aggregated server serves; empty for
            the API server itself.
    """

    began_s: float
    ended_s: float
    what: str
    name: str


class OutageLog:
    """The outages of one client; those that go on have lasted until now.

    Args:
        stats: Where they are counted.
    """

    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats
        self._spans: list[OutageSpan] = []
        self._open: dict[Outage, OutageSpan] = {}

    @property
    def spans(self) -> list[OutageSpan]:
        """All of them, in the order in which they began."""
        return sorted([*self._spans, *self._open.values()])

    def extend(self, outage: Outage, began_s: float, now_s: float) -> None:
        """An outage goes on."""
        known = self._open.get(outage)
        if known is None:
            self._stats.outages += 1
            known = OutageSpan(began_s, began_s, outage.what, outage.name)
        self._stats.outage_seconds += now_s - known.ended_s
        self._open[outage] = known._replace(ended_s=now_s)

    def end(self, outage: Outage) -> None:
        """It is over."""
        span = self._open.pop(outage, None)
        if span is not None and len(self._spans) < _MOST_SPANS:
            self._spans.append(span)


class Outage:
    """Whether something is gone: the time since the first failure without a success.

    Args:
        clock: Monotonic seconds.
        log: Where those that count are written down. An outage counts if no
            connection could be made, or if nothing succeeded for a second or
            longer: a single lost answer among others that arrive is none.
        what: What may be gone, as `OutageSpan` has it.
        name: The same.

    Attributes:
        reached: Whether it was ever there.
        since_s: When the first failure without a success was; None while it is there.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        log: OutageLog | None = None,
        *,
        what: str = "server",
        name: str = "",
    ) -> None:
        self.what = what
        self.name = name
        self.reached = False
        self._clock = clock
        self._log = log
        self.since_s: float | None = None
        self._counted = False

    def end(self) -> bool:
        """Something succeeded; returns whether nothing had for a second or longer."""
        self.reached = True
        if self.since_s is None:
            return False
        since_s, now_s = self.since_s, self._clock()
        self._count(since_s, now_s, connecting=False)
        self.since_s = None
        if self._log is not None:
            self._log.end(self)
        return now_s - since_s >= _NOTABLE_S

    def lasted_s(self, *, connecting: bool = False) -> float:
        """Something failed: since how many seconds nothing has succeeded.

        ``connecting`` says that there was not even a connection.
        """
        now_s = self._clock()
        if self.since_s is None:
            self.since_s = now_s
            self._counted = False
        self._count(self.since_s, now_s, connecting=connecting)
        return now_s - self.since_s

    def _count(self, since_s: float, now_s: float, *, connecting: bool) -> None:
        self._counted = self._counted or connecting or now_s - since_s >= _NOTABLE_S
        if self._counted and self._log is not None:
            self._log.extend(self, since_s, now_s)


class DependencyOutages:
    """Outages of what the API server calls: one for each webhook and aggregated server.

    Other requests may succeed all the while, so each ends with the first success of a call
    that it has held up.

    Args:
        clock: Monotonic seconds.
        log: Where they are written down.

    Attributes:
        held_up: Calls that have failed, and not succeeded since, with what they failed for.
    """

    def __init__(self, clock: Callable[[], float], log: OutageLog) -> None:
        self._clock = clock
        self._log = log
        self._outages: dict[tuple[str, str], Outage] = {}
        self.held_up: dict[Call, set[Outage]] = {}

    def failed(self, call: Call, error: DependencyError) -> None:
        """The API server could not call what it needs for this."""
        key = (error.dependency, error.called)
        outage = self._outages.get(key)
        if outage is None:
            outage = Outage(self._clock, self._log, what=error.dependency, name=error.called)
            self._outages[key] = outage
        outage.lasted_s()
        self.held_up.setdefault(call, set()).add(outage)

    def worked(self, call: Call) -> bool:
        """It could; returns whether that ends an outage. Not worth a call if nothing is held up."""
        over = [outage.end() for outage in self.held_up.pop(call, ())]
        return any(over)

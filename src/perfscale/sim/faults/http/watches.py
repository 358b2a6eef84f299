"""Faults of watches: which of them happen to a watch that is being opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from perfscale.errors import ApiError
from perfscale.sim.apiserver.watching import Disturbance, Stream
from perfscale.sim.faults.chance import Chance, is_meant
from perfscale.sim.faults.http.streams import (
    ENDLESS_S,
    TRICKLE_S,
    endless_events,
    unfinished_line,
)
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from perfscale.sim.apiserver.watching import WatchRequest
    from perfscale.sim.faults.model import WatchFault
    from perfscale.sim.storage.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Rule:
    fault: WatchFault
    chance: Chance


class WatchFaults:
    """Chooses the disturbances of each watch; several can come together.

    Args:
        faults: The faults.
        seed: The file's seed.
        store: What is watched.
        injected: Where to count what happened, by the name of the fault.
    """

    def __init__(
        self, faults: Sequence[WatchFault], seed: int, store: Store, injected: Counter[str]
    ) -> None:
        self._rules = [
            _Rule(fault, Chance(seed, f"watches[{number}]", fault.share, fault.times))
            for number, fault in enumerate(faults)
        ]
        self._store = store
        self._injected = injected

    def __call__(self, request: WatchRequest) -> Disturbance:
        """What goes wrong with this watch.

        Raises:
            ExpiredError: It is refused with the status 410.
        """
        faults = [rule.fault for rule in self._rules if self._hits(rule, request)]
        for fault in faults:
            if fault.fault != "closed":  # which is counted if it comes to that
                self._injected[fault.fault] += 1
        if any(fault.fault == "expired" and fault.by == "status" for fault in faults):
            raise refusals.expired(f"too old resource version: {request.since}")
        return Disturbance(
            close_after_s=min(_given(fault.after for fault in faults), default=None),
            close_after_events=min(_given(fault.after_events for fault in faults), default=None),
            delay_s=max(_given(fault.delay for fault in faults), default=0.0),
            burst_s=max(
                _given(fault.every for fault in faults if fault.fault == "bursts"), default=0.0
            ),
            instead=next((_stream(fault, request) for fault in faults if _streams(fault)), None),
            expired=any(fault.fault == "expired" for fault in faults),
            on_closed=self._closed,
        )

    def _hits(self, rule: _Rule, request: WatchRequest) -> bool:
        if not is_meant(request.resource, rule.fault.resources):
            return False
        if rule.fault.fault == "expired" and not self._has_missed_something(request):
            return False
        if rule.fault.fault == "endlessInitial" and not request.initial_end:
            return False
        return rule.chance.hits()

    def _has_missed_something(self, request: WatchRequest) -> bool:
        """Whether a watch resumes in earnest: right after a list, no server has forgotten."""
        if request.since is None:
            return False
        try:
            return bool(self._store.changes_since(request.resource, request.since))
        except ApiError:
            return False  # it is refused without our doing

    def _closed(self) -> None:
        self._injected["closed"] += 1


def _streams(fault: WatchFault) -> bool:
    return fault.fault in ("trickle", "endlessInitial")


def _stream(fault: WatchFault, request: WatchRequest) -> Stream:
    if fault.fault == "trickle":
        return Stream(unfinished_line(), fault.every or TRICKLE_S)
    return Stream(endless_events(request), fault.every or ENDLESS_S)


def _given(values: Iterable[T | None]) -> Iterable[T]:
    return (value for value in values if value is not None)

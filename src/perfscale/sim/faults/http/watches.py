"""Faults of watches: which of them happen to a watch that is being opened."""

from __future__ import annotations

from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Final, TypeVar

from perfscale.errors import ApiError
from perfscale.sim.apiserver.watching import Disturbance, Stream
from perfscale.sim.faults.chance import Chance, is_meant
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import encode, watch_line

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.sim.apiserver.watching import WatchRequest
    from perfscale.sim.faults.model import WatchFault
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.store import Store

T = TypeVar("T")

_STREAMED: Final = ("trickle", "endlessInitial")
_TRICKLE_S: Final = 1.0
"""How far bytes are apart by default."""
_ENDLESS_S: Final = 0.01
"""How far events are apart by default."""


class WatchFaults:
    """Chooses the disturbances of each watch; several can come together."""

    def __init__(
        self, faults: Sequence[WatchFault], seed: int, store: Store, injected: Counter[str]
    ) -> None:
        self._rules = [
            (fault, Chance(seed, f"watches[{number}]", fault.share, fault.times))
            for number, fault in enumerate(faults)
        ]
        self._store = store
        self._injected = injected

    def __call__(self, request: WatchRequest) -> Disturbance:
        """What goes wrong with this watch.

        Raises:
            ExpiredError: It is refused with the status 410.
        """
        faults = [
            fault
            for fault, chance in self._rules
            if self._may_hit(fault, request) and chance.hits()
        ]
        for fault in faults:
            if fault.fault != "closed":  # which is counted as it happens
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
            instead=next(
                (_stream(fault, request) for fault in faults if fault.fault in _STREAMED), None
            ),
            expired=any(fault.fault == "expired" for fault in faults),
            on_closed=self._closed,
        )

    def _may_hit(self, fault: WatchFault, request: WatchRequest) -> bool:
        if not is_meant(request.resource, fault.resources):
            return False
        if fault.fault == "expired":
            return self._has_missed_something(request)
        return fault.fault != "endlessInitial" or request.initial_end

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


def _stream(fault: WatchFault, request: WatchRequest) -> Stream:
    if fault.fault == "trickle":
        return Stream(_unfinished_line(), fault.every or _TRICKLE_S)
    return Stream(_endless_events(request), fault.every or _ENDLESS_S)


def _given(values: Iterable[T | None]) -> Iterable[T]:
    return (value for value in values if value is not None)


def _unfinished_line() -> Iterator[bytes]:
    """An event that is never complete."""
    return chain((b'{"type":"BOOKMARK","object":{"kind":"',), repeat(b"x"))


def _endless_events(request: WatchRequest) -> Iterator[bytes]:
    """An initial state that has always one object more."""
    resource = request.resource
    for number in count(1):
        metadata: JSON = {
            "name": f"endless-{number}",
            "uid": f"00000000-0000-4000-9000-{number:012}",
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        if resource.namespaced:
            metadata["namespace"] = request.namespace or "default"
        typed: JSON = {"apiVersion": resource.api_version, "kind": resource.kind}
        yield watch_line("ADDED", encode({**typed, "metadata": metadata}))

"""Finds the gaps in what a watch sees: since when it sees nothing, and when it has caught up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol

from perfscale.errors import UnreachableError
from perfscale.kube.watching.reopening import StreamFailedError

if TYPE_CHECKING:
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource

_log = logging.getLogger(__name__)

_CATCHING_UP_S: Final = 1.0
"""What a watch has missed comes within this time of being resumed, and within the time
for which it was closed: a server sends events faster than they happen."""


class GapObserver(Protocol):
    """Notified of the gaps in what a watch sees, in seconds of its client's clock."""

    def lost(self, at_s: float) -> None:
        """No event after this is seen before the watch is open again."""

    def regained(self, until_s: float) -> None:
        """It is open again; what comes until then may have happened meanwhile."""

    def warn(self, text: str) -> None:
        """The server does something that it should not, and the watch goes around it."""


class GapDetector:
    """Finds the gaps of one watch.

    Args:
        client: Of the watch.
        resource: What it follows.
        observer: Notified of them.

    Attributes:
        last_event_s: When the last whole event came, or the stream was requested.
    """

    def __init__(self, client: Client, resource: Resource, observer: GapObserver | None) -> None:
        self.last_event_s = 0.0
        self._client = client
        self._resource = resource
        self._observer = observer
        self._lost_s: float | None = None
        self._reported = False
        self._suspected: tuple[float, float] | None = None
        self._trickled = False

    def begin(self) -> float:
        """A stream is requested; returns when."""
        self.last_event_s = self._client.timing.clock()
        return self.last_event_s

    @property
    def missing_s(self) -> float:
        """For how long nothing has been seen; 0 while all is."""
        return 0.0 if self._lost_s is None else self._client.timing.clock() - self._lost_s

    def lose(self, failure: StreamFailedError | None) -> None:
        """A stream has ended: a silent one may have been dead since its last event.

        Or there were no events. So it is a loss only if the watch cannot be opened again at
        once, or if events come at once when it is.
        """
        self._suspected = None
        if self._lost_s is not None:
            self._report_loss()
            return
        alive = failure is None or (failure.opened and not failure.silent)
        self._lost_s = self._client.timing.clock() if alive else self.last_event_s
        self._reported = False
        if failure is None or not failure.silent or failure.useless:
            self._report_loss()

    def regain(self, *, caught_up: bool) -> None:
        """The stream is open; unless it has caught up, what was missed comes now."""
        if self._lost_s is None:
            return
        missed_s = 0.0 if caught_up else min(self.missing_s, _CATCHING_UP_S)
        until_s = self._client.timing.clock() + missed_s
        if caught_up or self._reported:
            self._report_loss()
            if self._observer is not None:
                self._observer.regained(until_s)
        else:
            self._suspected = self._lost_s, until_s
        self._lost_s = None

    def received(self, at_s: float, *, whole: bool) -> None:
        """Bytes have come, and with them the end of an event, or not.

        Raises:
            StreamFailedError: No event has come to its end for as long as a watch may be silent.
        """
        if whole:
            self.last_event_s = at_s
            if self._suspected is not None:
                self._confirm(*self._suspected, at_s)
            return
        silent_s = at_s - self.last_event_s
        if silent_s < self._client.settings.watch_idle_timeout_s:
            return
        error = UnreachableError(
            f"{self._client.server} sent bytes for {silent_s:.3g} s that make no whole event"
        )
        if not self._trickled:
            self._trickled = True
            self.warn(f"the watch of {self._resource.name} is opened again: {error}")
        raise StreamFailedError(error, opened=True, silent=True, useless=True)

    def _confirm(self, lost_s: float, until_s: float, at_s: float) -> None:
        """An event has come: only one that comes at once had been missed."""
        self._suspected = None
        if at_s <= until_s and self._observer is not None:
            self._observer.lost(lost_s)
            self._observer.regained(until_s)

    def _report_loss(self) -> None:
        if not self._reported and self._lost_s is not None:
            self._reported = True
            if self._observer is not None:
                self._observer.lost(self._lost_s)

    def warn(self, text: str) -> None:
        """Say that the server does something that it should not."""
        _log.warning("%s", text)
        if self._observer is not None:
            self._observer.warn(text)

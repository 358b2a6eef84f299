"""Decides what comes after a watch's stream has ended: when it is opened again, and how."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from perfscale.errors import (
    ApiError,
    CredentialsError,
    ExpiredError,
    IllegibleError,
    NotServedError,
    ServerError,
    ThrottledError,
    WatchError,
)
from perfscale.kube.retrying.outages import Outage
from perfscale.kube.retrying.recovery import Pause
from perfscale.kube.retrying.retry import NOT_SERVED_S, Backoff

if TYPE_CHECKING:
    from perfscale.errors import PerfscaleError
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource

_log = logging.getLogger(__name__)


class StreamFailedError(Exception):
    """A stream failed.

    It keeps errors of the stream apart from those that a callback of the watch
    raises, and never leaves the watch.

    Attributes:
        error: What went wrong.
        opened: Whether the server had opened it.
        silent: Whether nothing came for too long: it may have been dead all that time.
        useless: Whether it was of no use, however long it lived.
    """

    def __init__(
        self, error: PerfscaleError, *, opened: bool, silent: bool = False, useless: bool = False
    ) -> None:
        super().__init__(str(error))
        self.useless = useless
        self.error = error
        self.opened = opened
        self.silent = silent


class Reopening:
    """Waits before a watch is opened again, within the client's bounds.

    Args:
        client: Whose bounds and timing hold.
        resource: What is watched.
        namespace: Where; None for everywhere.
    """

    def __init__(self, client: Client, resource: Resource, namespace: str | None) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._backoff = Backoff(client.timing.random)
        self._pause = Pause(client.known.recovery, client.timing)
        self._outage = Outage(client.timing.clock)
        self._absence = Outage(client.timing.clock)

    async def wait(self, failure: StreamFailedError | None, *, healthy: bool) -> bool:
        """Wait as long as is due; returns whether the list must be read again.

        A success of any other request ends the wait.

        Args:
            failure: Why the stream ended; None if the server closed it.
            healthy: Whether it was of any use.

        Raises:
            WatchError: It has been of no use for too long, or the server refuses it.
        """
        error = failure.error if failure is not None else None
        if error is not None and is_final(error):
            raise self._final("cannot watch", error) from error
        _log.debug("watch of %s ended: %s", self._resource.name, error or "closed by the server")
        stale = isinstance(error, ExpiredError)
        missing = error is not None and _may_pass(error)
        if not missing:
            self._absence.end()
        if healthy:
            self._backoff.reset()
            self._pause.reset()
            self._outage.end()
            self._absence.end()
        retry_after_s = error.retry_after_s if isinstance(error, ApiError) else None
        if healthy and retry_after_s is None:
            return stale
        gone_s = self._outage.lasted_s()
        left_s = self._client.settings.max_unavailable_s - gone_s
        if missing:
            left_s = min(left_s, NOT_SERVED_S - self._absence.lasted_s())
        if left_s <= 0:
            raise self._final(f"cannot watch, for {gone_s:.0f} s,", error) from error
        delay_s = min(max(retry_after_s or 0.0, self._backoff.next_s()), left_s)
        await self._pause.sleep(delay_s, at_least_s=retry_after_s or 0.0)
        # An error inside the stream that comes before anything else would come
        # again on every attempt to resume there; a list goes around it.
        inside = failure is not None and failure.opened
        return stale or (inside and isinstance(error, (ServerError, IllegibleError)))

    def _final(self, what: str, error: PerfscaleError | None) -> PerfscaleError:
        return error if isinstance(error, CredentialsError) else self.failed(what, error)

    def failed(self, what: str, error: PerfscaleError | None) -> WatchError:
        """The watch cannot go on."""
        scope = f" in namespace {self._namespace}" if self._namespace else ""
        return WatchError(
            f"{what} {self._resource.name}{scope}: {error or 'the server closes it at once'}",
            status=error.status if error else None,
            reason=error.reason if error else None,
            hint=error.hint if error else None,
        )


def is_final(error: PerfscaleError) -> bool:
    """Whether the server would answer the same to another attempt."""
    if isinstance(error, CredentialsError):
        return not error.may_pass
    return isinstance(error, ApiError) and not (
        error.may_pass
        or isinstance(error, (ExpiredError, NotServedError, ServerError, ThrottledError))
    )


def _may_pass(error: PerfscaleError) -> bool:
    """Whether it is how a server answers that has only just started, or somebody in its place."""
    return isinstance(error, NotServedError) or (
        isinstance(error, (ApiError, CredentialsError)) and error.may_pass
    )

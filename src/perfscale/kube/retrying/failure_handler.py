"""Decides what comes after each attempt of a request; the client does the sending."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.errors import (
    CredentialsError,
    DependencyError,
    IllegibleError,
    NotPermittedError,
    ThrottledError,
    UnreachableError,
)
from perfscale.kube.http.failures import Failure, NoAnswerError
from perfscale.kube.retrying.outages import DependencyOutages, Outage, OutageLog
from perfscale.kube.retrying.recovery import Pause
from perfscale.kube.retrying.retry import UNAVAILABLE, Patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.errors import ApiError
    from perfscale.kube.calls import Call
    from perfscale.kube.http.transport import Request
    from perfscale.kube.retrying.known_server import KnownServer
    from perfscale.kube.retrying.outages import OutageSpan
    from perfscale.kube.retrying.retry import Timing
    from perfscale.kube.wire import Wire

_log = logging.getLogger(__name__)

_RENEWALS: Final = 2
"""How often one request has its credentials replaced: a second time for those
that ran out while the request waited to be sent again."""


class Waits(NamedTuple):
    """What bounds a request that was not answered as it should be, and where it waits.

    Without ``patience`` it is not sent again.
    """

    patience: Patience | None
    pause: Pause


class FailureHandler:
    """Counts outages, renews credentials, and waits, or gives up, after each failure of a client.

    Args:
        server: The server's URL.
        bound_s: How long it may be gone.
        timing: The clock.
        wire: What counts, and has the credentials.
        known: What was found out about the server.
    """

    def __init__(
        self, server: str, bound_s: float, timing: Timing, wire: Wire, known: KnownServer
    ) -> None:
        self._server = server
        self._bound_s = bound_s
        self._timing = timing
        self._wire = wire
        self._known = known
        self._recovery = known.recovery
        self._log = OutageLog(wire.stats)
        self._outage = Outage(timing.clock, self._log)
        self._dependencies = DependencyOutages(timing.clock, self._log)
        self._last: Call | None = None
        self._sleepers = known.recovery.sleepers
        self._held_up = self._dependencies.held_up

    @property
    def outages(self) -> Sequence[OutageSpan]:
        """Those so far, in the order of their beginning."""
        return self._log.spans

    def success(self, call: Call) -> None:
        """It succeeded. Called for every create, so it counts calls of its own."""
        if self._outage.since_s is not None and self._outage.end():
            self._recovery.outage_over()
        if call is not self._last:
            self._last = call
            self._known.allow(call)
        if self._sleepers:
            self._recovery.notify()
        if self._held_up and self._dependencies.worked(call):
            self._recovery.outage_over()

    def waits(self, request: Request, *, retry: bool) -> Waits:
        """Those of a request, after the first attempt that failed."""
        # Reads are no load: they are sent again as soon as anything else succeeds.
        pause = Pause(self._recovery, self._timing, eager=request.method == "GET")
        return Waits(Patience(self._timing, self._bound_s) if retry else None, pause)

    async def wait(self, request: Request, trouble: ApiError | NoAnswerError, waits: Waits) -> None:
        """Wait until a request may be sent again; raises where there is no hope."""
        if isinstance(trouble, NoAnswerError) and trouble.failure.illegible:
            trouble = IllegibleError(
                f"{request.what}: {trouble}, which is not what an API server sends",
                status=200,
                reason="Illegible",
                hint="something in front of the API server may have answered",
            )
        retry_after_s = 0.0
        if isinstance(trouble, NoAnswerError):
            delay_s = self.after_no_answer(request, trouble, waits.patience)
        else:
            delay_s = await self.after_refusal(request, trouble, waits.patience)
            retry_after_s = delay_s if trouble.status == 429 else trouble.retry_after_s or 0.0
        throttled = isinstance(trouble, ThrottledError)
        if request.observer is not None:
            request.observer.retried(request.call, delay_s if throttled else 0.0)
        await waits.pause.sleep(delay_s, at_least_s=retry_after_s)

    def after_no_answer(
        self, request: Request, error: NoAnswerError, patience: Patience | None
    ) -> float:
        """How long to wait before sending it again; raises where there is no hope.

        Until the server has answered for the first time, a connection that
        cannot be made is a mistake in the configuration, and said at once.
        """
        failure = error.failure
        self._wire.failed(request, failure)
        outage_s = 0.0
        if not failure.local:  # what this machine lacks is no outage of the server
            self._known.suspect_restart()
            outage_s = self._outage.lasted_s(connecting=failure.connecting)
        reached = self._outage.reached or self._known.has_worked
        hopeless = not reached and (failure.connecting or failure.timeout)
        if patience is None or hopeless:
            raise self._unreachable(failure, request) from error
        delay_s = patience.after_silence(outage_s)
        if delay_s is None:
            raise self._unreachable(failure, request, gone=True) from error
        return delay_s

    async def after_refusal(
        self, request: Request, refusal: ApiError, patience: Patience | None
    ) -> float:
        """The same after an answer that is no success; renews the credentials after a 401."""
        refusal.attempts = request.attempts
        refusal.sent_s = request.sent_s
        refusal.answered_s = self._timing.clock()
        outage_s = self._judge(request, refusal)
        if refusal.status == 401 and await self._replace_credentials(request, refusal):
            return 0.0
        delay_s = None
        if patience is not None:
            creating = request.method == "POST"
            delay_s = patience.after_answer(refusal, outage_s, creating=creating)
        if delay_s is not None:
            return delay_s
        if refusal.status == 401:
            rejected = CredentialsError(
                f"{self._server} refused the credentials: {refusal}",
                status=refusal.status,
                reason=refusal.reason,
                hint="log in to the cluster again, or check the user of the kubeconfig's context",
            )
            rejected.may_pass = refusal.may_pass
            raise rejected from refusal
        if patience is not None and patience.is_over(outage_s):
            raise self._unreachable(Failure(str(refusal)), request, gone=True) from refusal
        raise refusal

    def _judge(self, request: Request, refusal: ApiError) -> float:
        """For how long the server has been gone, if that is what it says."""
        if isinstance(refusal, DependencyError):
            self._dependencies.failed(request.call, refusal)
        elif refusal.status in UNAVAILABLE:
            self._known.suspect_restart()
            return self._outage.lasted_s()
        elif isinstance(refusal, IllegibleError):
            self._wire.stats.illegible += 1
            refusal.may_pass = self._known.has_worked
        elif refusal.status == 401:
            refusal.may_pass = self._known.has_worked
        elif isinstance(refusal, NotPermittedError):
            refusal.may_pass = self._known.doubts_refusal(request.call)
        elif (refusal.status or 0) < 500 and self._dependencies.held_up:
            self._dependencies.worked(request.call)
        if refusal.may_pass or isinstance(refusal, IllegibleError):
            self._outage.lasted_s()
        elif self._outage.end():
            self._recovery.outage_over()
        return 0.0

    async def _replace_credentials(self, request: Request, refusal: ApiError) -> bool:
        """Whether another attempt carries other credentials.

        Raises:
            CredentialsError: There are none to be had, and those in hand never worked.
        """
        request.renewals += 1
        if request.renewals > _RENEWALS:
            return False
        self._wire.stats.credential_renewals += 1
        try:
            return await self._wire.credentials.replace(request.authorization)
        except CredentialsError as error:
            if not refusal.may_pass:
                raise
            _log.warning("credentials could not be renewed: %s", error)
            return False

    def broken(self, error: NoAnswerError) -> UnreachableError:
        """Count and explain a stream that broke off."""
        self._known.suspect_restart()
        stats = self._wire.stats
        if error.failure.timeout:
            stats.silent_streams += 1
        else:
            stats.broken_streams += 1
        return self._unreachable(error.failure)

    def _unreachable(
        self, failure: Failure, request: Request | None = None, *, gone: bool = False
    ) -> UnreachableError:
        text = f"no answer from {self._server} for {self._bound_s:g} s" if gone else self._server
        error = UnreachableError(f"{text}: {failure.text}", hint=failure.hint)
        if request is not None:
            error.attempts = request.attempts
            error.sent_s = request.sent_s if request.attempts else None
        return error

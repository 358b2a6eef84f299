"""Queries of a Prometheus over HTTP."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from perfscale.audit.answers import Envelope, Sampled, decode, series_of
from perfscale.audit.endpoint import VARIABLES
from perfscale.config.reading.source import clip
from perfscale.errors import PrometheusError, QueryError
from perfscale.servers.transport import failure_of, open_session, read_bounded, retry_after_s

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime
    from typing import Self

    from perfscale.servers import Endpoint

logger = logging.getLogger(__name__)

CONCURRENCY: Final = 20
"""Queries at a time: as many as Prometheus works on at a time by default."""
_ATTEMPTS: Final = 3
_BACKOFF_S: Final = 0.5
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_MOST_BYTES: Final = 64 * 2**20
_MESSAGE: Final = 300
"""The most characters of an error of Prometheus that are shown."""


class _RetryableError(Exception):
    """What another attempt may mend.

    Attributes:
        failure: What it comes to, if none does.
        pause_s: How long to wait before the next attempt.
    """

    def __init__(self, failure: PrometheusError | QueryError, pause_s: float = 0.0) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.pause_s = pause_s


class Prometheus:
    """A connection to a Prometheus.

    Resource handling: an async context manager; leaving it closes its connections.

    Args:
        endpoint: Where it is.
        pause: Waits for a number of seconds between two attempts.

    Raises:
        PrometheusError: From each query: it cannot be reached, refuses the credentials, or is
            no Prometheus.
        QueryError: From each query: it cannot answer this one.
    """

    def __init__(
        self, endpoint: Endpoint, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.endpoint = endpoint
        self._pause = pause
        self._turns = asyncio.Semaphore(CONCURRENCY)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Prepare the connections; none is made yet."""
        self._session = open_session(self.endpoint, connections=CONCURRENCY)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def at(self, query: str, moment: datetime) -> list[Sampled]:
        """The series that a query gives at a moment, each with one point."""
        return await self._series("query", {"query": query, "time": _unix(moment)})

    async def over(
        self, query: str, start: datetime, end: datetime, step_s: float
    ) -> list[Sampled]:
        """The series that a query gives over a time."""
        parameters = {
            "query": query,
            "start": _unix(start),
            "end": _unix(end),
            "step": f"{step_s:g}",
        }
        return await self._series("query_range", parameters)

    async def _series(self, path: str, parameters: Mapping[str, str]) -> list[Sampled]:
        async with self._turns:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return series_of(await self._get(path, parameters))
                except _RetryableError as error:
                    if attempt == _ATTEMPTS:
                        raise error.failure from error.__cause__
                    logger.info("retrying: %s", error.failure)
                    # Not all of them again at the same moment.
                    backoff_s = _BACKOFF_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
                    await self._pause(max(error.pause_s, backoff_s))
        raise AssertionError("the last attempt returns or raises")

    async def _get(self, path: str, parameters: Mapping[str, str]) -> Any:  # noqa: ANN401 -- JSON
        if self._session is None:
            raise RuntimeError("enter the context of Prometheus first")
        url = f"{self.endpoint.url}/api/v1/{path}"
        try:
            # A redirect leads to a page to sign in at, and would take the credentials along.
            async with self._session.get(url, params=parameters, allow_redirects=False) as answer:
                return self._data(answer, await read_bounded(answer, _MOST_BYTES))
        except (aiohttp.ClientError, OSError) as error:
            failure = failure_of(self.endpoint, error)
            refusal = PrometheusError(failure.message, status=failure.status, hint=failure.hint)
            raise (_RetryableError(refusal) if failure.may_pass else refusal) from failure.cause

    def _data(self, answer: aiohttp.ClientResponse, body: bytes) -> Any:  # noqa: ANN401 -- JSON
        url, status = self.endpoint.url, answer.status
        if len(body) > _MOST_BYTES:
            raise QueryError(f"the answer is larger than {_MOST_BYTES // 2**20} MiB")
        if status in (401, 403):
            raise self._refused(status)
        if 300 <= status < 400:
            raise PrometheusError(
                f"{url} sends us elsewhere ({status})",
                status=status,
                hint="is the URL that of Prometheus itself, and does it want credentials?",
            )
        try:
            envelope = decode(body)
        except ValueError:
            failure = PrometheusError(
                f"{url} does not answer as a Prometheus does (status {status})",
                status=status,
                hint="the URL is what stands before /api/v1/query",
            )
            if status in _AGAIN:
                raise _RetryableError(failure, retry_after_s(answer)) from None
            raise failure from None
        if status == 200 and envelope.status == "success":
            return envelope.data
        if status in _AGAIN:
            raise _RetryableError(_refusal(envelope, status), retry_after_s(answer))
        raise _refusal(envelope, status)

    def _refused(self, status: int) -> PrometheusError:
        signed_in = self.endpoint.credentials.header() is not None
        what = "refuses the credentials" if signed_in else "wants credentials"
        return PrometheusError(
            f"{self.endpoint.url} {what} (status {status})",
            status=status,
            hint=VARIABLES.hint,
        )


def _refusal(envelope: Envelope, status: int) -> QueryError:
    reason = clip(envelope.error or "no reason given", _MESSAGE)
    return QueryError(f"{reason} ({clip(envelope.errorType) or status})", status=status)


def _unix(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"

"""Queries of a Prometheus over HTTP."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import ssl
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from perfscale.audit.answers import Envelope, Sampled, decode, series_of
from perfscale.audit.endpoint import PASSWORD_VARIABLE, TOKEN_VARIABLE, USERNAME_VARIABLE
from perfscale.config.reading.source import clip
from perfscale.errors import ConfigError, Problem, PrometheusError, QueryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime
    from typing import Self

    from perfscale.audit.endpoint import Endpoint

logger = logging.getLogger(__name__)

CONCURRENCY: Final = 20
"""Queries at a time: as many as Prometheus works on at a time by default."""
_ATTEMPTS: Final = 3
_BACKOFF_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 10.0
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_MOST_BYTES: Final = 64 * 2**20
_PROXY_HINT: Final = "the proxy is HTTPS_PROXY or HTTP_PROXY; NO_PROXY names what needs none"
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
        header = self.endpoint.credentials.header()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=_tls(self.endpoint), limit=CONCURRENCY),
            timeout=aiohttp.ClientTimeout(total=self.endpoint.timeout_s),
            headers={} if header is None else {"Authorization": header},
            proxy=self.endpoint.proxy,
        )
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
                body = await answer.content.read(_MOST_BYTES + 1)
                while not answer.content.at_eof() and len(body) <= _MOST_BYTES:
                    body += await answer.content.read(_MOST_BYTES + 1 - len(body))
                return self._data(answer, body)
        except aiohttp.ClientHttpProxyError as error:
            # Its own text may have the proxy's URL, and so a password.
            what = f"the proxy refuses to lead to {self.endpoint.url} (status {error.status})"
            raise PrometheusError(what, status=error.status, hint=_PROXY_HINT) from None
        except aiohttp.ClientProxyConnectionError as error:
            what = f"the proxy for {self.endpoint.url} cannot be reached: {_reason(error)}"
            raise _RetryableError(PrometheusError(what, hint=_PROXY_HINT)) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise self._untrusted(error) from error
        except TimeoutError as error:
            what = f"no answer from {self.endpoint.url} within {self.endpoint.timeout_s:g} s"
            raise _RetryableError(PrometheusError(what)) from error
        except (aiohttp.ClientError, OSError) as error:
            reason = clip(_reason(error), _MESSAGE)
            failure = PrometheusError(
                f"{self.endpoint.url} cannot be reached: {reason}",
                hint="is it running, and is the URL right?",
            )
            raise _RetryableError(failure) from error

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
                raise _RetryableError(failure, _retry_after(answer)) from None
            raise failure from None
        if status == 200 and envelope.status == "success":
            return envelope.data
        if status in _AGAIN:
            raise _RetryableError(_refusal(envelope, status), _retry_after(answer))
        raise _refusal(envelope, status)

    def _refused(self, status: int) -> PrometheusError:
        signed_in = self.endpoint.credentials.header() is not None
        what = "refuses the credentials" if signed_in else "wants credentials"
        return PrometheusError(
            f"{self.endpoint.url} {what} (status {status})",
            status=status,
            hint=f"put a token into {TOKEN_VARIABLE}, or a name and a password into "
            f"{USERNAME_VARIABLE} and {PASSWORD_VARIABLE}",
        )

    def _untrusted(self, error: aiohttp.ClientConnectorCertificateError) -> PrometheusError:
        cause = error.certificate_error
        reason = clip(getattr(cause, "verify_message", "") or str(cause), _MESSAGE)
        return PrometheusError(
            f"the certificate of {self.endpoint.url} is not trusted: {reason}",
            hint="name the authority that signed it with --ca-file",
        )


def _refusal(envelope: Envelope, status: int) -> QueryError:
    reason = clip(envelope.error or "no reason given", _MESSAGE)
    return QueryError(f"{reason} ({clip(envelope.errorType) or status})", status=status)


def _reason(error: Exception) -> str:
    """The error of the operating system, where there is one, instead of aiohttp's."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno:
        # Those of looking up a name are negative, and have a text of their own.
        known = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror
        return (known or str(cause)).lower()
    return str(error) or type(error).__name__


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE_S) if text.isdecimal() else 0.0


def _unix(moment: datetime) -> str:
    return f"{moment.timestamp():.3f}"


def _tls(endpoint: Endpoint) -> ssl.SSLContext | bool:
    if not endpoint.verify_tls:
        return False
    if endpoint.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(endpoint.ca_file))
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or str(error)
        message = f"the certificates cannot be read: {reason}"
        raise ConfigError([Problem(message, str(endpoint.ca_file))]) from error

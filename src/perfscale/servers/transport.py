"""HTTP to a server, as far as all of them have it in common: sessions, and why none answers."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp

from perfscale.config.reading.source import clip
from perfscale.errors import ConfigError, Problem

if TYPE_CHECKING:
    from perfscale.servers.endpoint import Endpoint

_LONGEST_PAUSE_S: Final = 10.0
_MESSAGE: Final = 300
"""The most characters of an error that are shown."""
_PROXY_HINT: Final = "the proxy is HTTPS_PROXY or HTTP_PROXY; NO_PROXY names what needs none"


def open_session(endpoint: Endpoint, *, connections: int) -> aiohttp.ClientSession:
    """A session that signs in; no connection is made yet.

    Raises:
        ConfigError: The certificates to check the server's by cannot be read.
    """
    header = endpoint.credentials.header()
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=_tls(endpoint), limit=connections),
        timeout=aiohttp.ClientTimeout(total=endpoint.timeout_s),
        headers={} if header is None else {"Authorization": header},
        proxy=endpoint.proxy,
    )


async def read_bounded(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """The body of an answer; one byte more than ``most`` if it is larger."""
    body = await answer.content.read(most + 1)
    while not answer.content.at_eof() and len(body) <= most:
        body += await answer.content.read(most + 1 - len(body))
    return body


@dataclass(frozen=True)
class Failure:
    """Why a server did not answer.

    Attributes:
        hint: The way out.
        may_pass: Whether another attempt may be answered.
        cause: The error behind it; None where its own text may hold the password of a proxy.
        status: Of the proxy's answer, where it is the proxy that refuses.
    """

    message: str
    hint: str | None
    may_pass: bool
    cause: Exception | None = None
    status: int | None = None


def failure_of(endpoint: Endpoint, error: Exception, *, authorities: str = "--ca-file") -> Failure:
    """What an error of aiohttp, or of the operating system, comes to; it shows no credentials.

    ``authorities`` is where a person names those that may have signed the certificate.
    """
    url = endpoint.url
    match error:
        case aiohttp.ClientHttpProxyError():
            message = f"the proxy refuses to lead to {url} (status {error.status})"
            return Failure(message, _PROXY_HINT, may_pass=False, status=error.status)
        case aiohttp.ClientProxyConnectionError():
            message = f"the proxy for {url} cannot be reached: {_reason(error)}"
            return Failure(message, _PROXY_HINT, may_pass=True)
        case aiohttp.ClientConnectorCertificateError():
            cause = error.certificate_error
            reason = clip(getattr(cause, "verify_message", "") or str(cause), _MESSAGE)
            message = f"the certificate of {url} is not trusted: {reason}"
            hint = f"name the authority that signed it with {authorities}"
            return Failure(message, hint, may_pass=False, cause=error)
        case TimeoutError():
            message = f"no answer from {url} within {endpoint.timeout_s:g} s"
            return Failure(message, None, may_pass=True, cause=error)
        case _:
            message = f"{url} cannot be reached: {clip(_reason(error), _MESSAGE)}"
            hint = "is it running, and is the URL right?"
            return Failure(message, hint, may_pass=True, cause=error)


def retry_after_s(answer: aiohttp.ClientResponse) -> float:
    """How many seconds a server wants to be left alone, within a bound; 0 if it does not say."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE_S) if text.isdecimal() else 0.0


def _reason(error: Exception) -> str:
    """The error of the operating system, where there is one, instead of aiohttp's."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno:
        # Those of looking up a name are negative, and have a text of their own.
        known = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror
        return (known or str(cause)).lower()
    return str(error) or type(error).__name__


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

"""Explains a connection that failed, in the words of somebody who can mend it."""

from __future__ import annotations

from typing import Final, NamedTuple

import aiohttp


class Failure(NamedTuple):
    """Why there was no answer.

    Attributes:
        text: What happened.
        hint: The way out, where one can be named.
        connecting: There was no connection: nothing can have reached the server.
        timeout: The time for it ran out.
    """

    text: str
    hint: str | None = None
    connecting: bool = False
    timeout: bool = False


_BY_TYPE: Final[tuple[tuple[type[BaseException], Failure], ...]] = (
    (
        aiohttp.ConnectionTimeoutError,
        Failure("no connection in time", connecting=True, timeout=True),
    ),
    (
        aiohttp.ServerDisconnectedError,
        Failure("the server closed the connection without an answer"),
    ),
    (aiohttp.ClientPayloadError, Failure("the connection broke in the middle of the answer")),
)


def explain(error: BaseException, *, timeout_s: float | None) -> Failure:
    """What an aiohttp or operating system error means.

    Nothing of the request is repeated, so that no secret gets into a message.
    """
    for kind, failure in _BY_TYPE:
        if isinstance(error, kind):
            return failure
    if isinstance(error, TimeoutError):
        limit = "in time" if timeout_s is None else f"within {timeout_s:g} s"
        return Failure(f"no answer {limit}", timeout=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _explain_connecting(error)
    if isinstance(error, aiohttp.ClientResponseError):
        return _explain_garbled(error)
    return Failure(_of_system(error) if isinstance(error, OSError) else type(error).__name__)


def _explain_garbled(error: aiohttp.ClientResponseError) -> Failure:
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Failure(
            f"the proxy refused the connection with status {error.status}",
            "check proxy-url in the kubeconfig and HTTPS_PROXY in the environment",
            connecting=True,
        )
    return Failure(
        "the answer is not HTTP", "check whether the server's URL should begin with https://"
    )


def _explain_connecting(error: aiohttp.ClientConnectorError) -> Failure:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", None) or "not trusted"
        return Failure(
            f"the server's certificate could not be verified: {reason}",
            "check certificate-authority and tls-server-name in the kubeconfig",
            connecting=True,
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        reason = getattr(error.os_error, "reason", None) or "no common protocol"
        return Failure(
            f"the TLS handshake failed: {reason}",
            "check whether the server speaks TLS, and which client certificates it accepts",
            connecting=True,
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Failure(
            f"the host name {error.host} cannot be resolved",
            "check the server's URL in the kubeconfig",
            connecting=True,
        )
    who = "the proxy: " if isinstance(error, aiohttp.ClientProxyConnectionError) else ""
    return Failure(f"{who}{_of_system(error.os_error)}", connecting=True)


def _of_system(error: OSError) -> str:
    """``connection refused``; several addresses tried at once have no one word for it."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError):
        return "connection reset"
    return (error.strerror or type(error).__name__).lower()

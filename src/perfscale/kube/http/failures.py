"""Explains a connection that failed, so that a user can repair it.

Nothing of the request is repeated, so that no secret gets into a message.
"""

from __future__ import annotations

import errno
import ssl
from typing import Final, NamedTuple


class Failure(NamedTuple):
    """Why there was no answer.

    Attributes:
        text: What happened.
        hint: The way out, where one can be named.
        connecting: There was no connection: nothing can have reached the server.
        timeout: The time for it ran out.
        illegible: There was an answer, and it cannot be one of an API server.
        local: It is this process or machine that has no more to give, and not the server.
    """

    text: str
    hint: str | None = None
    connecting: bool = False
    timeout: bool = False
    local: bool = False
    illegible: bool = False


class NoAnswerError(Exception):
    """A request was not answered, or not to the end.

    Attributes:
        failure: Why.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


NO_CONNECTION_IN_TIME: Final = Failure("no connection in time", connecting=True, timeout=True)
SILENT: Final = Failure("no answer in time", timeout=True)
CLOSED: Final = Failure("the server closed the connection without an answer")
BROKEN_OFF: Final = Failure("the connection broke in the middle of the answer")
GARBLED: Final = Failure(
    "the answer is not HTTP", "check whether the server's URL should begin with https://"
)

NO_JSON: Final = Failure("the Content-Type of the answer is not JSON", illegible=True)

CHECK_PROXY: Final = "check proxy-url in the kubeconfig and HTTPS_PROXY in the environment"

_LOCAL: Final = {
    errno.EMFILE: Failure(
        "this process has as many files and connections open as it may",
        "raise its limit, as with ulimit -n, or lower globalConfig.maxInFlight",
    ),
    errno.ENFILE: Failure(
        "this machine has as many files and connections open as it may", "raise its fs.file-max"
    ),
    errno.EADDRNOTAVAIL: Failure(
        "this machine has no address or port left to connect from",
        "widen its net.ipv4.ip_local_port_range, or lower globalConfig.maxInFlight",
    ),
}
"""Errors of the system that say nothing of the server."""


def unanswered_for(timeout_s: float) -> Failure:
    """The time for a request ran out."""
    return Failure(f"no answer within {timeout_s:g} s", timeout=True)


def larger_than(most_bytes: float) -> Failure:
    """There is more of an answer, decompressed, than an API server sends."""
    return Failure(f"the answer is larger than {most_bytes / (1 << 20):.0f} MiB", illegible=True)


def unresolved(host: str) -> Failure:
    """There is no address for the name."""
    return Failure(
        f"the host name {host} cannot be resolved",
        "check the server's URL in the kubeconfig",
        connecting=True,
    )


def unconnected(error: OSError) -> Failure:
    """What an error means that came while connecting, or in the TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = getattr(error, "verify_message", None) or "not trusted"
        return Failure(
            f"the server's certificate could not be verified: {reason}",
            "check certificate-authority and tls-server-name in the kubeconfig",
            connecting=True,
        )
    if isinstance(error, ssl.SSLError):
        return _no_tls(error)._replace(connecting=True)
    if error.errno in _LOCAL:
        return _LOCAL[error.errno]._replace(connecting=True, local=True)
    return Failure(_of_system(error), connecting=True)


def lost(error: Exception) -> Failure:
    """What an error means that ended a connection on which there was no answer yet."""
    if isinstance(error, ssl.SSLError):
        # With TLS 1.3 the server judges our certificate after the handshake.
        return _no_tls(error)
    if not isinstance(error, OSError):
        return Failure(type(error).__name__)
    # Else the kernel's probes have had no answer: see `sockets`.
    return Failure(_of_system(error), timeout=error.errno == errno.ETIMEDOUT)


def _no_tls(error: ssl.SSLError) -> Failure:
    return Failure(
        f"the TLS handshake failed: {error.reason or 'no common protocol'}",
        "check whether the server speaks TLS, and which client certificates it accepts",
    )


def _of_system(error: OSError) -> str:
    """``connection refused``; several addresses tried at once have no one word for it."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError):
        return "connection reset"
    return (error.strerror or type(error).__name__).lower()

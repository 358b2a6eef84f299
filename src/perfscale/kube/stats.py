"""What the client counts beside what becomes of each request, which its observer counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RequestStats:
    """What no observer of single requests is notified of.

    Attributes:
        sent: Requests sent, retries included, and those that are cancelled.
        broken_streams: Watches that broke off.
        silent_streams: Watches that were silent for too long.
        expired_streams: Errors of status 410 inside a watch.
        local_failures: Connections that this process or machine had no means to open: an
            observer is notified of them as of other requests without an answer.
        illegible: Answers of status 2xx that were not what they should be.
        credential_renewals: How often a 401 made the client renew its credentials.
        outages: How often the server was gone: no connection could be made, or
            nothing succeeded for a second or longer; and a webhook or an
            aggregated server that the API server could not call.
        outage_seconds: For how long altogether, from the first failure to the
            next success.
    """

    sent: int = 0
    broken_streams: int = 0
    silent_streams: int = 0
    expired_streams: int = 0
    local_failures: int = 0
    illegible: int = 0
    credential_renewals: int = 0
    outages: int = 0
    outage_seconds: float = 0.0

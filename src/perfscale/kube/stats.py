"""What the client counts, so that a run can say how the API server treated it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RequestStats:
    """Counters of every request sent; a fixed number of them, however long the run.

    Attributes:
        sent: Requests sent, retries included.
        succeeded: Answers of status 2xx (a watch counts when it is opened).
        client_errors: Answers of status 3xx and 4xx, but for 410 and 429.
        expired: Answers of status 410, and errors of that status inside a watch.
        throttled: Answers of status 429.
        server_errors: Answers of status 5xx.
        connection_errors: Requests and streams that broke without an answer.
        timeouts: Requests without an answer in time; not in ``connection_errors``.
        local_failures: Connections that this process or machine had no means to open: no
            failures of the server, and in none of the others.
        illegible: Answers of status 2xx that were not what they should be; in
            ``succeeded``, too.
        retries: Requests that were sent again.
        credential_renewals: How often a 401 made the client renew its credentials.
        outages: How often the server was gone: no connection could be made, or
            nothing succeeded for a second or longer; and a webhook or an
            aggregated server that the API server could not call.
        outage_seconds: For how long altogether, from the first failure to the
            next success.
    """

    sent: int = 0
    succeeded: int = 0
    client_errors: int = 0
    expired: int = 0
    throttled: int = 0
    server_errors: int = 0
    connection_errors: int = 0
    timeouts: int = 0
    local_failures: int = 0
    illegible: int = 0
    retries: int = 0
    credential_renewals: int = 0
    outages: int = 0
    outage_seconds: float = 0.0

    def count_answer(self, status: int) -> None:
        """Count one answer by the class of its status."""
        if status < 300:
            self.succeeded += 1
        elif status == 410:
            self.expired += 1
        elif status == 429:
            self.throttled += 1
        elif status < 500:
            self.client_errors += 1
        else:
            self.server_errors += 1

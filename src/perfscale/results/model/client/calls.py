"""How the API server answered requests of one verb for one resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.model.latency import LatencySummary


_WRITING: Final = frozenset({"create", "update", "patch"})


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of the requests of one verb for one resource.

    Attributes:
        verb: As RBAC has it.
        resource: The plural; empty for what is no resource.
        statuses: How many answers had each HTTP status.
        timeouts: Requests without an answer in time.
        connection_errors: Requests whose connection broke.
        retries: Requests that were sent again.
        throttled_s: Seconds that requests waited because of a 429, added up.
        latency: Seconds from sending to the whole answer, of answers of status
            2xx; percentiles within one per cent (see `Sketch`).
    """

    verb: str
    resource: str
    statuses: Mapping[int, int]
    timeouts: int
    connection_errors: int
    retries: int
    throttled_s: float
    latency: LatencySummary

    @property
    def sent(self) -> int:
        """Requests sent, retries included."""
        return sum(self.statuses.values()) + self.timeouts + self.connection_errors

    @property
    def errors(self) -> int:
        """Requests that were not answered, or refused: 429, 5xx, and other 4xx to what writes.

        That something is not there, is another version or may not be read is an
        answer like others: a run sends requests in order to find out.
        """
        return refused(self.verb, self.statuses) + self.timeouts + self.connection_errors


def refused(verb: str, statuses: Mapping[int, int]) -> int:
    """How many answers of these statuses refused something."""
    return sum(
        count
        for status, count in statuses.items()
        if status >= 500 or status == 429 or (status >= 400 and verb in _WRITING)
    )

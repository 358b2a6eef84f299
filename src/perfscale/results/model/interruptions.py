"""Times in which nothing was seen, or in which the server was gone."""

from __future__ import annotations

from enum import StrEnum
from math import inf

import msgspec


class Cause(StrEnum):
    """Why nothing was seen."""

    WATCH = "watch"
    GENERATOR = "generator"


class BlindSpan(msgspec.Struct, frozen=True, gc=False):
    """One blind span.

    Attributes:
        cause: What saw nothing.
        kind: The kind that was watched; None for the generator, which sees nothing at all.
        namespace: Where it was watched; None for everywhere.
        began_s: When it saw for the last time, in seconds since the run's start.
        ended_s: When it saw again, and had caught up; None as long as it has not.
    """

    cause: Cause
    kind: str | None
    namespace: str | None
    began_s: float
    ended_s: float | None = None

    @property
    def until_s(self) -> float:
        """Its end; infinite if there is none yet."""
        return inf if self.ended_s is None else self.ended_s


class OutageRecord(msgspec.Struct, frozen=True, gc=False, order=True):
    """One outage.

    Attributes:
        began_s: When the first request failed, in seconds since the run's start.
        ended_s: When the next one succeeded, or the last one failed.
        what: What was gone: ``server``, ``webhook``, or ``aggregated server``.
        name: The webhook's name, or the group that the aggregated server serves.
        retries: Requests that were sent again meanwhile.
        creates: Most creates that waited for their answer at a time.
    """

    began_s: float
    ended_s: float
    what: str
    name: str
    retries: int = 0
    creates: int = 0

"""Outages of a run, and what they held up."""

from __future__ import annotations

import msgspec


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

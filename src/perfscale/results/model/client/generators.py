"""The generators of a run that has several."""

from __future__ import annotations

import msgspec

from perfscale.results.model.client.health import Vitals


class GeneratorRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of several generators of a run.

    Attributes:
        shard: Its index, which is the value of the label ``perfscale/shard``.
        name: What people call it: the process, or the worker.
        host: Of the machine that it runs on.
        pid: Of its process.
        clock_low_s: The least that its wall clock is ahead of the coordinator's, in seconds.
        clock_high_s: The most; bounded from the quickest of several round trips.
        uncertainty_s: How far its times may be off from those of the run, either way: half of
            that round trip.
        lost: Why it was lost; None if it was not.
        lost_s: When, in seconds since the run's start.
        vitals: What it saw of itself last.
    """

    shard: int
    name: str
    host: str = ""
    pid: int = 0
    clock_low_s: float = 0.0
    clock_high_s: float = 0.0
    uncertainty_s: float = 0.0
    lost: str | None = None
    lost_s: float | None = None
    vitals: Vitals | None = None

    def __str__(self) -> str:
        """For a person."""
        return f"generator {self.shard} ({self.name})"

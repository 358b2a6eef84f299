"""Faults of the cluster as a whole: outages, clocks, an older state."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from perfscale.config.sections.fields import Count, Duration, Flag, Timeout, choice, key_error
from perfscale.config.sections.section import Section
from perfscale.sim.faults.fields import Offset, Rate, Share
from perfscale.sim.latency import Stage

CONTENDED: Final = {
    "virtualmachineinstances": Stage.VMI_PENDING,
    "pods": Stage.POD_SCHEDULING,
}
"""The kinds whose controllers can be contended, and what their objects wait in for a turn."""


class Outage(Section):
    """The API server is gone for a while."""

    called: ClassVar[str] = "a mapping (after, lasts, every, ...)"

    lasts: Timeout = Field(description="How long it is gone.")
    after: Duration | None = Field(
        default=None, description="When it goes for the first time, counted from its start."
    )
    after_requests: Count | None = Field(
        default=None, description="It goes for the first time at the request of this number."
    )
    every: Timeout | None = Field(
        default=None, description="It goes again so long after it went before; else only once."
    )
    connections: Annotated[str, *choice("refused", "reset")] = Field(
        default="refused", description="What happens to connections while it is gone."
    )
    forgets: Flag = Field(
        default=False,
        description="Afterwards it has no history: watches from before are refused with 410.",
    )

    @model_validator(mode="after")
    def _has_one_beginning(self) -> Self:
        if (self.after is None) == (self.after_requests is None):
            raise key_error("lasts", "an outage needs either the key after or afterRequests")
        if self.every is not None and self.every <= self.lasts:
            raise key_error("every", "this must be longer than the outage lasts")
        return self


class Restoration(Section):
    """The cluster's state goes back to what it was."""

    called: ClassVar[str] = "a mapping (copyAfter, after, lasts, ...)"

    copy_after: Duration | None = Field(
        default=None, description="When the copy is taken, counted from the server's start."
    )
    copy_after_requests: Count | None = Field(
        default=None, description="The copy is taken at the request of this number."
    )
    after: Duration | None = Field(
        default=None, description="When the copy is put back, counted from the server's start."
    )
    after_requests: Count | None = Field(
        default=None, description="The copy is put back at the request of this number."
    )
    lasts: Timeout = Field(default=1.0, description="How long the server is gone for it.")

    @model_validator(mode="after")
    def _has_one_beginning(self) -> Self:
        if (self.copy_after is None) == (self.copy_after_requests is None):
            raise key_error(
                "copyAfter", "a copy needs either the key copyAfter or copyAfterRequests"
            )
        if (self.after is None) == (self.after_requests is None):
            raise key_error("after", "it needs either the key after or afterRequests")
        for key, copied, restored in (
            ("after", self.copy_after, self.after),
            ("afterRequests", self.copy_after_requests, self.after_requests),
        ):
            if copied is not None and restored is not None and restored <= copied:
                raise key_error(key, "this must be later than the copy is taken")
        return self


class Contention(Section):
    """The controllers of a kind can do so much and no more, and less the more wait for them."""

    called: ClassVar[str] = "a mapping (perSecond, resource, inFlight, ...)"

    per_second: Rate = Field(
        description="From this rate on, objects that come every second, they fall behind."
    )
    resource: Annotated[str, *choice(*CONTENDED)] = Field(
        default="virtualmachineinstances", description="Whose controllers."
    )
    in_flight: Count = Field(
        default=10, description="Each object that waits beside more than so many costs time."
    )
    growth: Share = Field(
        default=0.02, description="By which share of it each of these makes every turn longer."
    )
    jitter: Share = Field(
        default=0.2,
        description="How much single turns differ: the standard deviation of their logarithm.",
    )

    @property
    def stage(self) -> Stage:
        """What objects wait in for their turn."""
        return CONTENDED[self.resource]


class ClusterFaults(Section):
    """What is wrong with the cluster as a whole."""

    called: ClassVar[str] = "a mapping (clockOffset, restored, contention)"

    clock_offset: Offset = Field(
        default=0.0,
        description="How far the controllers' clock is ahead of the API server's; -3s: behind.",
    )
    restored: Restoration | None = Field(
        default=None, description="An older copy of all objects takes the place of what there is."
    )
    contention: Contention | None = Field(
        default=None, description="Controllers whose latency breaks at a known rate."
    )

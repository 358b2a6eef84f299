"""What a faults file says of watches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from perfscale.config.sections.choices import choice
from perfscale.config.sections.fields import Count, Timeout
from perfscale.sim.faults.fields import Resources, Share
from perfscale.sim.faults.model.fault import Fault


class WatchFault(Fault):
    """What happens to some of the watches."""

    called: ClassVar[str] = "a mapping (fault, share, resources, ...)"
    takes: ClassVar[Mapping[str, Collection[str]]] = {
        "after": ("closed",),
        "after_events": ("closed",),
        "by": ("expired",),
        "delay": ("late",),
        "every": ("bursts", "trickle", "endlessInitial"),
    }
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "closed": ("after", "after_events"),
        "late": ("delay",),
        "bursts": ("every",),
    }

    fault: Annotated[
        str, *choice("closed", "expired", "late", "bursts", "trickle", "endlessInitial")
    ] = Field(
        description=(
            "closed: the server ends the watch, without an error; expired: a watch that "
            "resumes is refused with 410; late: each event is held back; bursts: events are "
            "collected and sent together; trickle: bytes come, and never a whole line; "
            "endlessInitial: the events of the initial state do not end."
        )
    )
    share: Share = Field(default=1.0, description="How many of the watches, from 0 to 1.")
    times: Count | None = Field(default=None, description="The most watches that it happens to.")
    resources: Resources | None = Field(
        default=None, description="Only watches of these resources, by their plural."
    )
    after: Timeout | None = Field(default=None, description="When the watch is closed.")
    after_events: Count | None = Field(
        default=None, description="After how many events the watch is closed."
    )
    by: Annotated[str, *choice("status", "event")] = Field(
        default="status",
        description=(
            "How a watch is told that it has expired: by the answer's status 410, or by an "
            "event ERROR in an answer of status 200."
        ),
    )
    delay: Timeout | None = Field(default=None, description="How late each event is.")
    every: Timeout | None = Field(
        default=None, description="How far bursts, bytes or events are apart."
    )

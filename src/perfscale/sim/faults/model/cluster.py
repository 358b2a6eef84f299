"""What a faults file says of the whole cluster."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from perfscale.config.section import Section
from perfscale.sim.faults.fields import Offset


class ClusterFaults(Section):
    """What is wrong with the cluster as a whole."""

    called: ClassVar[str] = "a mapping (clockOffset, ...)"

    clock_offset: Offset = Field(
        default=0.0,
        description="How far the controllers' clock is ahead of the API server's; -3s: behind.",
    )

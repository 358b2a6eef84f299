"""Limits that hold for the run as a whole."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from perfscale.config.sections.audit import AuditConfig
from perfscale.config.sections.fields import Burst, Count, Rate, Seed, bucket_depth
from perfscale.config.sections.hooks import Hooks
from perfscale.config.sections.section import Section
from perfscale.config.sections.thresholds import Thresholds


class GlobalConfig(Section):
    """Limits that hold for the run as a whole."""

    called: ClassVar[str] = "a mapping (qps, burst, maxInFlight, seed, thresholds, hooks, audit)"

    qps: Rate = Field(
        default=0.0,
        description=(
            "Most requests a second that the run sends for anything: list, watch, create, "
            "delete. 0: no limit."
        ),
    )
    burst: Burst = Field(
        default=0,
        description="How many requests may go out at once before qps holds. 0: qps, rounded up.",
    )
    max_in_flight: Count = Field(
        default=256,
        description=(
            "Most create requests that wait for an answer at a time. The results say so "
            "when this, and not qps, held the load back."
        ),
    )
    seed: Seed = Field(
        default=None,
        description=(
            "Makes everything that is random repeatable. Default: another one for each run, "
            "which its results name."
        ),
    )
    thresholds: Thresholds = Field(
        default=(), description="What the run as a whole has to keep to, all workloads together."
    )
    hooks: Hooks = Field(
        default=(), description="Commands that run at certain moments of the run and all workloads."
    )
    audit: AuditConfig | None = Field(
        default=None, description="Ask a Prometheus what the control plane did during the run."
    )

    @property
    def bucket_depth(self) -> int:
        """Depth of the token bucket: ``burst``, or ``qps`` rounded up; 0 without a limit."""
        return bucket_depth(self.qps, self.burst)

"""Limits that hold for the run as a whole."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from perfscale.config.sections.audit import AuditConfig
from perfscale.config.sections.fields import (
    Burst,
    Count,
    Flag,
    Rate,
    Seed,
    Timeout,
    bucket_depth,
    refusal,
)
from perfscale.config.sections.hooks import Hooks
from perfscale.config.sections.kube_burner import Export, IndexConfig
from perfscale.config.sections.section import Section
from perfscale.config.sections.thresholds import Thresholds


def _check_images(value: object) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise refusal("list", "true, false or a list of images", value)


PreloadImages = Annotated[
    bool | tuple[str, ...],
    BeforeValidator(_check_images),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]


class GlobalConfig(Section):
    """Limits that hold for the run as a whole."""

    called: ClassVar[str] = (
        "a mapping (qps, burst, maxInFlight, seed, preloadImages, thresholds, hooks, audit, ...)"
    )

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
    preload_images: PreloadImages = Field(
        default=False,
        description=(
            "Pull images to every node before the load: true for those that the templates name, "
            "or a list of them."
        ),
    )
    preload_timeout: Timeout = Field(
        default=600.0,
        description="With preloadImages: longest time for it; the run then goes on without.",
    )
    cleanup: Flag = Field(
        default=False,
        description="When all workloads are over, delete everything that the run made.",
    )
    cluster_health: Flag = Field(
        default=False,
        description=(
            "Begin only where every node is ready, and has no other condition, such as "
            "MemoryPressure."
        ),
    )
    hooks: Hooks = Field(
        default=(), description="Commands that run at certain moments of the run and all workloads."
    )
    audit: AuditConfig | None = Field(
        default=None, description="Ask a Prometheus what the control plane did during the run."
    )
    export: Export | None = Field(
        default=None, description="Write the results in this tool's format too, as --export does."
    )
    index: IndexConfig | None = Field(
        default=None, description="Send documents of the results to a search engine, as --index."
    )

    @property
    def bucket_depth(self) -> int:
        """Depth of the token bucket: ``burst``, or ``qps`` rounded up; 0 without a limit."""
        return bucket_depth(self.qps, self.burst)

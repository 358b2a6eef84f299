"""Limits that hold for the run as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema

from perfscale.config.sections.audit import AuditConfig
from perfscale.config.sections.fields import (
    Burst,
    Count,
    Duration,
    Factor,
    Flag,
    Rate,
    Seed,
    Timeout,
    bucket_depth,
    empty_is_default,
    refusal,
    whole,
)
from perfscale.config.sections.hooks import Hooks
from perfscale.config.sections.kube_burner import Export, IndexConfig
from perfscale.config.sections.section import Section
from perfscale.config.sections.thresholds import Thresholds

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


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


def _attribution(value: object) -> object:
    """A number, or ``off``, in the place of the mapping."""
    if value is False or value == "off":
        return {"objects": 0}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"objects": value}
    return empty_is_default(value)


_MOST_OBJECTS: Final = 200
_OBJECTS: Final = {"type": "integer", "minimum": 0, "maximum": _MOST_OBJECTS}


class AttributionConfig(Section):
    """Of which objects to find out why they are slow, and how much that may cost."""

    called: ClassVar[str] = (
        "off, a number of objects, or a mapping (objects, after, factor, requestsPerSecond)"
    )

    objects: Annotated[int, *whole(0, _MOST_OBJECTS, " (off)")] = Field(
        default=20,
        description="Of how many at most to keep why: the slowest, and those not ready. 0: off.",
    )
    after: Duration = Field(
        default=5.0, description="No object is slow that has not taken so long."
    )
    factor: Factor = Field(
        default=2.0,
        description=(
            "While the run goes on, an object is slow after so many times the median of those "
            "of its workload and kind that are ready."
        ),
    )
    requests_per_second: Rate = Field(
        default=10.0,
        description="Most requests a second for that, beside those of qps. 0: no limit.",
    )


class _OrNumber:
    """What an editor is told of the short forms."""

    @staticmethod
    def __get_pydantic_json_schema__(
        core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(core), _OBJECTS, {"enum": ["off", False]}]}


class GlobalConfig(Section):
    """Limits that hold for the run as a whole."""

    called: ClassVar[str] = (
        "a mapping (qps, burst, maxInFlight, seed, preloadImages, thresholds, hooks, audit, ...)"
    )

    qps: Rate = Field(
        default=0.0,
        description=(
            "Most requests a second that the run sends for anything but attribution: list, "
            "watch, create, delete. 0: no limit."
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
    attribution: Annotated[AttributionConfig, BeforeValidator(_attribution), _OrNumber] = Field(
        default_factory=AttributionConfig,
        description=(
            "Find out where the time of slow objects went, and of those that are not ready: a "
            "mapping, only how many objects, or off."
        ),
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

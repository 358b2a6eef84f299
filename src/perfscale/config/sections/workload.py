"""A workload: what is created, how fast, and what is waited for."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from perfscale.config.sections.fields import (
    Burst,
    Count,
    Duration,
    Flag,
    Label,
    Rate,
    Timeout,
    bucket_depth,
    detail,
    label_problem,
    list_of,
    rule,
    show,
    usable_label,
)
from perfscale.config.sections.metrics import METRICS, Unit
from perfscale.config.sections.objects import ObjectSpec
from perfscale.config.sections.section import Section
from perfscale.config.sections.thresholds import Threshold, Thresholds


def _check_namespace(spec: ObjectSpec, info: ValidationInfo) -> ObjectSpec:
    """Refuse an object whose namespace Kubernetes would refuse in the last iteration."""
    prefix = spec.input_vars.get("namespace") or info.data.get("name")
    if prefix is None:  # the name is wrong itself, and that is reported
        return spec
    last = info.data.get("iteration_count", 1) if info.data.get("namespaced_iterations") else 1
    namespace = f"{prefix}-{last}"
    if problem := label_problem(namespace):
        usable = usable_label(prefix)
        hint = f": write {usable}" if usable not in ("", prefix) else ""
        if prefix == info.data.get("name"):  # which is fine by itself, so this is too long
            hint = ": shorten the workload's name, or set inputVars.namespace"
        error = rule(
            f"the namespace {show(namespace)} cannot be created: it {problem}{hint}",
            against=(("name",), ("iterationCount",), ("namespacedIterations",)),
        )
        path = ("inputVars", "namespace")
        raise ValidationError.from_exception_data("namespace", [detail(error, path, prefix)])
    return spec


class Workload(Section):
    """Objects that are created together, once or in several iterations."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {
                "properties": {"iterationDeletionWait": {"const": True}},
                "required": ["iterationDeletionWait"],
            },
            "then": {
                "properties": {"iterationCleanup": {"const": True}},
                "required": ["iterationCleanup"],
            },
        }
    )
    called: ClassVar[str] = "a mapping (name, iterationCount, qps, objects, ...)"

    name: Label = Field(
        description="Unique in the file; a DNS label. It is also the default namespace prefix.",
    )
    iteration_count: Count = Field(
        default=1, description="How many times to run the workload; numbered from 1."
    )
    iteration_interval: Duration = Field(
        default=0.0, description="Pause before each iteration but the first, as in 30s."
    )
    iteration_creation_wait: Flag = Field(
        default=False,
        description="Wait until every object of the iteration is ready, or has failed.",
    )
    iteration_cleanup: Flag = Field(
        default=False,
        description="Delete the iteration's objects and namespaces before the next iteration.",
    )
    iteration_deletion_wait: Flag = Field(
        default=False,
        description=(
            "With iterationCleanup: wait until the iteration's objects and namespaces are gone."
        ),
    )
    namespaced_iterations: Flag = Field(
        default=False,
        description=(
            "Give each iteration a namespace of its own, <prefix>-<iteration>. Otherwise all "
            "of them use <prefix>-1."
        ),
    )
    max_wait_timeout: Timeout = Field(
        default=1800.0,
        description="Longest time that each wait, for creation or deletion, may take; as in 30m.",
    )
    qps: Rate = Field(default=0.0, description="Objects to create a second. 0: no limit.")
    burst: Burst = Field(
        default=0,
        description=(
            "How many objects may be created at once before qps holds. 0: qps, rounded up. "
            "Without qps it limits nothing."
        ),
    )
    wait_when_finished: Duration = Field(
        default=0.0, description="Pause after the workload, as in 30s."
    )
    thresholds: Thresholds = Field(
        default=(), description="What the workload has to keep to, all its iterations together."
    )
    # Last, so that the namespaces are checked when all they depend on is known.
    objects: Annotated[
        tuple[Annotated[ObjectSpec, AfterValidator(_check_namespace)], ...],
        BeforeValidator(list_of("objects")),
    ] = Field(
        json_schema_extra={"minItems": 1},
        description="Templates of the objects to create in each iteration; at least one.",
    )

    @field_validator("iteration_deletion_wait")
    @classmethod
    def _needs_cleanup(cls, wait: bool, info: ValidationInfo) -> bool:
        if wait and info.data.get("iteration_cleanup") is False:
            raise rule(
                "there is nothing to wait for without iterationCleanup: set it to true, or "
                "remove this key",
                against=(("iterationCleanup",),),
            )
        return wait

    @field_validator("thresholds")
    @classmethod
    def _shares_are_of_something(
        cls, thresholds: tuple[Threshold, ...], info: ValidationInfo
    ) -> tuple[Threshold, ...]:
        unmeasured = [
            detail(
                rule("there is no share of qps without qps: write a rate", against=(("qps",),)),
                (index, "min"),
                str(threshold.bound),
            )
            for index, threshold in enumerate(thresholds)
            if METRICS[threshold.metric].unit is Unit.PER_SECOND
            and threshold.bound.unit is Unit.PERCENT
            and info.data.get("qps") == 0
        ]
        if unmeasured:
            raise ValidationError.from_exception_data("thresholds", unmeasured)
        return thresholds

    @property
    def bucket_depth(self) -> int:
        """Depth of the token bucket: ``burst``, or ``qps`` rounded up; 0 without a limit."""
        return bucket_depth(self.qps, self.burst)

    def namespace_prefix(self, spec: ObjectSpec) -> str:
        """Return what the namespaces of an object begin with."""
        return spec.input_vars.get("namespace") or self.name

    def namespace_for(self, spec: ObjectSpec, iteration: int) -> str:
        """Return the namespace of an object in an iteration, which is counted from 1."""
        number = iteration if self.namespaced_iterations else 1
        return f"{self.namespace_prefix(spec)}-{number}"

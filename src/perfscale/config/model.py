"""The workload file as frozen, validated models.

Every rule of the file is here, so a configuration that a program builds with
``Config.model_validate`` keeps the same rules as one that was loaded. The keys'
descriptions end up in the JSON Schema, where editors show them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from perfscale.config.reading.source import KeyPath, Position, Source
from perfscale.config.sections.audit import AuditConfig
from perfscale.config.sections.fields import (
    CUSTOM_ERRORS,
    Burst,
    Count,
    Duration,
    Flag,
    Label,
    Rate,
    Text,
    Timeout,
    detail,
    label_problem,
    list_of,
    rule,
    show,
    usable_label,
)
from perfscale.config.sections.metrics import METRICS, Unit
from perfscale.config.sections.section import Section
from perfscale.config.sections.thresholds import Threshold
from perfscale.config.sections.variables import RESERVED, check_variables, variables_schema

if TYPE_CHECKING:
    from perfscale.errors import Problem


def _bucket_depth(qps: float, burst: int) -> int:
    return burst or math.ceil(qps)


def _empty_is_default(value: object) -> object:
    """Take a key whose whole content is commented out as if it were not there."""
    return {} if value is None else value


Thresholds = Annotated[tuple[Threshold, ...], list_of("thresholds", may_be_empty=True)]


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


class GlobalConfig(Section):
    """Limits that hold for the run as a whole."""

    called: ClassVar[str] = "a mapping (qps, burst, maxInFlight, thresholds, audit)"

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
    thresholds: Thresholds = Field(
        default=(), description="What the run as a whole has to keep to, all workloads together."
    )
    audit: AuditConfig | None = Field(
        default=None, description="Ask a Prometheus what the control plane did during the run."
    )

    @property
    def bucket_depth(self) -> int:
        """Depth of the token bucket: ``burst``, or ``qps`` rounded up; 0 without a limit."""
        return _bucket_depth(self.qps, self.burst)


class ObjectSpec(Section):
    """A template, and how many objects to make of it in each iteration."""

    called: ClassVar[str] = "a mapping (templateFile, replicas, inputVars)"

    template_file: Text = Field(
        description=(
            "Template of the object: a path relative to this file, or the name of a template "
            "that comes with the program, as in templates/vmi-ephemeral.yaml."
        ),
    )
    replicas: Count = Field(
        default=1,
        description="Number of objects of this template in each iteration; numbered from 1.",
    )
    input_vars: Annotated[
        Mapping[str, Any],
        BeforeValidator(check_variables),
        BeforeValidator(_empty_is_default),
        WithJsonSchema(variables_schema()),
    ] = Field(
        default_factory=dict,
        description=(
            "Variables for the template, of any name but "
            f"{', '.join(RESERVED)}. namespace is the prefix of the namespace. Versions and "
            "other text that looks like a number need quotes."
        ),
    )


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
        list_of("objects"),
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
        return _bucket_depth(self.qps, self.burst)

    def namespace_prefix(self, spec: ObjectSpec) -> str:
        """Return what the namespaces of an object begin with."""
        return spec.input_vars.get("namespace") or self.name

    def namespace_for(self, spec: ObjectSpec, iteration: int) -> str:
        """Return the namespace of an object in an iteration, which is counted from 1."""
        number = iteration if self.namespaced_iterations else 1
        return f"{self.namespace_prefix(spec)}-{number}"


class Config(Section):
    """A workload file: what to create, how fast, and what to wait for.

    ``Config.model_validate({...})`` builds one in a program, with the file's keys or
    with Python's names; `pydantic.ValidationError` then says what is wrong.
    """

    called: ClassVar[str] = "a mapping with the key workloads"

    global_config: Annotated[GlobalConfig, BeforeValidator(_empty_is_default)] = Field(
        default_factory=GlobalConfig, description="Limits that hold for the run as a whole."
    )
    workloads: Annotated[tuple[Workload, ...], list_of("workloads")] = Field(
        json_schema_extra={"minItems": 1},
        description="What to run, one after the other; at least one.",
    )

    _source: Source = PrivateAttr(default_factory=Source)

    def model_post_init(self, context: object, /) -> None:
        """Keep the source that the validation was given as its context."""
        if isinstance(context, Source):
            self._source = context

    @field_validator("workloads", mode="wrap")
    @classmethod
    def _names_are_unique(cls, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        # Checks what was given: a validator of what comes out is not called while
        # anything else is wrong.
        repeated = list(_repeated_names(value))
        try:
            workloads: object = handler(value)
        except ValidationError as error:
            if not repeated:
                raise
            raise ValidationError.from_exception_data(
                cls.__name__, [*_details(error), *repeated]
            ) from error
        if repeated:
            raise ValidationError.from_exception_data(cls.__name__, repeated)
        return workloads

    @property
    def source(self) -> Source:
        """Where it came from."""
        return self._source

    def locate(self, *path: str | int) -> Position | None:
        """Return where a value stands, or what encloses it; None if no file was read.

        Args:
            path: The file's keys and indexes: ``"workloads", 0, "objects", 1``.
        """
        return self._source.locate(path)

    def problem(self, path: KeyPath, message: str) -> Problem:
        """Return a problem with the value at ``path`` (see `locate`), placed where it stands."""
        return self._source.problem(path, message)


def _repeated_names(workloads: object) -> Iterator[InitErrorDetails]:
    """Yield an error for each workload that has the name of one before it."""
    first: dict[str, int] = {}
    for index, workload in enumerate(workloads if isinstance(workloads, list | tuple) else ()):
        if isinstance(workload, Workload):
            name: object = workload.name
        else:
            name = workload.get("name") if isinstance(workload, Mapping) else None
        if not isinstance(name, str):
            continue
        if first.setdefault(name, index) != index:
            before = ("workloads", first[name], "name")
            message = f"{show(name)} is the name of workloads[{first[name]}] too: each has its own"
            yield detail(rule(message, against=(before,)), (index, "name"), name)


def _details(error: ValidationError) -> Iterator[InitErrorDetails]:
    """Yield the errors of a `ValidationError` in the form that another one is made of."""
    for line in error.errors(include_url=False):
        context = line.get("ctx", {})
        kind: str | PydanticCustomError = line["type"]
        if kind in CUSTOM_ERRORS:
            kind = PydanticCustomError(CUSTOM_ERRORS[kind][0], CUSTOM_ERRORS[kind][1], context)
        yield InitErrorDetails(type=kind, loc=line["loc"], input=line["input"], ctx=context)

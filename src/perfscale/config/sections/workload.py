"""A workload: what is created or done, how fast, and what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from perfscale.config.operations import CREATE, OPERATIONS, Effect, Operation, Request
from perfscale.config.sections.churn import Churn, churn_misfits
from perfscale.config.sections.fields import (
    Burst,
    Count,
    Duration,
    Flag,
    Label,
    MaybeCount,
    Rate,
    Text,
    Timeout,
    bucket_depth,
    detail,
    details_of,
    list_of,
    rule,
)
from perfscale.config.sections.hooks import Hooks, hook_misfits
from perfscale.config.sections.kube_burner import KubeBurnerJob
from perfscale.config.sections.namespaces import (
    NamespaceAnnotations,
    NamespaceLabels,
    check_namespace,
    namespace_number,
)
from perfscale.config.sections.objects import ObjectSpec
from perfscale.config.sections.operating.operations import (
    CLEANS_UP,
    OperationName,
    Replicas,
    Volume,
    at_least_one,
    fitting_schema,
    misfits,
    with_one_wait,
    without_misfits,
)
from perfscale.config.sections.operating.targets import Patch, Targets
from perfscale.config.sections.readiness import WaitForAll
from perfscale.config.sections.section import Section
from perfscale.config.sections.shape import (
    CONSTANT,
    Arrival,
    Stages,
    hidden_shape_misfits,
    shape_misfits,
)
from perfscale.config.sections.thresholds import Threshold, Thresholds, shares_of_no_rate


class Workload(Section):
    """Objects that are created together, or what is done to objects, in iterations."""

    model_config = ConfigDict(json_schema_extra={"allOf": [CLEANS_UP, *fitting_schema()]})
    called: ClassVar[str] = "a mapping (name, iterationCount, qps, objects, ...)"

    name: Label = Field(
        description="Unique in the file; a DNS label. It is also the default namespace prefix.",
    )
    operation: OperationName = Field(
        default=CREATE.name, description="What is done: objects are created, or it is their turn."
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
    iteration_wait: Flag = Field(
        default=False,
        description=(
            "Wait until every operation of the iteration is done, or has failed; of create it "
            "is another name of iterationCreationWait."
        ),
    )
    workload_creation_wait: Flag = Field(
        default=False,
        description=(
            "After the last iteration is created, wait until every object of the workload is "
            "ready, or has failed."
        ),
    )
    workload_cleanup: Flag = Field(
        default=False,
        description=(
            "When the workload is over, delete what all its iterations made, and wait until it "
            "is gone."
        ),
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
    numbered_namespaces: Flag = Field(
        default=True,
        description=(
            "End the names of namespaces with a number, as in <prefix>-1. false: "
            "inputVars.namespace is the namespace, as it is written."
        ),
    )
    iterations_per_namespace: Count = Field(
        default=1,
        description="With namespacedIterations: so many of them, one after the other, share one.",
    )
    namespace_labels: NamespaceLabels = Field(
        default_factory=dict,
        description="More labels for the namespaces that the run makes for the workload.",
    )
    namespace_annotations: NamespaceAnnotations = Field(
        default_factory=dict,
        description="Annotations for the namespaces that the run makes for the workload.",
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
    arrival: Arrival = Field(
        default=CONSTANT,
        description=(
            "constant: evenly spaced. poisson: at random, independently of each other, with qps "
            "as the mean rate; repeatable with globalConfig.seed."
        ),
    )
    stages: Stages = Field(
        default=(),
        description=(
            "A rate that moves: each stage leads to its own qps. The load of an iteration ends "
            "with its last stage."
        ),
    )
    spread: Duration = Field(
        default=0.0,
        description=(
            "Spread the objects of an iteration evenly over this time: qps is computed. As in 10m."
        ),
    )
    duration: Duration = Field(
        default=0.0,
        description=(
            "How long the load of an iteration lasts: what is not due by then is not requested. "
            "0: until everything has been requested."
        ),
    )
    max_in_flight: MaybeCount = Field(
        default=None,
        description=(
            "Most create requests of this workload that wait for an answer at a time, within "
            "globalConfig.maxInFlight, which is the default."
        ),
    )
    background: Flag = Field(
        default=False,
        description=(
            "Begin the next workload beside this one. At the end of the run it is waited for; a "
            "watch, and a get or list without duration, ends when no other is left."
        ),
    )
    until: Text | None = Field(
        default=None,
        description="With background: it ends when this later workload is over.",
    )
    churn: Churn | None = Field(
        default=None,
        description=(
            "Of create: when the objects of the last iteration are ready, delete some and create "
            "as many anew, round by round."
        ),
    )
    wait_when_finished: Duration = Field(
        default=0.0, description="Pause after the workload, as in 30s."
    )
    thresholds: Thresholds = Field(
        default=(), description="What the workload has to keep to, all its iterations together."
    )
    hooks: Hooks = Field(
        default=(), description="Commands that run at certain moments of this workload."
    )
    targets: Targets | None = Field(
        default=None, description="What the operation is done to; needed for all but create."
    )
    delete_collection: Flag = Field(
        default=False, description="Of delete: one request for all of a namespace."
    )
    patch: Patch | None = Field(default=None, description="Of patch: the change.")
    done_when: WaitForAll | None = Field(
        default=None,
        description=(
            "Of patch and get: when it is done, where the answer is not enough: a form of "
            "kubectl wait --for, as in condition=Ready, or a list, of which everything has to be "
            "so."
        ),
    )
    done_when_answered: Flag = Field(
        default=False,
        description=(
            "Of operations that wait for an effect: the answer is enough, whatever comes of it."
        ),
    )
    to: Replicas | None = Field(default=None, description="Of scale: how many replicas.")
    streams: Count = Field(default=1, description="Of watch: how many watches of each collection.")
    grace_period: Duration | None = Field(
        default=None,
        description="Of stop and restart: how long a guest has to shut down; of restart only 0s.",
    )
    preload_images: Flag = Field(
        default=False,
        description="Of create: pull the images of its templates to every node before the load.",
    )
    paused: Flag = Field(
        default=False, description="Of start: the guest waits until it is unpaused."
    )
    volume: Volume | None = Field(
        default=None,
        description="Of addVolume (name, disk, volumeSource) and removeVolume (name).",
    )
    kube_burner: KubeBurnerJob | None = Field(
        default=None,
        description=(
            "The workload is a job of kube-burner, or a part of one: its templates are in Go's "
            "language, and its objects carry that program's labels too."
        ),
    )
    # Last, so that the namespaces are checked when all they depend on is known.
    objects: Annotated[
        tuple[Annotated[ObjectSpec, AfterValidator(check_namespace)], ...],
        list_of("objects"),
    ] = Field(
        default=(),
        json_schema_extra=at_least_one,
        description="Of create: templates of the objects of each iteration; at least one.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _keys_fit(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        # Looks at what was given: afterwards nobody knows which keys were.
        if not isinstance(value, Mapping):
            return handler(value)
        wrong = list(misfits(value))
        try:
            workload = handler(with_one_wait(value))
        except ValidationError as error:
            found = list(details_of(error))
            wrong = [*found, *hidden_shape_misfits(value, found), *wrong]
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return workload

    @model_serializer(mode="wrap")
    def _without_misfits(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return without_misfits(self.operation, handler(self))

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

    @field_validator("numbered_namespaces")
    @classmethod
    def _are_told_apart(cls, numbered: bool, info: ValidationInfo) -> bool:
        if not numbered and info.data.get("namespaced_iterations"):
            raise rule(
                "the namespaces of namespacedIterations are told apart by their numbers: remove "
                "one of the two keys",
                against=(("namespacedIterations",),),
            )
        return numbered

    @field_validator("iterations_per_namespace")
    @classmethod
    def _needs_namespaces(cls, count: int, info: ValidationInfo) -> int:
        if count > 1 and info.data.get("namespaced_iterations") is False:
            raise rule(
                "all iterations share one namespace without namespacedIterations: set it to "
                "true, or remove this key",
                against=(("namespacedIterations",),),
            )
        return count

    @field_validator("until")
    @classmethod
    def _is_in_the_background(cls, until: str | None, info: ValidationInfo) -> str | None:
        if until is not None and not info.data.get("background"):
            raise rule(
                "the next workload begins when this one is over: set background to true, or "
                "remove this key",
                against=(("background",),),
            )
        return until

    @field_validator("thresholds")
    @classmethod
    def _shares_are_of_something(
        cls, thresholds: tuple[Threshold, ...], info: ValidationInfo
    ) -> tuple[Threshold, ...]:
        has_rate = any(info.data.get(key) for key in ("qps", "stages", "spread"))
        unmeasured = [] if has_rate else list(shares_of_no_rate(thresholds))
        if unmeasured:
            raise ValidationError.from_exception_data("thresholds", unmeasured)
        return thresholds

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        wrong = [detail(error, (key,), getattr(self, key)) for key, error in shape_misfits(self)]
        wrong += [detail(error, path, None) for path, error in churn_misfits(self)]
        wrong += [detail(error, path, None) for path, error in hook_misfits(self)]
        if wrong:
            raise ValidationError.from_exception_data("workload", wrong)
        return self

    @property
    def does(self) -> Operation:
        """What is done."""
        operation = OPERATIONS[self.operation]
        if self.done_when_answered:
            return replace(operation, effect=Effect.ANSWERED)
        return operation if self.done_when is None else replace(operation, effect=Effect.MATCHED)

    @property
    def is_endless(self) -> bool:
        """Whether it goes on until no other is left."""
        reads = self.does.request in {Request.GET, Request.LIST, Request.WATCH}
        return self.background and reads and not (self.duration or self.stages)

    @property
    def waits_for_creation(self) -> bool:
        """Whether its objects are waited for: in each iteration, or at its end."""
        return self.iteration_creation_wait or self.workload_creation_wait

    @property
    def bucket_depth(self) -> int:
        """Depth of the token bucket: ``burst``, or ``qps`` rounded up; 0 without a limit."""
        return bucket_depth(self.qps, self.burst)

    def namespace_prefix(self, spec: ObjectSpec) -> str:
        """Return what the namespaces of an object begin with."""
        if self.kube_burner is not None:
            return self.kube_burner.namespace or self.name
        return spec.input_vars.get("namespace") or self.name

    def namespace_for(self, spec: ObjectSpec, iteration: int) -> str:
        """Return the namespace of an object in an iteration, which is counted from 1."""
        if not self.numbered_namespaces:
            return self.namespace_prefix(spec)
        number = namespace_number(vars(self), iteration)
        return f"{self.namespace_prefix(spec)}-{number}"

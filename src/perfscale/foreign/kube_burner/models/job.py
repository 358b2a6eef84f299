"""A job."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from perfscale.config.sections.fields import Flag, choice
from perfscale.config.sections.section import Section
from perfscale.foreign.kube_burner.models.fields import (
    AnyText,
    Figure,
    GoDuration,
    Number,
    TextList,
    Texts,
)
from perfscale.foreign.kube_burner.models.measurements import Measurement
from perfscale.foreign.kube_burner.models.objects import Entry, Watcher

CREATE, DELETE, PATCH, READ, KUBEVIRT = JOB_TYPES = (
    *("create", "delete", "patch"),
    *("read", "kubevirt"),
)
PARALLEL, SEQUENTIAL = MODES = ("parallel", "sequential")
NAMESPACES, OBJECTS = CHURN_MODES = ("namespaces", "objects")
LINEAR, EXPONENTIAL = PATTERNS = ("linear", "exponential")
HOOK_MOMENTS = (
    *("beforeJobExecution", "afterJobExecution", "onEachIteration"),
    *("beforeChurn", "afterChurn", "beforeCleanup", "afterCleanup", "beforeGC", "afterGC"),
)


class ChurnConfig(Section):
    """How much is churned, how often, and for how long."""

    called: ClassVar[str] = "a mapping (cycles, duration, percent, delay, deleteDelay, mode)"

    cycles: Number = 0
    duration: GoDuration = 0.0
    percent: Number = 0
    delay: GoDuration = 0.0
    delete_delay: GoDuration = 0.0
    mode: Annotated[str, *choice(*CHURN_MODES)] = NAMESPACES

    @property
    def is_on(self) -> bool:
        """Whether there is any churn."""
        return self.cycles > 0 or self.duration > 0


class Linear(Section):
    """Steps of one size."""

    called: ClassVar[str] = "a mapping (minSteps, stepSize)"

    min_steps: Number = 0
    step_size: Number = 1


class Exponential(Section):
    """Steps that grow."""

    called: ClassVar[str] = "a mapping (base, maxIncrease, warmupSteps)"

    base: Figure = 2.0
    max_increase: Number = 0
    warmup_steps: Number = 0


class Pattern(Section):
    """How steps grow."""

    called: ClassVar[str] = "a mapping (type, linear, exponential)"

    type: Annotated[str, *choice(*PATTERNS)] = LINEAR
    linear: Linear = Field(default_factory=Linear)
    exponential: Exponential = Field(default_factory=Exponential)


class IncrementalLoad(Section):
    """A job in steps, of which each creates more."""

    called: ClassVar[str] = "a mapping (startIterations, totalIterations, stepDelay, pattern, ...)"

    start_iterations: Number = 0
    total_iterations: Number = 0
    step_delay: GoDuration = 0.0
    health_check_script: AnyText = ""
    pattern: Pattern = Field(default_factory=Pattern)


class HookEntry(Section):
    """A command, and when it runs."""

    called: ClassVar[str] = "a mapping (cmd, when, background)"

    cmd: TextList = ()
    when: Annotated[str, *choice(*HOOK_MOMENTS)]
    background: Flag = False


class Job(Section):
    """A job; what is not in it has that program's default."""

    called: ClassVar[str] = "a mapping (name, jobType, jobIterations, objects, ...)"

    name: AnyText = ""
    job_type: Annotated[str, *choice(*JOB_TYPES)] = CREATE
    job_iterations: Number = 1
    job_iteration_delay: GoDuration = 0.0
    job_pause: GoDuration = 0.0
    objects: tuple[Entry, ...] = ()
    watchers: tuple[Watcher, ...] = ()
    qps: Figure = 0.0
    burst: Number = 0
    namespace: AnyText = ""
    max_wait_timeout: GoDuration = 0.0
    wait_for_deletion: Flag = True
    pod_wait: Flag = False
    wait_when_finished: Flag = True
    cleanup: Flag = True
    namespaced_iterations: Flag = True
    iterations_per_namespace: Number = 1
    pre_create_namespaces: Flag = False
    verify_objects: Flag = True
    error_on_verify: Flag = True
    pre_load_images: Flag = True
    pre_load_period: GoDuration = 600.0
    pre_load_node_labels: Texts = Field(default_factory=dict)
    namespace_labels: Texts = Field(default_factory=dict)
    namespace_annotations: Texts = Field(default_factory=dict)
    churn_config: ChurnConfig = Field(default_factory=ChurnConfig)
    skip_indexing: Flag = False
    default_missing_keys_with_zero: Flag = False
    execution_mode: Annotated[str, *choice(*MODES)] | None = None
    object_delay: GoDuration = 0.0
    object_wait: Flag = False
    metrics_aggregate: Flag = False
    metrics_closing: Annotated[str, *choice("afterJob", "afterJobPause", "afterMeasurements")] = (
        "afterJobPause"
    )
    gc: Flag = False
    measurements: tuple[Measurement, ...] = ()
    incremental_load: IncrementalLoad | None = None
    hooks: tuple[HookEntry, ...] = ()

    @property
    def in_parallel(self) -> bool:
        """Whether its requests go all at once, and not iteration by iteration."""
        default = PARALLEL if self.job_type == PATCH else SEQUENTIAL
        takes_it = self.job_type in {PATCH, KUBEVIRT}
        return takes_it and (self.execution_mode or default) == PARALLEL

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.qps or 5.0

    @property
    def depth(self) -> int:
        """Requests that may go at once."""
        return self.burst if self.burst > 0 else 10

    @property
    def has_groups(self) -> bool:
        """Whether its objects come group by group."""
        return any(entry.group.id > 0 for entry in self.objects)

"""What a threshold can be about: every metric, by its name in the workload file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config.operations import OPERATIONS, Effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Unit(StrEnum):
    """What a metric is measured in."""

    SECONDS = "seconds"
    COUNT = "count"
    PER_SECOND = "perSecond"
    PERCENT = "percent"


class Latency(StrEnum):
    """The latencies of a kind that are no phases, as results call them."""

    CREATION = "creation"
    READY = "Ready"
    DELETION = "deletion"


class OperationLatency(StrEnum):
    """The latencies of an operation, as results call them; the last two are of a milestone."""

    RESPONSE = "response"
    EFFECT = "effect"
    MILESTONE = "milestone"
    TIME_IN = "timeIn"


PERCENTILES: Final[Mapping[str, float]] = {
    "p50": 0.50,
    "p90": 0.90,
    "p95": 0.95,
    "p99": 0.99,
    "p99.9": 0.999,
}
"""The percentiles of a latency: which quantile each is."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a threshold can be about.

    Attributes:
        whole: What it can also be given a percentage of; None if it cannot.
        kind: The kind whose latency it is; None for what is no latency, or of any kind.
        group: The kind's API group; None for any.
        latency: Which latency: a phase, or one of `Latency`; of an operation, one of
            `OperationLatency`.
        operation: The operation whose latency it is; None for what is of objects.
        milestone: Of the operation, where the latency is of one.
        churn: Whether it is about what churn creates and deletes, and not about the others.
        of_any_kind: Whether the threshold says which kind it is about.
    """

    name: str
    unit: Unit
    whole: str | None = None
    kind: str | None = None
    latency: str | None = None
    group: str | None = ""
    operation: str | None = None
    milestone: str | None = None
    churn: bool = False
    of_any_kind: bool = False

    def is_about(self, kind_name: str, group: str | None = None) -> bool:
        """Whether it is about a kind, as results call it, of a group, as far as that is known."""
        if self.group is None:
            return kind_name.partition(".")[0] == self.kind
        known = (self.kind, f"{self.kind}.{self.group}")
        return kind_name in known and group in (None, self.group)

    @property
    def has_minimum(self) -> bool:
        """Whether more of it is better: its bound is ``min``, and otherwise ``max``."""
        return self.unit is Unit.PER_SECOND


_KUBEVIRT: Final = "kubevirt.io"


class _Kind(NamedTuple):
    """A kind whose readiness is known: the phases on the way to it, and what else it comes to."""

    short: str
    group: str
    name: str
    path: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()


_KINDS: Final = (
    _Kind(
        "vmi",
        _KUBEVIRT,
        "VirtualMachineInstance",
        ("Pending", "Scheduling", "Scheduled", "Running"),
        ("IP", "ReadyCondition", "AgentConnected"),
    ),
    _Kind("vm", _KUBEVIRT, "VirtualMachine", ("Starting", "Running")),
    _Kind("vmirs", _KUBEVIRT, "VirtualMachineInstanceReplicaSet"),
    _Kind(
        "vmim",
        _KUBEVIRT,
        "VirtualMachineInstanceMigration",
        ("Pending", "Scheduling", "Scheduled", "Running", "Succeeded"),
    ),
    _Kind(
        "pod",
        "",
        "Pod",
        ("Pending", "Running"),
        ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady"),
    ),
)
MILESTONES_OF: Final = {
    name: kind.milestones
    for kind in _KINDS
    if kind.milestones
    for name in (kind.name, f"{kind.name}.{kind.group}")
}
"""Milestones of the kinds that have some, by what results call the kinds."""
MILESTONES: Final = tuple(dict.fromkeys(name for kind in _KINDS for name in kind.milestones))
"""What objects come to beside their phases: a guest's address, the condition ``Ready``, its agent.

They are measured as phases are, where they are seen, and no object has to come to them. Records and
results have them among the phases, but an object is never *in* one."""


def _latencies() -> Iterator[Metric]:
    for short, group, kind, path, milestones in _KINDS:
        for latency in (Latency.CREATION, *path, Latency.READY, *milestones, Latency.DELETION):
            name = f"{short}{latency[0].upper()}{latency[1:]}"
            yield Metric(name, Unit.SECONDS, kind=kind, latency=str(latency), group=group)


def _latencies_of_churn() -> Iterator[Metric]:
    for short, group, kind, path, _ in _KINDS:
        for latency in (Latency.CREATION, *path, Latency.READY, Latency.DELETION):
            yield Metric(
                f"{short}Churn{latency[0].upper()}{latency[1:]}",
                Unit.SECONDS,
                kind=kind,
                latency=str(latency),
                group=group,
                churn=True,
            )


def _latencies_of_operations() -> Iterator[Metric]:
    """Of each operation but create, whose latencies are those of objects."""
    for name, row in OPERATIONS.items():
        if row.creates:
            continue
        latencies: dict[str, tuple[OperationLatency, str | None]] = {
            "Response": (OperationLatency.RESPONSE, None)
        }
        if row.effect not in {Effect.ANSWERED, Effect.FIRST_STATE}:
            latencies["Effect"] = (OperationLatency.EFFECT, None)
        for milestone in row.milestones:
            latencies[milestone] = (OperationLatency.MILESTONE, milestone)
            latencies[f"TimeIn{milestone}"] = (OperationLatency.TIME_IN, milestone)
        for suffix, (latency, of) in latencies.items():
            yield Metric(
                f"{name}{suffix}",
                Unit.SECONDS,
                latency=latency.value,
                operation=name,
                milestone=of,
            )


PHASE: Final = "phase"
"""Of any kind: the threshold says which phase or milestone."""


def _latencies_of_any_kind() -> Iterator[Metric]:
    for latency in (Latency.CREATION, PHASE, Latency.READY, Latency.DELETION):
        for churn in (False, True):
            name = f"churn{latency[0].upper()}{latency[1:]}" if churn else latency.lower()
            yield Metric(
                name, Unit.SECONDS, latency=str(latency), group=None, churn=churn, of_any_kind=True
            )


METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (
        *_latencies(),
        *_latencies_of_churn(),
        *_latencies_of_any_kind(),
        *_latencies_of_operations(),
        Metric("failed", Unit.COUNT, "the objects and operations that were requested"),
        Metric("unready", Unit.COUNT, "the objects that were requested"),
        Metric("unfinished", Unit.COUNT, "the operations that were requested"),
        Metric("leftover", Unit.COUNT, "the objects that were requested"),
        Metric("apiErrors", Unit.COUNT, "the requests that were sent"),
        Metric("apiRetries", Unit.COUNT, "the requests that were sent"),
        Metric("sentQps", Unit.PER_SECOND, "the rate that was wanted"),
        Metric("achievedQps", Unit.PER_SECOND, "the rate that was wanted"),
    )
}
"""By their names, in the order in which they are listed."""

"""Kube-burner's measurements: of which kind each is, and what its documents call its latencies.

Of a measurement's conditions only those are here whose time is in our records. The names are those
of the structures in https://github.com/kube-burner/kube-burner/tree/main/pkg/measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.results.measure.latencies import ready_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.results.model.records import ObjectRecord


@dataclass(frozen=True, slots=True)
class Condition:
    """What an object comes to.

    Attributes:
        field: Of its latency, in the document of an object.
        quantile: What the documents of quantiles call it.
        reached_s: When an object came to it, in seconds since the run's start.
        expected: Whether an object that did not become ready is missing if it did not get there.
    """

    field: str
    quantile: str
    reached_s: Callable[[ObjectRecord], float | None]
    expected: bool = True


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measurement.

    Attributes:
        name: As in ``podLatency``.
        group: Of the kind's API.
        kind: What it measures.
        named: The field with the object's name.
        conditions: In their order.
    """

    name: str
    group: str
    kind: str
    named: str
    conditions: tuple[Condition, ...]

    @property
    def series(self) -> str:
        """The metric that has a document for each object."""
        return f"{self.name}Measurement"

    @property
    def quantiles(self) -> str:
        """The metric that has a document for each condition."""
        return f"{self.name}QuantilesMeasurement"


def _phase(field: str, quantile: str, phase: str, *, expected: bool = True) -> Condition:
    return Condition(field, quantile, lambda record: record.phases_s.get(phase), expected)


def _pod_ready_s(record: ObjectRecord) -> float | None:
    """When its condition Ready was seen; a pod that succeeded is ready here, and not there."""
    reached_s, ended_s = ready_s(record), record.phases_s.get("Succeeded")
    return None if reached_s is not None and reached_s == ended_s else reached_s


_MIGRATION: Final = (
    *("Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running"),
    "Succeeded",
)

VMI: Final = Measurement(
    "vmiLatency",
    "kubevirt.io",
    "VirtualMachineInstance",
    "vmiName",
    (
        Condition("vmiCreatedLatency", "VMICreated", lambda record: record.created_s),
        *(
            _phase(f"vmi{phase}Latency", f"VMI{phase}", phase)
            for phase in ("Pending", "Scheduling", "Scheduled", "Running")
        ),
    ),
)
MIGRATION: Final = Measurement(
    "vmimLatency",
    "kubevirt.io",
    "VirtualMachineInstanceMigration",
    "vmimName",
    tuple(_phase(f"{phase[0].lower()}{phase[1:]}Latency", phase, phase) for phase in _MIGRATION),
)
_MEASUREMENTS: Final = (
    VMI,
    MIGRATION,
    Measurement(
        "podLatency",
        "",
        "Pod",
        "podName",
        (
            _phase("schedulingLatency", "PodScheduled", "PodScheduled"),
            _phase("initializedLatency", "Initialized", "Initialized"),
            _phase(
                "readyToStartContainersLatency",
                "PodReadyToStartContainers",
                "PodReadyToStartContainers",
                expected=False,  # clusters before 1.29 have no such condition
            ),
            _phase("containersReadyLatency", "ContainersReady", "ContainersReady"),
            Condition("podReadyLatency", "Ready", _pod_ready_s),
        ),
    ),
    Measurement(
        "jobLatency",
        "batch",
        "Job",
        "k8sJobName",
        (Condition("completionLatency", "Complete", ready_s),),
    ),
    Measurement(
        "pvcLatency",
        "",
        "PersistentVolumeClaim",
        "pvcName",
        (
            _phase("pendingLatency", "Pending", "Pending"),
            _phase("bindingLatency", "Bound", "Bound"),
            _phase("lostLatency", "Lost", "Lost", expected=False),
        ),
    ),
    Measurement(
        "dvLatency",
        "cdi.kubevirt.io",
        "DataVolume",
        "dvName",
        (Condition("dvReadyLatency", "Ready", ready_s),),
    ),
    Measurement(
        "volumeSnapshotLatency",
        "snapshot.storage.k8s.io",
        "VolumeSnapshot",
        "vsName",
        (Condition("vsReadyLatency", "Ready", ready_s),),
    ),
)
_BY_KIND: Final = {each.kind: each for each in _MEASUREMENTS}


def measurement_of(record: ObjectRecord) -> Measurement | None:
    """What kube-burner measures of the record's kind; None for nothing."""
    found = _BY_KIND.get(record.kind.partition(".")[0])
    return found if found is not None and is_a(record, found.group, found.kind) else None


def is_a(record: ObjectRecord, group: str, kind: str) -> bool:
    """Whether a record is of that kind, and not of one of the same name of another group."""
    if record.kind not in (kind, f"{kind}.{group}"):
        return False
    api_group, slash, _ = record.api_version.partition("/")
    # Records of earlier versions do not say.
    return not record.api_version or (api_group if slash else "") == group

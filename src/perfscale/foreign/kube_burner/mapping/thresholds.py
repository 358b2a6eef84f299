"""Thresholds of measurements, as thresholds of the workloads that make what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.config import format_duration
from perfscale.foreign.kube_burner.mapping.placed import At

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config.reading.source import KeyPath
    from perfscale.foreign.kube_burner.mapping.context import JobAt, Reading
    from perfscale.foreign.kube_burner.mapping.manifests import Manifest
    from perfscale.foreign.kube_burner.models.measurements import Measurement, ThresholdEntry

_POD: Final = "Pod"
_VMI: Final = "VirtualMachineInstance"
_CONDITIONS: Final = {
    "podLatency": (
        _POD,
        {
            "Ready": {"metric": "podReady"},
            "Initialized": {"metric": "podInitialized"},
            "PodScheduled": {"metric": "podPodScheduled"},
            "ContainersReady": {"metric": "podContainersReady"},
        },
    ),
    "vmiLatency": (
        _VMI,
        {
            "VMIPending": {"metric": "vmiPending"},
            "VMIScheduling": {"metric": "vmiScheduling"},
            "VMIScheduled": {"metric": "vmiScheduled"},
            "VMIRunning": {"metric": "vmiRunning"},
        },
    ),
    "jobLatency": ("Job", {"Complete": {"metric": "ready", "kind": "Job"}}),
    "pvcLatency": (
        "PersistentVolumeClaim",
        {"Bound": {"metric": "ready", "kind": "PersistentVolumeClaim"}},
    ),
    "dataVolumeLatency": ("DataVolume", {"Ready": {"metric": "ready", "kind": "DataVolume"}}),
    "volumeSnapshotLatency": (
        "VolumeSnapshot",
        {"Ready": {"metric": "ready", "kind": "VolumeSnapshot"}},
    ),
}
"""By measurement: the kind that it is of, and our metric for each of its conditions."""
_MAKERS: Final = {
    _POD: {
        *("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"),
    },
    _VMI: {"VirtualMachine", "VirtualMachineInstanceReplicaSet", "VirtualMachinePool"},
}
"""Kinds of which controllers make the kind that is measured."""
_STATISTICS: Final = {"P99": "p99", "P95": "p95", "P50": "p50", "Avg": "mean", "Max": "max"}


def is_ignored(measurement: str) -> bool:
    """Whether that program takes thresholds of a measurement, and judges none of them."""
    return measurement in {"serviceLatency", "netpolLatency", "pprof"}


def has_meaning(measurement: str, condition: str) -> bool:
    """Whether a threshold on this condition can be taken over."""
    return condition in _CONDITIONS.get(measurement, ("", {}))[1]


def thresholds_of(job: JobAt, manifests: Sequence[Manifest]) -> list[Any]:
    """The thresholds of a workload that makes these, as far as they are about any of it."""
    kinds = {manifest.kind for manifest in manifests}
    found = []
    for path, measurement in _measurements(job):
        if measurement.name not in _CONDITIONS:
            continue
        measured, conditions = _CONDITIONS[measurement.name]
        if not kinds & {measured, *_MAKERS.get(measured, ())}:
            continue
        job.reading.judged.add(path)
        for number, each in enumerate(measurement.thresholds):
            if each.condition_type in conditions:
                threshold = _threshold(each, conditions[each.condition_type])
                found.append(At(threshold, (*path, "thresholds", number)))
    return found


def note_unjudged(reading: Reading) -> None:
    """Say which measurements have thresholds on what no job makes; after all jobs."""
    configuration = reading.configuration
    jobs = enumerate(configuration.jobs)
    places: list[tuple[str, Sequence[Measurement], KeyPath]] = [
        ("", configuration.global_.measurements, ("global",)),
        *((f"{job.name}: ", job.measurements, ("jobs", number)) for number, job in jobs),
    ]
    replaced = {each.name for job in configuration.jobs for each in job.measurements}
    for whose, measurements, path in places:
        for number, each in enumerate(measurements):
            is_replaced = path == ("global",) and each.name in replaced
            is_judged = (*path, "measurements", number) in reading.judged or is_replaced
            if each.thresholds and each.name in _CONDITIONS and not is_judged:
                kind = _CONDITIONS[each.name][0]
                reading.note(
                    f"{whose}thresholds of {each.name} judge nothing: no {kind} is created there"
                )


def _threshold(entry: ThresholdEntry, metric: dict[str, str]) -> dict[str, Any]:
    bound = format_duration(entry.threshold)
    return {**metric, "quantile": _STATISTICS[entry.metric], "max": bound}


def _measurements(job: JobAt) -> Iterator[tuple[KeyPath, Measurement]]:
    """Those of all jobs, and its own, which stand in the place of those of their names."""
    own = {each.name for each in job.job.measurements if each.thresholds}
    for number, each in enumerate(job.reading.configuration.global_.measurements):
        if each.name not in own:
            yield ("global", "measurements", number), each
    for number, each in enumerate(job.job.measurements):
        yield (*job.path, "measurements", number), each

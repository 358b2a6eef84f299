"""Kinds that make pods."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import AGE, Column, Kind

_READY: Final = Column("Ready", ".status.readyReplicas", of=".spec.replicas")
_COUNTS: Final = (
    Column("Desired", ".spec.replicas", "integer"),
    Column("Current", ".status.replicas", "integer"),
    Column("Ready", ".status.readyReplicas", "integer"),
    AGE,
)


def _workload(
    plural: str,
    kind: str,
    short: tuple[str, ...],
    columns: tuple[Column, ...],
    *,
    group: str = "apps",
    scale: bool = True,
) -> Kind:
    return Kind(
        group,
        ("v1",),
        plural,
        kind,
        short_names=short,
        columns=columns,
        status=True,
        scale=scale,
        generation=True,
        categories=("all",),
    )


WORKLOADS: Final = (
    _workload(
        "deployments",
        "Deployment",
        ("deploy",),
        (
            _READY,
            Column("Up-to-date", ".status.updatedReplicas", "integer"),
            Column("Available", ".status.availableReplicas", "integer"),
            AGE,
        ),
    ),
    _workload("replicasets", "ReplicaSet", ("rs",), _COUNTS),
    _workload("statefulsets", "StatefulSet", ("sts",), (_READY, AGE)),
    _workload(
        "daemonsets",
        "DaemonSet",
        ("ds",),
        (
            Column("Desired", ".status.desiredNumberScheduled", "integer"),
            Column("Current", ".status.currentNumberScheduled", "integer"),
            Column("Ready", ".status.numberReady", "integer"),
            Column("Up-to-date", ".status.updatedNumberScheduled", "integer"),
            Column("Available", ".status.numberAvailable", "integer"),
            AGE,
        ),
        scale=False,
    ),
    _workload("replicationcontrollers", "ReplicationController", ("rc",), _COUNTS, group=""),
    _workload(
        "jobs",
        "Job",
        (),
        (
            Column("Status", ".status.conditions[0].type"),
            Column("Completions", ".status.succeeded", of=".spec.completions"),
            AGE,
        ),
        group="batch",
        scale=False,
    ),
)

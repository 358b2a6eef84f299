"""Kinds of Kubernetes' core group, but for workloads and volumes."""

from __future__ import annotations

from typing import Final

from perfscale.sim.storage.resources import AGE, Column, Kind, condition_column


def _core(plural: str, kind: str, *short_names: str, columns: tuple[Column, ...] = (AGE,)) -> Kind:
    return Kind("", ("v1",), plural, kind, short_names=short_names, columns=columns)


CORE: Final = (
    Kind(
        "",
        ("v1",),
        "namespaces",
        "Namespace",
        namespaced=False,
        short_names=("ns",),
        columns=(Column("Status", ".status.phase"), AGE),
        status=True,
    ),
    Kind(
        "",
        ("v1",),
        "nodes",
        "Node",
        namespaced=False,
        short_names=("no",),
        columns=(
            condition_column("Ready", "Ready"),
            Column("Unschedulable", ".spec.unschedulable"),
            AGE,
            Column("Pods", ".status.allocatable.pods", priority=1),
            Column("CPU", ".status.allocatable.cpu", priority=1),
            Column("Memory", ".status.allocatable.memory", priority=1),
        ),
        status=True,
    ),
    Kind(
        "",
        ("v1",),
        "pods",
        "Pod",
        short_names=("po",),
        columns=(
            condition_column("Ready", "Ready"),
            Column("Status", ".status.phase"),
            AGE,
            Column("IP", ".status.podIP", priority=1),
            Column("Node", ".spec.nodeName", priority=1),
        ),
        status=True,
        graceful=True,
        categories=("all",),
    ),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret", columns=(Column("Type", ".type"), AGE)),
    Kind(
        "",
        ("v1",),
        "services",
        "Service",
        short_names=("svc",),
        columns=(
            Column("Type", ".spec.type"),
            Column("Cluster-IP", ".spec.clusterIP"),
            Column("External-IP", ".status.loadBalancer.ingress[0].ip"),
            AGE,
        ),
        status=True,
        categories=("all",),
    ),
    _core("serviceaccounts", "ServiceAccount", "sa"),
    _core(
        "events",
        "Event",
        "ev",
        columns=(
            Column("Last Seen", ".lastTimestamp", "date"),
            Column("Type", ".type"),
            Column("Reason", ".reason"),
            Column("Object", ".involvedObject.name"),
            Column("Message", ".message"),
        ),
    ),
    _core("resourcequotas", "ResourceQuota", "quota"),
    _core("limitranges", "LimitRange", "limits"),
)

"""What is in the simulated cluster from its start: nodes, storage classes and KubeVirt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.kube.resources import NAMESPACES
from perfscale.sim.controllers.cluster.facts import WAIT_FOR_FIRST_CONSUMER
from perfscale.sim.controllers.cluster.node import ready_status
from perfscale.sim.controllers.kinds import KUBEVIRT, NODE, STORAGE_CLASS
from perfscale.sim.controllers.kubevirt.migration.limits import (
    PARALLEL_OUT_OF_A_NODE,
    PARALLEL_PER_CLUSTER,
)
from perfscale.sim.controllers.kubevirt.placement import NODE_NAMES, node_address
from perfscale.sim.controllers.objects import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.store import Store

KUBEVIRT_VERSION: Final = "v1.9.0-perfscale"
_PROVISIONER: Final = "simulation.perfscale"
_CLASSES: Final = {"standard": "Immediate", "local": WAIT_FOR_FIRST_CONSUMER}
_DEFAULT_CLASS: Final = "standard"
_NAMESPACE: Final = "kubevirt"


def create_initial_objects(store: Store) -> None:
    """Create them, as far as they are not there."""
    for name in _missing(store, NODE, NODE_NAMES):
        _create_node(store, name)
    for name in _missing(store, STORAGE_CLASS, _CLASSES):
        store.create(STORAGE_CLASS, _storage_class(name, _CLASSES[name]))
    for name in _missing(store, NAMESPACES, (_NAMESPACE,)):
        store.create(NAMESPACES, {"metadata": {"name": name}})
        installed = store.create(KUBEVIRT, _kubevirt())
        status = _kubevirt_status(store.now())
        store.update(KUBEVIRT, {**installed, "status": status}, subresource="status")


def _missing(store: Store, resource: Resource, names: Iterable[str]) -> list[str]:
    present = {record.name for record in store.records(resource)}
    return [name for name in names if name not in present]


def _create_node(store: Store, name: str) -> None:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubevirt.io/schedulable": "true",
        "node-role.kubernetes.io/worker": "",
    }
    node = store.create(NODE, {"metadata": {"name": name, "labels": labels}, "spec": {}})
    addresses = [
        {"type": "InternalIP", "address": node_address(name)},
        {"type": "Hostname", "address": name},
    ]
    status = {**ready_status(node, store.now()), "addresses": addresses}
    store.update(NODE, {**node, "status": status}, subresource="status")


def _storage_class(name: str, mode: str) -> JSON:
    is_default = str(name == _DEFAULT_CLASS).lower()
    return {
        "metadata": {
            "name": name,
            "annotations": {"storageclass.kubernetes.io/is-default-class": is_default},
        },
        "provisioner": _PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": mode,
        "allowVolumeExpansion": True,
    }


def _kubevirt() -> JSON:
    """KubeVirt's configuration: its defaults, spelled out, which the simulation keeps to."""
    limits = {"tokenBucketRateLimiter": {"qps": 200, "burst": 400}}
    client = {"restClient": {"rateLimiter": limits}}
    return {
        "metadata": {"name": _NAMESPACE, "namespace": _NAMESPACE},
        "spec": {
            "configuration": {
                "developerConfiguration": {"featureGates": ["HotplugVolumes", "Snapshot"]},
                "migrations": {
                    "parallelMigrationsPerCluster": PARALLEL_PER_CLUSTER,
                    "parallelOutboundMigrationsPerNode": PARALLEL_OUT_OF_A_NODE,
                    "completionTimeoutPerGiB": 150,
                    "progressTimeout": 150,
                },
                "webhookConfiguration": client,
                "controllerConfiguration": client,
                "handlerConfiguration": client,
            }
        },
    }


def _kubevirt_status(now: datetime) -> JSON:
    stamp = timestamp(now)
    return {
        "phase": "Deployed",
        "observedKubeVirtVersion": KUBEVIRT_VERSION,
        "targetKubeVirtVersion": KUBEVIRT_VERSION,
        "operatorVersion": KUBEVIRT_VERSION,
        "observedGeneration": 1,
        "conditions": [
            {"type": kind, "status": holds, "lastTransitionTime": stamp, "reason": reason}
            for kind, holds, reason in (
                ("Available", "True", "AllComponentsReady"),
                ("Progressing", "False", "AllComponentsReady"),
                ("Degraded", "False", "AllComponentsReady"),
                ("Created", "True", "AllResourcesCreated"),
            )
        ],
    }

"""The controllers of a cluster with KubeVirt: one line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.cluster.extensions import ExtensionController
from perfscale.sim.controllers.cluster.node import NodeController
from perfscale.sim.controllers.cluster.service import ServiceController
from perfscale.sim.controllers.cluster.watched import Watched
from perfscale.sim.controllers.kinds import (
    API_SERVICE,
    CRD,
    KUBEVIRT_GROUP,
    POD,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STORAGE_CLASS,
)
from perfscale.sim.controllers.kubevirt.copies.vmclone import VmCloneController
from perfscale.sim.controllers.kubevirt.copies.vmrestore import VmRestoreController
from perfscale.sim.controllers.kubevirt.copies.vmsnapshot import VmSnapshotController
from perfscale.sim.controllers.kubevirt.migration.vmim import VmimController
from perfscale.sim.controllers.kubevirt.pod import PodController
from perfscale.sim.controllers.kubevirt.vm import VmController
from perfscale.sim.controllers.kubevirt.vmi import VmiController
from perfscale.sim.controllers.kubevirt.vmirs import VmirsController
from perfscale.sim.controllers.kubevirt.vmpool import VmPoolController
from perfscale.sim.controllers.storage.claim import ClaimController, VolumeController
from perfscale.sim.controllers.storage.datasource import DataSourceController
from perfscale.sim.controllers.storage.datavolume import DataVolumeController
from perfscale.sim.controllers.storage.volumesnapshot import VolumeSnapshotController
from perfscale.sim.controllers.workloads.daemonset import DaemonSetController
from perfscale.sim.controllers.workloads.deployment import DeploymentController
from perfscale.sim.controllers.workloads.job import JobController
from perfscale.sim.controllers.workloads.replicaset import ReplicaSetController
from perfscale.sim.controllers.workloads.statefulset import StatefulSetController

if TYPE_CHECKING:
    import random

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Controller


def standard_controllers(names: random.Random) -> tuple[Controller, ...]:
    """A controller for each kind that has one.

    Args:
        names: Where the suffixes of generated names come from.
    """
    return (
        VmiController(),
        VmController(),
        VmirsController(names),
        VmimController(),
        PodController(),
        DeploymentController(),
        ReplicaSetController(REPLICA_SET, names),
        ReplicaSetController(REPLICATION_CONTROLLER, names),
        StatefulSetController(),
        DaemonSetController(names),
        JobController(names),
        NodeController(),
        Watched(STORAGE_CLASS),
        ClaimController(),
        VolumeController(),
        VolumeSnapshotController(),
        DataVolumeController(),
        DataSourceController(),
        VmPoolController(),
        VmSnapshotController(),
        VmRestoreController(),
        VmCloneController(),
        ServiceController(),
        ExtensionController(CRD),
        ExtensionController(API_SERVICE),
    )


def is_required(resource: Resource) -> bool:
    """Whether a cluster has the kind for certain, and is waited for until it serves it.

    The other kinds are those of clusters on which more is installed than KubeVirt.
    """
    return resource.group == KUBEVIRT_GROUP or resource == POD

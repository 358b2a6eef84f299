"""The kinds that the simulated controllers reconcile."""

from __future__ import annotations

from typing import Final

from perfscale.kube.resources import Resource

KUBEVIRT_GROUP: Final = "kubevirt.io"

VMI: Final = Resource(
    KUBEVIRT_GROUP, "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True
)
VM: Final = Resource(KUBEVIRT_GROUP, "v1", "virtualmachines", "VirtualMachine", namespaced=True)
VMIRS: Final = Resource(
    KUBEVIRT_GROUP,
    "v1",
    "virtualmachineinstancereplicasets",
    "VirtualMachineInstanceReplicaSet",
    namespaced=True,
)
VMIM: Final = Resource(
    KUBEVIRT_GROUP,
    "v1",
    "virtualmachineinstancemigrations",
    "VirtualMachineInstanceMigration",
    namespaced=True,
)
POD: Final = Resource("", "v1", "pods", "Pod", namespaced=True)

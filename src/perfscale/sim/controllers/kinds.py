"""The kinds that the simulated controllers reconcile."""

from __future__ import annotations

from typing import Final

from perfscale.kube.resources import DEFINITIONS, Resource

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
KUBEVIRT: Final = Resource(KUBEVIRT_GROUP, "v1", "kubevirts", "KubeVirt", namespaced=True)
VM_POOL: Final = Resource(
    "pool.kubevirt.io", "v1beta1", "virtualmachinepools", "VirtualMachinePool", namespaced=True
)
VM_SNAPSHOT: Final = Resource(
    "snapshot.kubevirt.io",
    "v1beta1",
    "virtualmachinesnapshots",
    "VirtualMachineSnapshot",
    namespaced=True,
)
VM_RESTORE: Final = Resource(
    "snapshot.kubevirt.io",
    "v1beta1",
    "virtualmachinerestores",
    "VirtualMachineRestore",
    namespaced=True,
)
VM_CLONE: Final = Resource(
    "clone.kubevirt.io", "v1beta1", "virtualmachineclones", "VirtualMachineClone", namespaced=True
)

DATA_VOLUME: Final = Resource(
    "cdi.kubevirt.io", "v1beta1", "datavolumes", "DataVolume", namespaced=True
)
DATA_SOURCE: Final = Resource(
    "cdi.kubevirt.io", "v1beta1", "datasources", "DataSource", namespaced=True
)
VOLUME_SNAPSHOT: Final = Resource(
    "snapshot.storage.k8s.io", "v1", "volumesnapshots", "VolumeSnapshot", namespaced=True
)
STORAGE_CLASS: Final = Resource(
    "storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False
)
PVC: Final = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", namespaced=True)
PV: Final = Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False)

EVENT: Final = Resource("", "v1", "events", "Event", namespaced=True)
NODE: Final = Resource("", "v1", "nodes", "Node", namespaced=False)
SERVICE: Final = Resource("", "v1", "services", "Service", namespaced=True)
REPLICATION_CONTROLLER: Final = Resource(
    "", "v1", "replicationcontrollers", "ReplicationController", namespaced=True
)
DEPLOYMENT: Final = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
REPLICA_SET: Final = Resource("apps", "v1", "replicasets", "ReplicaSet", namespaced=True)
STATEFUL_SET: Final = Resource("apps", "v1", "statefulsets", "StatefulSet", namespaced=True)
DAEMON_SET: Final = Resource("apps", "v1", "daemonsets", "DaemonSet", namespaced=True)
JOB: Final = Resource("batch", "v1", "jobs", "Job", namespaced=True)

CRD: Final = DEFINITIONS
API_SERVICE: Final = Resource(
    "apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False
)

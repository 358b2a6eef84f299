"""What "ready" and "failed" mean, kind by kind: the table.

A kind that is not in it is ready once the server has accepted it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.engine.tracking.readiness.kubevirt import (
    ReplicaSet,
    VirtualMachine,
    read_migration,
    read_pool,
    read_set,
    read_vm,
    read_vmi,
)
from perfscale.engine.tracking.readiness.objects import AnyObject
from perfscale.engine.tracking.readiness.phased import (
    FlaggedObject,
    PhasedObject,
    by_condition,
    by_phase,
    read_complete,
    read_ready_to_use,
)
from perfscale.engine.tracking.readiness.reading import KindRule
from perfscale.engine.tracking.readiness.services import Service, read_service
from perfscale.engine.tracking.readiness.workloads import (
    Job,
    PodSet,
    read_daemon_set,
    read_deployment,
    read_job,
    read_pod,
    read_replica_set,
    read_stateful_set,
)

if TYPE_CHECKING:
    from perfscale.kube.resources import Resource

_FIRST_USE: Final = (
    "it stays there until a pod uses it, as its storage class binds at first use; to take that as "
    "ready, write readyWhen: jsonpath={{.status.phase}}={phase}"
)
_WAITING_FOR_USE: Final = {
    phase: _FIRST_USE.format(phase=phase) for phase in ("WaitForFirstConsumer", "PendingPopulation")
}
"""https://github.com/kubevirt/containerized-data-importer/blob/main/doc/waitforfirstconsumer-storage-handling.md"""
_UNBOUND: Final = {
    "Pending": "it is not bound; if its storage class binds at first use (WaitForFirstConsumer), "
    "it stays so until a pod uses it"
}

# The phases that KubeVirt, CDI and Kubernetes document, on the way to readiness:
# https://kubevirt.io/api-reference/ and
# https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
_RULES: Final[dict[tuple[str, str], KindRule[Any]]] = {
    # KubeVirt
    ("kubevirt.io", "virtualmachineinstances"): KindRule(
        PhasedObject, read_vmi, path=("Pending", "Scheduling", "Scheduled", "Running")
    ),
    ("kubevirt.io", "virtualmachines"): KindRule(
        VirtualMachine, read_vm, path=("Starting", "Running")
    ),
    ("kubevirt.io", "virtualmachineinstancereplicasets"): KindRule(ReplicaSet, read_set),
    ("pool.kubevirt.io", "virtualmachinepools"): KindRule(ReplicaSet, read_pool),
    ("kubevirt.io", "virtualmachineinstancemigrations"): KindRule(
        PhasedObject,
        read_migration,
        path=("Pending", "Scheduling", "Scheduled", "Running", "Succeeded"),
    ),
    ("snapshot.kubevirt.io", "virtualmachinesnapshots"): KindRule(FlaggedObject, read_ready_to_use),
    ("snapshot.kubevirt.io", "virtualmachinerestores"): KindRule(FlaggedObject, read_complete),
    ("clone.kubevirt.io", "virtualmachineclones"): by_phase(
        "Succeeded", failed=("Failed",), causes=("Ready", "Progressing")
    ),
    ("export.kubevirt.io", "virtualmachineexports"): by_phase(
        "Ready", failed=("Terminated", "Skipped"), causes=("Ready",)
    ),
    # Storage
    ("cdi.kubevirt.io", "datavolumes"): by_phase(
        "Succeeded",
        failed=("Failed",),
        causes=("Running", "Bound", "Ready"),
        notes=_WAITING_FOR_USE,
    ),
    ("cdi.kubevirt.io", "datasources"): by_condition("Ready"),
    ("cdi.kubevirt.io", "dataimportcrons"): by_condition("UpToDate"),
    ("", "persistentvolumeclaims"): by_phase("Bound", failed=("Lost",), notes=_UNBOUND),
    ("snapshot.storage.k8s.io", "volumesnapshots"): KindRule(FlaggedObject, read_ready_to_use),
    # Kubernetes' workloads
    ("apps", "deployments"): KindRule(PodSet, read_deployment),
    ("apps", "statefulsets"): KindRule(PodSet, read_stateful_set),
    ("apps", "replicasets"): KindRule(PodSet, read_replica_set),
    ("apps", "daemonsets"): KindRule(PodSet, read_daemon_set),
    ("", "replicationcontrollers"): KindRule(PodSet, read_replica_set),
    ("batch", "jobs"): KindRule(Job, read_job),
    ("", "pods"): KindRule(PhasedObject, read_pod, path=("Pending", "Running")),
    # What others build on
    ("", "services"): KindRule(Service, read_service),
    ("", "namespaces"): by_phase("Active"),
    ("apiextensions.k8s.io", "customresourcedefinitions"): by_condition("Established"),
    ("apiregistration.k8s.io", "apiservices"): by_condition("Available"),
}
_WITHOUT_READINESS: Final[KindRule[Any]] = KindRule(AnyObject, None)


def rule_for(resource: Resource) -> KindRule[Any]:
    """The rule for a resource, whatever version of its API is spoken."""
    return _RULES.get((resource.group, resource.plural), _WITHOUT_READINESS)

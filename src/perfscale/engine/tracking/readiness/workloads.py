"""Kubernetes' own workloads: sets of pods as ``kubectl rollout status`` judges them, jobs, pods.

The statements are those of `kubectl's status viewers
<https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go>`_.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.config.sections.metrics import MILESTONES_OF
from perfscale.engine.tracking.readiness.objects import (
    Condition,
    VersionedMetadata,
    decode_conditions,
    explain,
)
from perfscale.engine.tracking.readiness.reading import Reading, because, ended

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from perfscale.engine.tracking.readiness.phased import PhasedObject

_MILESTONES: Final = MILESTONES_OF["Pod"]
"""Conditions of a pod that are measured when they become true."""
_ANY_MILESTONE: Final = frozenset(_MILESTONES)
_SEEN_MILESTONES: Final[dict[frozenset[str], tuple[str, ...]]] = {}
"""Each combination of them, once, in their order."""
_BEHIND = "its controller has not seen its spec yet"


class Partition(msgspec.Struct, frozen=True, gc=False):
    """How many replicas an update leaves out."""

    partition: int | None = None


class UpdateStrategy(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How a set is updated."""

    type: str | None = None
    rolling_update: Partition | None = None


class PodSetSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What a set of pods is to be; a DaemonSet has no ``replicas``."""

    replicas: int | None = None
    update_strategy: UpdateStrategy = UpdateStrategy()

    @property
    def wanted(self) -> int:
        """How many replicas; one where nothing is said."""
        return 1 if self.replicas is None else self.replicas


class PodSetStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How far it is; what is absent is 0."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_revision: str | None = None
    update_revision: str | None = None
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    conditions: list[Condition] | None = None


class PodSet(msgspec.Struct, frozen=True):
    """A Deployment, StatefulSet, ReplicaSet, ReplicationController or DaemonSet."""

    metadata: VersionedMetadata
    spec: PodSetSpec = PodSetSpec()
    status: PodSetStatus = PodSetStatus()

    @property
    def is_behind(self) -> bool:
        """Whether the status is about an older spec, or about none."""
        observed = self.status.observed_generation
        return not observed or self.metadata.generation > observed


class JobSpec(msgspec.Struct, frozen=True, rename="camel"):
    """How many of its pods have to succeed; one where nothing is said."""

    completions: int | None = None
    suspend: bool | None = None


class JobStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How many have, and whether it has ended."""

    succeeded: int = 0
    failed: int = 0
    conditions: list[Condition] | None = None


class Job(msgspec.Struct, frozen=True):
    """A Job."""

    metadata: VersionedMetadata
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


def read_deployment(obj: PodSet) -> Reading:
    """All replicas updated and available, and none of the old ones left."""
    if obj.is_behind:
        return Reading(detail=_BEHIND)
    status, wanted = obj.status, obj.spec.wanted
    for each in status.conditions or ():
        if each.type == "Progressing" and each.reason == "ProgressDeadlineExceeded":
            return Reading(failure=because("it exceeded its progress deadline", each.message))
    if status.updated_replicas < wanted:
        missing = f"{status.updated_replicas} of {wanted} replicas are updated"
    elif status.replicas > status.updated_replicas:
        missing = f"{status.replicas - status.updated_replicas} old replicas are still there"
    elif status.available_replicas < status.updated_replicas:
        missing = f"{status.available_replicas} of {status.updated_replicas} replicas are available"
    else:
        return Reading(ready=True)
    return _waiting(obj, missing)


def read_stateful_set(obj: PodSet) -> Reading:
    """All replicas ready, and those updated that the partition does not leave out."""
    if obj.is_behind:
        return Reading(detail=_BEHIND)
    status, wanted, strategy = obj.status, obj.spec.wanted, obj.spec.update_strategy
    partition = strategy.rolling_update.partition if strategy.rolling_update else None
    if status.ready_replicas < wanted:
        return _waiting(obj, f"{status.ready_replicas} of {wanted} replicas are ready")
    if strategy.type == "OnDelete":  # whoever deletes its pods updates it
        return Reading(ready=True)
    if partition is not None:
        updated = wanted - partition
        if status.updated_replicas < updated:
            return _waiting(obj, f"{status.updated_replicas} of {updated} replicas are updated")
    elif status.update_revision != status.current_revision:
        return _waiting(obj, f"{status.updated_replicas} of {wanted} replicas are updated")
    return Reading(ready=True)


def read_replica_set(obj: PodSet) -> Reading:
    """As many replicas available as are wanted, and no more there."""
    if obj.is_behind:
        return Reading(detail=_BEHIND)
    status, wanted = obj.status, obj.spec.wanted
    if status.available_replicas >= wanted and status.replicas == wanted:
        return Reading(ready=True)
    return _waiting(obj, f"{status.available_replicas} of {wanted} replicas are available")


def read_daemon_set(obj: PodSet) -> Reading:
    """Updated and available on every node that it belongs on."""
    if obj.is_behind:
        return Reading(detail=_BEHIND)
    status = obj.status
    wanted = status.desired_number_scheduled
    if obj.spec.update_strategy.type != "OnDelete" and status.updated_number_scheduled < wanted:
        return _waiting(obj, f"{status.updated_number_scheduled} of {wanted} pods are updated")
    if status.number_available < wanted:
        return _waiting(obj, f"{status.number_available} of {wanted} pods are available")
    return Reading(ready=True)


def _waiting(obj: PodSet, missing: str) -> Reading:
    return Reading(detail=explain(obj.status.conditions, "ReplicaFailure") or missing)


def read_job(obj: Job) -> Reading:
    """Ready by its condition ``Complete``; ``Failed`` is final."""
    for each in obj.status.conditions or ():
        if each.holds and each.type == "Complete":
            return Reading(ready=True)
        if each.holds and each.type == "Failed":
            return Reading(failure=because("the job failed", each.text))
    if obj.spec.suspend:
        return Reading(detail="it is suspended (spec.suspend)")
    wanted = 1 if obj.spec.completions is None else obj.spec.completions
    failed = f", {obj.status.failed} have failed" if obj.status.failed else ""
    return Reading(detail=f"{obj.status.succeeded} of {wanted} pods have succeeded{failed}")


def read_pod(obj: PhasedObject) -> Reading:
    """Running with condition ``Ready``, or run to completion; ``Failed`` is final."""
    status = obj.status
    phase = status.phase or None
    conditions = decode_conditions(status.conditions)
    holding = {each.type for each in conditions if each.holds}
    detail = (
        explain(conditions, "PodScheduled", "ContainersReady", "Ready")
        or status.message
        or status.reason
    )
    return Reading(
        phase=phase,
        ready=phase == "Succeeded" or (phase == "Running" and "Ready" in holding),
        failure=ended(phase, detail) if phase == "Failed" else None,
        detail=detail,
        milestones=_milestones_of(holding),
    )


def _milestones_of(holding: AbstractSet[str]) -> tuple[str, ...]:
    """Those that a pod has come to: the same tuple for the same ones, to compare by identity."""
    found = _ANY_MILESTONE & holding
    known = _SEEN_MILESTONES.get(found)
    if known is None:
        known = tuple(name for name in _MILESTONES if name in found)
        _SEEN_MILESTONES[found] = known
    return known

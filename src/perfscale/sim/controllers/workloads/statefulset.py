"""Stateful sets: numbered pods, one after the other, each with claims of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, Create, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import POD, PVC, STATEFUL_SET
from perfscale.sim.controllers.objects import (
    REVISION_LABEL,
    Key,
    is_deleting,
    is_finished,
    is_ready,
    uid_of,
    with_status,
)
from perfscale.sim.controllers.workloads.replicas import (
    MAX_CHANGES_AT_ONCE,
    child_from,
    failed_status,
    generation_of,
    hash_of,
    replicas_of,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON


class StatefulSetController:
    """Keeps the pods ``name-0``, ``name-1``, ... and makes their claims."""

    resource = STATEFUL_SET
    owns = POD

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for."""
        return None if is_deleting(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Take the next step: one pod at a time, unless they may go in parallel."""
        del now
        uid = uid_of(obj)
        pods = {_ordinal(pod): pod for pod in view.owned(POD, uid)}
        steps: list[Action] = []
        if not view.in_creation(uid):
            at_once = (obj["spec"].get("podManagementPolicy") or "") == "Parallel"
            for step in _steps(obj, pods, view):
                steps.append(step)
                # A claim is not what the others wait for.
                if isinstance(step, Create) and step.resource is PVC:
                    continue
                if not at_once or len(steps) >= MAX_CHANGES_AT_ONCE:
                    break
        return (*steps, *_report(obj, pods))

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when no pod can be created."""
        return failed_status(obj, reason, message, now)


def _ordinal(pod: JSON) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


def _revision(stateful_set: JSON) -> str:
    return f"{stateful_set['metadata']['name']}-{hash_of(stateful_set['spec'].get('template'))}"


def _revision_of(pod: JSON) -> str | None:
    labels: JSON = pod["metadata"].get("labels") or {}
    return labels.get(REVISION_LABEL)


def _steps(stateful_set: JSON, pods: Mapping[int, JSON], view: View) -> Iterator[Action]:
    """What there is to do, the most urgent first."""
    wanted = replicas_of(stateful_set)
    at_once = (stateful_set["spec"].get("podManagementPolicy") or "") == "Parallel"
    for ordinal in range(wanted):
        pod = pods.get(ordinal)
        if pod is None:
            yield from _creation(stateful_set, ordinal, view)
        elif is_finished(pod) and not is_deleting(pod):
            yield Delete(POD, pod)
        elif not at_once and (is_deleting(pod) or not is_ready(pod)):
            return
    for ordinal in sorted(pods, reverse=True):
        if ordinal >= wanted:
            if is_deleting(pods[ordinal]):
                return
            yield Delete(POD, pods[ordinal])
    yield from _updates(stateful_set, pods)


def _updates(stateful_set: JSON, pods: Mapping[int, JSON]) -> Iterator[Action]:
    """Replace the pods of an older template, the last one first, while all others are ready."""
    strategy: JSON = stateful_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return
    first = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    revision = _revision(stateful_set)
    for ordinal in range(replicas_of(stateful_set) - 1, first - 1, -1):
        pod = pods.get(ordinal)
        if pod is None or is_deleting(pod):
            return
        if _revision_of(pod) != revision:
            yield Delete(POD, pod)
            return
        if not is_ready(pod):
            return


def _creation(stateful_set: JSON, ordinal: int, view: View) -> Iterator[Action]:
    spec, metadata = stateful_set["spec"], stateful_set["metadata"]
    name = f"{metadata['name']}-{ordinal}"
    volumes = list(((spec.get("template") or {}).get("spec") or {}).get("volumes") or ())
    for template in spec.get("volumeClaimTemplates") or ():
        of_template: JSON = template.get("metadata") or {}
        claim = f"{of_template.get('name')}-{name}"
        volumes.append(
            {"name": of_template.get("name"), "persistentVolumeClaim": {"claimName": claim}}
        )
        if view.find(PVC, Key(metadata["namespace"], claim)) is None:
            matched: JSON = (spec.get("selector") or {}).get("matchLabels") or {}
            claim_metadata = {
                "name": claim,
                "namespace": metadata["namespace"],
                "labels": {**(of_template.get("labels") or {}), **matched},
            }
            typed = {"apiVersion": PVC.api_version, "kind": PVC.kind}
            claim_spec = template.get("spec") or {}
            yield Create(PVC, {**typed, "metadata": claim_metadata, "spec": claim_spec})
    labels = {
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
        REVISION_LABEL: _revision(stateful_set),
    }
    yield child_from(
        STATEFUL_SET,
        stateful_set,
        spec.get("template") or {},
        name,
        labels=labels,
        spec={"hostname": name, "volumes": volumes},
    )


def _report(stateful_set: JSON, pods: Mapping[int, JSON]) -> tuple[Action, ...]:
    old: JSON = stateful_set.get("status") or {}
    there = [pod for pod in pods.values() if not is_finished(pod)]
    ready = sum(is_ready(pod) and not is_deleting(pod) for pod in there)
    revision = _revision(stateful_set)
    updated = sum(_revision_of(pod) == revision for pod in there if not is_deleting(pod))
    # As long as not every pod has been replaced, the old revision is the current one.
    current = old.get("currentRevision") or revision
    if updated == replicas_of(stateful_set) == len(there) == ready:
        current = revision
    status = {
        **old,
        "observedGeneration": generation_of(stateful_set),
        "replicas": len(there),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "updatedReplicas": updated,
        "currentReplicas": sum(_revision_of(pod) == current for pod in there),
        "currentRevision": current,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    if status == old:
        return ()
    return (UpdateStatus(STATEFUL_SET, with_status(stateful_set, status)),)

"""Daemon sets: a pod on each node that its template fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.actions import Action, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import DAEMON_SET, NODE, POD
from perfscale.sim.controllers.objects import (
    REVISION_LABEL,
    condition,
    is_deleting,
    is_finished,
    is_ready,
    key_of,
    uid_of,
    with_status,
)
from perfscale.sim.controllers.workloads.replicas import (
    MAX_CHANGES_AT_ONCE,
    child_from,
    generation_of,
    hash_of,
    new_suffix,
    part_of,
    with_conditions,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.objects import Key
    from perfscale.sim.controllers.store import JSON


class DaemonSetController:
    """Keeps one pod a node.

    Args:
        names: Where the suffixes of the pods' names come from.
    """

    resource = DAEMON_SET
    owns = POD

    def __init__(self, names: random.Random) -> None:
        self._names = names

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """A node concerns every set."""
        return {NODE: _every_set}

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for."""
        return None if is_deleting(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Create the pods of nodes that have none, and delete those that should not be."""
        del now
        uid = uid_of(obj)
        pods = [pod for pod in view.owned(POD, uid) if not is_deleting(pod)]
        wanted = _fitting_nodes(obj, view)
        by_node = {_node_of(pod): pod for pod in pods if not is_finished(pod)}
        if view.in_creation(uid):
            return _report(obj, by_node, wanted)
        missing = [node for node in wanted if node not in by_node][:MAX_CHANGES_AT_ONCE]
        useless = [
            pod
            for pod in pods
            if _node_of(pod) not in wanted or by_node.get(_node_of(pod)) is not pod
        ]
        return (
            *(self._pod(obj, node) for node in missing),
            *(Delete(POD, pod) for pod in (*useless, *_outdated(obj, by_node, len(wanted)))),
            *_report(obj, by_node, wanted),
        )

    def _pod(self, daemon_set: JSON, node: str) -> Action:
        template: JSON = daemon_set["spec"].get("template") or {}
        return child_from(
            DAEMON_SET,
            daemon_set,
            template,
            f"{daemon_set['metadata']['name']}-{new_suffix(self._names)}",
            labels={REVISION_LABEL: hash_of(template)},
            spec={"nodeName": node},
        )

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when no pod can be created."""
        old: JSON = obj.get("status") or {}
        failure = condition("ReplicaFailure", holds=True, now=now, reason=reason, message=message)
        return {
            **old,
            "currentNumberScheduled": 0,
            "desiredNumberScheduled": max(1, old.get("desiredNumberScheduled", 0)),
            "numberReady": 0,
            "observedGeneration": generation_of(obj),
            "conditions": with_conditions(old, [failure]),
        }


def _every_set(node: JSON, view: View) -> Iterable[Key]:
    del node
    return [key_of(each) for each in view.all(DAEMON_SET)]


def _node_of(pod: JSON) -> str | None:
    name: str | None = (pod.get("spec") or {}).get("nodeName")
    return name


def _fitting_nodes(daemon_set: JSON, view: View) -> set[str]:
    spec: JSON = (daemon_set["spec"].get("template") or {}).get("spec") or {}
    selector: JSON = spec.get("nodeSelector") or {}
    return {
        name
        for name, node in view.facts.nodes.items()
        if all(node.labels.get(key) == value for key, value in selector.items())
    }


def _outdated(daemon_set: JSON, by_node: Mapping[str | None, JSON], nodes: int) -> list[JSON]:
    """The pods of an older template that may go now."""
    strategy: JSON = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    revision = hash_of(daemon_set["spec"].get("template") or {})
    most = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
    missing = nodes - sum(map(is_ready, by_node.values()))
    old = [pod for pod in by_node.values() if _revision_of(pod) != revision]
    return old[: max(0, part_of(most, nodes, up=True) - missing)]


def _revision_of(pod: JSON) -> str | None:
    labels: JSON = pod["metadata"].get("labels") or {}
    return labels.get(REVISION_LABEL)


def _report(
    daemon_set: JSON, by_node: Mapping[str | None, JSON], wanted: set[str]
) -> tuple[Action, ...]:
    old: JSON = daemon_set.get("status") or {}
    revision = hash_of(daemon_set["spec"].get("template") or {})
    there = [pod for node, pod in by_node.items() if node in wanted]
    ready = sum(map(is_ready, there))
    status = {
        **old,
        "observedGeneration": generation_of(daemon_set),
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": len(there),
        "updatedNumberScheduled": sum(_revision_of(pod) == revision for pod in there),
        "numberMisscheduled": len(by_node) - len(there),
        "numberReady": ready,
        "numberAvailable": ready,
        "numberUnavailable": len(wanted) - ready,
    }
    return () if status == old else (UpdateStatus(DAEMON_SET, with_status(daemon_set, status)),)

"""Deployments: a replica set for each version of the template, and the way from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Update, UpdateStatus
from perfscale.sim.controllers.kinds import DEPLOYMENT, REPLICA_SET
from perfscale.sim.controllers.objects import condition, is_deleting, uid_of, with_status
from perfscale.sim.controllers.workloads.replicas import (
    child_from,
    generation_of,
    hash_of,
    part_of,
    replicas_of,
    with_conditions,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

HASH_LABEL: Final = "pod-template-hash"
_DEFAULT_PART: Final = "25%"


class DeploymentController:
    """Rolls replica sets out, and reports as `kubectl rollout status` judges."""

    resource = DEPLOYMENT
    owns = REPLICA_SET

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for."""
        return None if is_deleting(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Create or scale replica sets, and report."""
        template = obj["spec"].get("template") or {}
        revision = hash_of(template)
        sets = [each for each in view.owned(REPLICA_SET, uid_of(obj)) if not is_deleting(each)]
        new = next((each for each in sets if _revision_of(each) == revision), None)
        old = [each for each in sets if each is not new]
        report = _report(obj, new, sets, now)
        if new is not None:
            return (*_scaled(obj, new, old), *report)
        if view.in_creation(uid_of(obj)):
            return report
        return (_new_set(obj, template, revision, _first_size(obj, old)), *report)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when it makes no progress, which is what a rollout fails by."""
        del reason  # kubectl knows one
        old: JSON = obj.get("status") or {}
        return {
            **old,
            "observedGeneration": generation_of(obj),
            "unavailableReplicas": replicas_of(obj),
            "conditions": with_conditions(
                old,
                [
                    condition(
                        "Progressing",
                        holds=False,
                        now=now,
                        reason="ProgressDeadlineExceeded",
                        message=message,
                    ),
                    _available(now, holds=False),
                ],
            ),
        }


def _revision_of(replica_set: JSON) -> str | None:
    labels: JSON = replica_set["metadata"].get("labels") or {}
    return labels.get(HASH_LABEL)


def _counted(sets: Iterable[JSON], what: str) -> int:
    return sum((each.get("status") or {}).get(what, 0) for each in sets)


def _bounds(deployment: JSON) -> tuple[int, int]:
    """How many pods there may be in all, and how many of them have to be available."""
    wanted = replicas_of(deployment)
    strategy: JSON = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return wanted, 0
    rolling: JSON = strategy.get("rollingUpdate") or {}
    surge = part_of(rolling.get("maxSurge", _DEFAULT_PART), wanted, up=True)
    unavailable = part_of(rolling.get("maxUnavailable", _DEFAULT_PART), wanted, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return wanted + surge, wanted - unavailable


def _first_size(deployment: JSON, old: Collection[JSON]) -> int:
    most, _ = _bounds(deployment)
    return max(0, min(replicas_of(deployment), most - sum(map(replicas_of, old))))


def _new_set(deployment: JSON, template: JSON, revision: str, replicas: int) -> Action:
    labels = {HASH_LABEL: revision}
    metadata: JSON = template.get("metadata") or {}
    of_pods = {**template, "metadata": {**metadata}}
    of_pods["metadata"]["labels"] = {**(metadata.get("labels") or {}), **labels}
    selector: JSON = deployment["spec"].get("selector") or {}
    matched = {**(selector.get("matchLabels") or {}), **labels}
    spec = {
        "replicas": replicas,
        "selector": {**selector, "matchLabels": matched},
        "template": of_pods,
    }
    return child_from(
        DEPLOYMENT,
        deployment,
        {"metadata": {"labels": of_pods["metadata"]["labels"]}},
        f"{deployment['metadata']['name']}-{revision}",
        child=REPLICA_SET,
        spec=spec,
    )


def _scaled(deployment: JSON, new: JSON, old: Sequence[JSON]) -> list[Action]:
    """The next step of the rollout: the new set as large as there may be, the old ones smaller."""
    if deployment["spec"].get("paused"):
        return []
    wanted = replicas_of(deployment)
    most, least_available = _bounds(deployment)
    steps: list[Action] = []
    room = most - sum(map(replicas_of, old))
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate" and old:
        room = 0 if _counted(old, "replicas") + _counted(old, "terminatingReplicas") else wanted
    size = min(wanted, max(room, replicas_of(new) if wanted >= replicas_of(new) else 0))
    if size != replicas_of(new):
        steps.append(_resized(new, size))
    spare = _spare(new, old, least_available)
    for each in old:
        fewer = min(replicas_of(each), max(spare, 0))
        if fewer:
            steps.append(_resized(each, replicas_of(each) - fewer))
            spare -= fewer
    return steps


def _spare(new: JSON, old: Sequence[JSON], least_available: int) -> int:
    """How many of the old pods may go now.

    Statuses lag behind the specs of the sets, so it is the least of two counts: of
    what is wanted of all sets, and of what is available. Pods that are not available are
    among those that may be missing.
    """
    of_old = sum(map(replicas_of, old))
    coming = replicas_of(new) - _counted([new], "availableReplicas")
    by_spec = of_old + replicas_of(new) - least_available - max(coming, 0)
    unready = max(of_old - _counted(old, "availableReplicas"), 0)
    return min(by_spec, _counted([new, *old], "availableReplicas") - least_available + unready)


def _resized(replica_set: JSON, replicas: int) -> Action:
    return Update(
        REPLICA_SET, {**replica_set, "spec": {**replica_set["spec"], "replicas": replicas}}
    )


def _report(
    deployment: JSON, new: JSON | None, sets: Collection[JSON], now: datetime
) -> tuple[Action, ...]:
    old: JSON = deployment.get("status") or {}
    wanted = replicas_of(deployment)
    updated = _counted([new], "replicas") if new is not None else 0
    available = _counted(sets, "availableReplicas")
    replicas = _counted(sets, "replicas")
    is_done = updated == wanted == replicas and available >= wanted
    status: JSON = {
        **old,
        "observedGeneration": generation_of(deployment),
        "replicas": replicas,
        "updatedReplicas": updated,
        "readyReplicas": _counted(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
        "conditions": with_conditions(
            old,
            [
                _available(now, holds=available >= _bounds(deployment)[1]),
                condition(
                    "Progressing",
                    holds=True,
                    now=now,
                    reason="NewReplicaSetAvailable" if is_done else "ReplicaSetUpdated",
                ),
            ],
        ),
    }
    return () if status == old else (UpdateStatus(DEPLOYMENT, with_status(deployment, status)),)


def _available(now: datetime, *, holds: bool) -> JSON:
    which = "MinimumReplicasAvailable" if holds else "MinimumReplicasUnavailable"
    return condition("Available", holds=holds, now=now, reason=which)

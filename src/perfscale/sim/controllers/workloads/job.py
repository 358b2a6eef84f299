"""Jobs: pods that end, until enough of them have, or too many have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Delete, UpdateStatus
from perfscale.sim.controllers.kinds import JOB, POD
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    is_deleting,
    is_ready,
    phase_of,
    timestamp,
    uid_of,
    with_status,
)
from perfscale.sim.controllers.workloads.replicas import (
    MAX_CHANGES_AT_ONCE,
    active,
    child_from,
    new_suffix,
    with_conditions,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

_BACKOFF_LIMIT: Final = 6
_TOO_MANY: Final = "BackoffLimitExceeded"


class JobController:
    """Creates a job's pods, and says when it is complete or has failed.

    Args:
        names: Where the suffixes of the pods' names come from.
    """

    resource = JOB
    owns = POD

    def __init__(self, names: random.Random) -> None:
        self._names = names

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for; a job that has ended is left alone."""
        return None if is_deleting(obj) or _has_ended(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Create the pods that are still to run, and count."""
        uid, spec = uid_of(obj), obj["spec"]
        pods = view.owned(POD, uid)
        running = active(pods)
        status = _status(obj, pods, running, now)
        report = () if status == obj.get("status") else _write(obj, status)
        if _has_ended({"status": status}):
            return (*(Delete(POD, pod) for pod in running), *report)
        if spec.get("suspend"):
            return (*(Delete(POD, pod) for pod in running), *report)
        wanted = min(
            _number(spec, "parallelism", 1), _completions(spec) - status.get("succeeded", 0)
        )
        missing = wanted - len(running) - view.in_creation(uid)
        created = [self._pod(obj) for _ in range(min(missing, MAX_CHANGES_AT_ONCE))]
        return (*created, *report)

    def _pod(self, job: JSON) -> Action:
        name = job["metadata"]["name"]
        labels = {
            "batch.kubernetes.io/job-name": name,
            "batch.kubernetes.io/controller-uid": uid_of(job),
            "job-name": name,
            "controller-uid": uid_of(job),
        }
        template: JSON = job["spec"].get("template") or {}
        pod_name = f"{name}-{new_suffix(self._names)}"
        return child_from(JOB, job, template, pod_name, labels=labels)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status once it has failed."""
        old: JSON = obj.get("status") or {}
        return {**old, "conditions": _ended("Failed", reason, message, old, now)}


def _has_ended(job: JSON) -> bool:
    return any(
        (condition_of(job, kind) or {}).get("status") == "True" for kind in ("Complete", "Failed")
    )


def _number(spec: JSON, key: str, default: int) -> int:
    value = spec.get(key)
    return default if value is None else int(value)


def _completions(spec: JSON) -> int:
    return _number(spec, "completions", _number(spec, "parallelism", 1))


def _status(job: JSON, pods: Collection[JSON], running: Collection[JSON], now: datetime) -> JSON:
    old: JSON = job.get("status") or {}
    spec = job["spec"]
    succeeded = max(old.get("succeeded", 0), sum(phase_of(pod) == "Succeeded" for pod in pods))
    failed = max(old.get("failed", 0), sum(phase_of(pod) == "Failed" for pod in pods))
    status = {**old, "active": len(running), "ready": sum(map(is_ready, running))}
    if not spec.get("suspend"):
        status.setdefault("startTime", timestamp(now))
    if succeeded:
        status["succeeded"] = succeeded
    if failed:
        status["failed"] = failed
    if failed > _number(spec, "backoffLimit", _BACKOFF_LIMIT):
        message = "Job has reached the specified backoff limit"
        return {
            **status,
            "active": 0,
            "conditions": _ended("Failed", _TOO_MANY, message, old, now),
        }
    if succeeded >= _completions(spec):
        message = "Reached expected number of succeeded pods"
        return {
            **status,
            "active": 0,
            "completionTime": timestamp(now),
            "conditions": _ended("Complete", "CompletionsReached", message, old, now),
        }
    return status


def _ended(kind: str, reason: str, message: str, old: JSON, now: datetime) -> list[JSON]:
    before = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
    # First the one that people look for: it is what a column shows.
    return with_conditions(
        old,
        [
            condition(each, holds=True, now=now, reason=reason, message=message)
            for each in (kind, before)
        ],
    )


def _write(job: JSON, status: JSON) -> tuple[Action, ...]:
    return (UpdateStatus(JOB, with_status(job, status)),)

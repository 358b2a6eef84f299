"""What is sent for one operation on one target."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.config.labels import run_labels
from perfscale.config.operations import MIGRATIONS, Request
from perfscale.config.sections.kube_burner import job_labels
from perfscale.templates import PatchTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.config import Workload
    from perfscale.engine.load.targets import Target
    from perfscale.preflight import OperationPlan
    from perfscale.templates import PatchTemplate

_JSON: Final = "application/json"
PATCH_TYPES: Final = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
"""https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply"""
APPLY: Final = {"fieldManager": "perfscale", "force": "true"}
_LONGEST_NAME: Final = 63


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request, ready to send."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str = _JSON
    params: Mapping[str, str | int] | None = None


class RequestBuilder:
    """Makes the requests of one workload.

    Args:
        workload: The workload.
        plan: What the preflight found out about it.
        run_id: The value of the run's label.
        patch: The template of its patches, if it sends patches.
        shard: The value of the label ``perfscale/shard``, if there are several generators.
    """

    def __init__(
        self,
        workload: Workload,
        plan: OperationPlan,
        run_id: str,
        patch: PatchTemplate | None,
        shard: int | None = None,
    ) -> None:
        self._shard = shard
        self._workload = workload
        self._plan = plan
        self._run_id = run_id
        self._patch = patch
        self._options = _options(workload)

    def request(self, target: Target, iteration: int) -> Outgoing:
        """What is sent for a target.

        Raises:
            TemplateError: The template of the patch fails for it.
        """
        plan = self._plan
        path = plan.acts_on.path(target.namespace, target.name)
        match plan.operation.request:
            case Request.PATCH:
                return self._patched(path, target, iteration)
            case Request.SCALE:
                return Outgoing("PATCH", f"{path}/scale", self._scale(target), PATCH_TYPES["json"])
            case Request.DELETE:
                return Outgoing("DELETE", path, _delete_options(target.uid))
            case Request.MIGRATE:
                return Outgoing(
                    "POST", plan.acts_on.path(target.namespace), self._migration(target, iteration)
                )
            case Request.PUT:
                return Outgoing("PUT", f"{path}/{plan.operation.subresource}", self._options)
            case _:
                return Outgoing("GET", path)

    def collection(self, namespace: str | None) -> Outgoing:
        """What deletes all targets in a namespace."""
        params = {"labelSelector": self._plan.selector} if self._plan.selector else None
        return Outgoing(
            "DELETE", self._plan.acts_on.path(namespace), _delete_options(None), params=params
        )

    def migration_name(self, target: Target, iteration: int) -> str:
        """What the migration of a target is called; no other of the run is."""
        name, suffix = self._workload.name, f"-{iteration}-{target.index}-{self._run_id[:8]}"
        if len(name) + len(suffix) > _LONGEST_NAME:
            # Another workload's name may begin with the same.
            suffix = f"-{zlib.crc32(name.encode()):08x}{suffix}"
        return name[: _LONGEST_NAME - len(suffix)] + suffix

    def _patched(self, path: str, target: Target, iteration: int) -> Outgoing:
        patch = self._workload.patch
        if self._patch is None or patch is None or target.name is None:
            raise ValueError("a patch has a template and a target")
        shown = PatchTarget(
            target.name, target.namespace, target.uid or "", target.labels or {}, target.index
        )
        params = APPLY if patch.type == "apply" else None
        body = self._patch.render(iteration, shown)
        return Outgoing("PATCH", path, body, PATCH_TYPES[patch.type], params)

    def _scale(self, target: Target) -> bytes:
        """A JSON patch, which can test the UID: of a Scale's own, custom resources take any."""
        steps: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": target.uid},
            # Not "replace": a Scale of none has no such field.
            {"op": "add", "path": "/spec/replicas", "value": self._workload.to},
        ]
        return msgspec.json.encode(steps)

    def _migration(self, target: Target, iteration: int) -> bytes:
        acts_on = self._plan.acts_on
        if acts_on.name != MIGRATIONS:
            raise ValueError(f"{acts_on.name} is no migration")
        labels = run_labels(self._run_id, self._workload.name, iteration, self._shard)
        metadata = {
            "name": self.migration_name(target, iteration),
            "namespace": target.namespace,
            "labels": {**self._job_labels(), **labels},
        }
        return msgspec.json.encode(
            {
                "apiVersion": acts_on.api_version,
                "kind": acts_on.kind,
                "metadata": metadata,
                "spec": {"vmiName": target.name},
            }
        )

    def _job_labels(self) -> dict[str, str]:
        job = self._workload.kube_burner
        return {} if job is None else job_labels(job.job, self._run_id)


def _options(workload: Workload) -> bytes:
    """The options of a subresource of KubeVirt."""
    options: dict[str, Any] = {}
    if workload.volume is not None:
        options = dict(workload.volume)
    elif workload.paused:
        options = {"paused": True}
    elif workload.grace_period is not None:
        key = "gracePeriodSeconds" if workload.operation == "restart" else "gracePeriod"
        options = {key: round(workload.grace_period)}
    return msgspec.json.encode(options)


def _delete_options(uid: str | None) -> bytes:
    options: dict[str, Any] = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
    }
    if uid is not None:
        options["preconditions"] = {"uid": uid}
    return msgspec.json.encode(options)

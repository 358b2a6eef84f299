"""Reading Kubernetes objects, and making changed copies of them.

The objects that a store hands out are shared, so nothing here changes its argument. A copy
goes no deeper than the change: at 50 000 VMIs, copying every spec for every phase would be
most of the work.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON

_GIST_OF_METADATA: Final = (
    "namespace",
    "name",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "ownerReferences",
)
_GIST_OF_STATUS: Final = ("phase", "conditions", "nodeName", "migrationState")
_DIGEST: Final = "specDigest"
# What KubeVirt itself writes into a spec that it has made from a template.
_NOT_OF_TEMPLATES: Final = ("startStrategy", "terminationGracePeriodSeconds")
_encode: Final = msgspec.json.Encoder(order="deterministic").encode
REVISION_LABEL: Final = "controller-revision-hash"
"""The label of a pod with the version of the template that it was made from."""


class Key(NamedTuple):
    """Where an object is found among those of its kind."""

    namespace: str
    name: str


def key_of(obj: JSON) -> Key:
    """The object's namespace (empty where it has none) and name."""
    metadata = obj["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])


def uid_of(obj: JSON) -> str:
    """The object's uid."""
    uid: str = obj["metadata"]["uid"]
    return uid


def phase_of(obj: JSON) -> str:
    """``status.phase``, or an empty string while there is none."""
    status = obj.get("status") or {}
    return status.get("phase") or ""


def is_finished(obj: JSON) -> bool:
    """Whether a pod or a VMI has ended, one way or the other."""
    return phase_of(obj) in ("Succeeded", "Failed")


def is_deleting(obj: JSON) -> bool:
    """Whether the object is being deleted."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def controller_of(obj: JSON) -> JSON | None:
    """The owner reference of the controller that made the object, if one did."""
    references: Sequence[JSON] = obj["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def owner_reference(resource: Resource, owner: JSON) -> JSON:
    """The reference by which `owner` marks an object as made by it.

    The garbage collector deletes the object when the owner is gone; an owner deleted in
    the foreground stays until the object is gone (``blockOwnerDeletion``).
    """
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def finalizers_of(obj: JSON) -> Sequence[str]:
    """The object's finalizers."""
    finalizers: Sequence[str] = obj["metadata"].get("finalizers") or ()
    return finalizers


def with_finalizers(obj: JSON, finalizers: Iterable[str]) -> JSON:
    """A copy of `obj` with these finalizers and no other."""
    return {**obj, "metadata": {**obj["metadata"], "finalizers": list(finalizers)}}


def with_status(obj: JSON, status: JSON) -> JSON:
    """A copy of `obj` with this status."""
    return {**obj, "status": status}


def gist_of(obj: JSON) -> JSON:
    """What an object that nothing is left to do with is still good for.

    Its owner counts it, by its phase, its conditions and its age. All the rest of 50 000
    running VMIs would be most of the simulation's memory.
    """
    metadata = obj["metadata"]
    status: JSON = obj.get("status") or {}
    gist: JSON = {
        "metadata": {key: metadata[key] for key in _GIST_OF_METADATA if key in metadata},
        "status": {key: status[key] for key in _GIST_OF_STATUS if key in status},
    }
    owner = controller_of(obj)
    if owner is not None and owner.get("kind") == "VirtualMachine":
        gist[_DIGEST] = spec_digest(obj)
    spec: JSON = obj.get("spec") or {}
    if "nodeName" in spec:
        gist["spec"] = {"nodeName": spec["nodeName"]}
    labels: JSON = metadata.get("labels") or {}
    if REVISION_LABEL in labels:
        gist["metadata"]["labels"] = {REVISION_LABEL: labels[REVISION_LABEL]}
    return gist


def spec_digest(obj: JSON) -> int:
    """A number that tells apart the specs of VMIs that were made from different templates.

    Args:
        obj: A VMI, its gist, or the template of a VM.
    """
    known: int | None = obj.get(_DIGEST)
    if known is not None:
        return known
    spec: JSON = obj.get("spec") or {}
    kept = {key: value for key, value in spec.items() if key not in _NOT_OF_TEMPLATES}
    return zlib.crc32(_encode(kept))


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with the one-second resolution of ``metav1.Time``."""
    # A fifth of the time that strftime takes.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def condition_of(obj: JSON, kind: str) -> JSON | None:
    """The condition of this type in the object's status, if it has one."""
    conditions: Sequence[JSON] = (obj.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == kind), None)


def is_ready(obj: JSON) -> bool:
    """Whether the object's condition ``Ready`` is true."""
    condition = condition_of(obj, "Ready")
    return condition is not None and condition.get("status") == "True"


def condition(
    kind: str, *, holds: bool, now: datetime, reason: str = "", message: str = ""
) -> JSON:
    """A condition that has just become what it is."""
    made: JSON = {
        "type": kind,
        "status": "True" if holds else "False",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(now),
    }
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def with_condition(conditions: Iterable[JSON], changed: JSON) -> list[JSON]:
    """The conditions with `changed` in the place of the one of its type.

    ``lastTransitionTime`` is kept from the old one where the condition's status did not
    change, as the API's conventions demand.
    """
    result: list[JSON] = []
    found = False
    for old in conditions:
        if old.get("type") != changed["type"]:
            result.append(old)
            continue
        found = True
        same = old.get("status") == changed["status"] and "lastTransitionTime" in old
        kept = {"lastTransitionTime": old["lastTransitionTime"]} if same else {}
        result.append({**changed, **kept})
    return result if found else [*result, changed]


def entered(obj: JSON, phase: str, now: datetime) -> JSON:
    """The object's status with `phase`, and with the time of the change recorded."""
    old: JSON = obj.get("status") or {}
    return {
        **old,
        "phase": str(phase),
        "phaseTransitionTimestamps": [
            *(old.get("phaseTransitionTimestamps") or ()),
            {"phase": str(phase), "phaseTransitionTimestamp": timestamp(now)},
        ],
    }

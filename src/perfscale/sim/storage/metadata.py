"""What a server does to an object's metadata when it is created, updated or deleted.

Pure functions from objects to objects; `perfscale.sim.storage.store` decides when they apply.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from perfscale.sim.storage import refusals
from perfscale.sim.storage.refusals import Cause

if TYPE_CHECKING:
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON, Record
    from perfscale.sim.storage.resources import Kind

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"

# Set by the server alone: an update of them is ignored, as in
# https://kubernetes.io/docs/reference/using-api/api-concepts/
_SERVERS_OWN: Final = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
)
# The default of the API of pods.
_POD_GRACE_S: Final = 30


def timestamp(moment: datetime) -> str:
    """RFC 3339 with the one-second resolution of ``metav1.Time``."""
    # Half a microsecond, where strftime takes five.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def fresh(kind: Kind, obj: JSON, name: str, uid: str, now: datetime) -> JSON:
    """The object as a server stores it when it is created, but for its resourceVersion."""
    metadata = {**obj["metadata"], "name": name, "uid": uid, "creationTimestamp": timestamp(now)}
    for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields"):
        metadata.pop(key, None)
    if kind.generation:
        metadata["generation"] = 1
    else:
        metadata.pop("generation", None)
    if not kind.namespaced:
        metadata.pop("namespace", None)
    made = {**obj, "apiVersion": kind.resource.api_version, "kind": kind.kind, "metadata": metadata}
    if kind.status:
        made.pop("status", None)
    if kind.plural == "namespaces" and not kind.group:
        made["spec"] = {"finalizers": ["kubernetes"]}
        made["status"] = {"phase": "Active"}
        metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": name}
    elif kind.graceful:
        made["status"] = {"phase": "Pending"}
    return made


def revised(kind: Kind, current: JSON, obj: JSON, subresource: str | None) -> JSON:
    """The object as an update leaves it, but for its resourceVersion."""
    if subresource == "status":
        return {**current, "status": obj.get("status") or {}}
    if subresource == "binding":
        return {**current, "spec": obj["spec"], "status": obj.get("status") or {}}
    if subresource == "finalize":
        return {**current, "spec": obj.get("spec") or {}}
    old = current["metadata"]
    metadata = {**obj["metadata"]}
    metadata.pop("managedFields", None)
    for key in _SERVERS_OWN:
        if key in old:
            metadata[key] = old[key]
        else:
            metadata.pop(key, None)
    made = {
        **obj,
        "apiVersion": current["apiVersion"],
        "kind": current["kind"],
        "metadata": metadata,
    }
    kept = ["status"] if kind.status else []
    if kind.plural == "namespaces" and not kind.group:
        kept.append("spec")
    for key in kept:
        if key in current:
            made[key] = current[key]
        else:
            made.pop(key, None)
    _refuse_new_finalizers(kind, current, made)
    if kind.generation and _content(kind, made) != _content(kind, current):
        metadata["generation"] = old.get("generation", 0) + 1
    return made


def _content(kind: Kind, obj: JSON) -> JSON:
    """What generation counts the changes of: without a status subresource, status too."""
    apart = {"metadata", "status"} if kind.status else {"metadata"}
    return {key: value for key, value in obj.items() if key not in apart}


def _refuse_new_finalizers(kind: Kind, current: JSON, made: JSON) -> None:
    old = current["metadata"]
    if "deletionTimestamp" not in old:
        return
    added = set(made["metadata"].get("finalizers") or ()) - set(old.get("finalizers") or ())
    if added:
        why = (
            "Forbidden: no new finalizers can be added if the object is being deleted, "
            f"found new finalizers {sorted(added)}"
        )
        cause = Cause("FieldValueForbidden", why, "metadata.finalizers")
        raise refusals.invalid(kind.resource, old.get("namespace"), old["name"], [cause])


def marked(obj: JSON, finalizers: list[str], grace_s: int, now: datetime) -> JSON:
    """The object while it waits to be gone."""
    metadata = {
        **obj["metadata"],
        "deletionTimestamp": timestamp(now + timedelta(seconds=grace_s)),
        "deletionGracePeriodSeconds": grace_s,
        "finalizers": finalizers,
    }
    if not finalizers:
        del metadata["finalizers"]
    if "generation" in metadata:
        metadata["generation"] += 1
    made = {**obj, "metadata": metadata}
    if "finalizers" in (obj.get("spec") or {}) and obj["kind"] == "Namespace":
        made["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    return made


def grace_of(kind: Kind, obj: JSON, wanted_s: int | None) -> int:
    """How long the object may take to stop: 0 for what no kubelet runs."""
    if not kind.graceful:
        return 0
    spec = obj.get("spec") or {}
    finished = (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if finished or not spec.get("nodeName"):
        return 0
    if wanted_s is not None:
        return max(0, wanted_s)
    own_s: int | None = spec.get("terminationGracePeriodSeconds")
    return _POD_GRACE_S if own_s is None else own_s


def finalizers_for(obj: JSON, propagation: str | None) -> list[str]:
    """The object's finalizers, once it is deleted with this propagation."""
    finalizers = list(obj["metadata"].get("finalizers") or ())
    if propagation is None:
        return finalizers
    finalizers = [each for each in finalizers if each not in (FOREGROUND, ORPHAN)]
    if propagation == "Foreground":
        finalizers.append(FOREGROUND)
    elif propagation == "Orphan":
        finalizers.append(ORPHAN)
    return finalizers


def is_held(obj: JSON) -> bool:
    """Whether an object that is being deleted has to stay for now."""
    metadata = obj["metadata"]
    if metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds"):
        return True
    return obj["kind"] == "Namespace" and bool((obj.get("spec") or {}).get("finalizers"))


def check_same(
    resource: Resource,
    record: Record,
    uid: str | None,
    version: str | None,
    *,
    precondition: bool = False,
) -> None:
    """Refuse a write that was meant for another object, or for another version of it.

    Raises:
        ConflictError: It was.
    """
    if uid and uid != record.uid:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {record.uid}"
        raise refusals.conflict(resource, record.namespace, record.name, why)
    if version and version != str(record.version):
        why = (
            "Precondition failed: ResourceVersion in precondition: "
            f"{version}, ResourceVersion in object meta: {record.version}"
            if precondition
            else "the object has been modified; please apply your changes to the latest "
            "version and try again"
        )
        raise refusals.conflict(resource, record.namespace, record.name, why)


def same_wait(current: JSON, made: JSON) -> bool:
    """Whether an object that is going waits for the same as before."""
    return all(
        current["metadata"].get(key) == made["metadata"].get(key)
        for key in ("finalizers", "deletionGracePeriodSeconds")
    )

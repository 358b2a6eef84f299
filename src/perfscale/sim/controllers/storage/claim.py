"""Volume claims: each gets a volume of its own, at once or when somebody uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, Create, Delete, Update, UpdateStatus
from perfscale.sim.controllers.kinds import POD, PV, PVC, VMI
from perfscale.sim.controllers.objects import (
    Key,
    is_deleting,
    key_of,
    phase_of,
    uid_of,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Follows, View
    from perfscale.sim.controllers.store import JSON

_DRIVER: Final = "volumes.perfscale.example"


def waits_for_consumer(claim: JSON, view: View) -> bool:
    """Whether the claim is bound only once somebody uses it, and nobody does."""
    storage_class = (claim.get("spec") or {}).get("storageClassName")
    is_unused = not view.facts.consumers(key_of(claim))
    return is_unused and view.facts.waits_for_consumer(storage_class)


class ClaimController:
    """Makes a volume for each claim, and binds the two.

    A storage class that does not exist binds at once: a workload file names the classes of
    the cluster that it is meant for.
    """

    resource = PVC
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """Who uses a claim may be what it waits for."""
        return {
            POD: lambda pod, view: view.facts.claims_of((POD.kind, key_of(pod))),
            VMI: lambda vmi, view: view.facts.claims_of((VMI.kind, key_of(vmi))),
        }

    def stage(self, obj: JSON) -> Stage | None:
        """A claim waits for its volume, and for more of it where it requests more."""
        if is_deleting(obj):
            return None
        if phase_of(obj) == "Bound":
            return Stage.VOLUME_BINDING if _is_to_grow(obj) else None
        if phase_of(obj) not in ("", "Pending"):
            return None
        return Stage.NOW if obj["spec"].get("volumeName") else Stage.VOLUME_BINDING

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Create the volume and name it, then report."""
        del now
        volume = obj["spec"].get("volumeName")
        if volume:
            return (UpdateStatus(PVC, with_status(obj, _bound(obj))),)
        if waits_for_consumer(obj, view):
            return ()
        volume = f"pvc-{uid_of(obj)}"
        named = Update(PVC, {**obj, "spec": {**obj["spec"], "volumeName": volume}})
        if view.find(PV, Key("", volume)) is not None:
            return (named,)
        return (Create(PV, _volume(obj, volume)), named)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when its volume is lost, which nobody explains."""
        del reason, message, now
        return {**(obj.get("status") or {}), "phase": "Lost"}


class VolumeController:
    """Deletes the volumes of claims that are gone."""

    resource = PV
    owns = None

    @property
    def follows(self) -> Mapping[Resource, Follows]:
        """A claim that goes."""
        return {PVC: _volume_of}

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for."""
        return None if is_deleting(obj) else Stage.NOW

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Report, or delete."""
        del now
        reference: JSON = obj["spec"].get("claimRef") or {}
        claim = view.find(PVC, Key(reference.get("namespace", ""), reference.get("name", "")))
        is_wanted = claim is not None and uid_of(claim) == reference.get("uid")
        if reference and not is_wanted:
            if obj["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
                return (Delete(PV, obj),)
            phase = "Released"
        else:
            phase = "Bound" if reference else "Available"
        if phase_of(obj) == phase:
            return ()
        return (UpdateStatus(PV, with_status(obj, {"phase": phase})),)


def _volume_of(claim: JSON, view: View) -> tuple[Key, ...]:
    # As long as the claim is there, nothing changes for its volume.
    name = (claim.get("spec") or {}).get("volumeName")
    return (Key("", name),) if name and view.find(PVC, key_of(claim)) is None else ()


def _is_to_grow(claim: JSON) -> bool:
    spec: JSON = claim.get("spec") or {}
    requested = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    present = (claim["status"].get("capacity") or {}).get("storage")
    return bool(spec.get("volumeName") and requested and present and requested != present)


def _capacity(claim: JSON) -> JSON:
    requests: JSON = (claim["spec"].get("resources") or {}).get("requests") or {}
    return {"storage": requests.get("storage", "1Gi")}


def _bound(claim: JSON) -> JSON:
    return {
        "phase": "Bound",
        "accessModes": claim["spec"].get("accessModes") or ["ReadWriteOnce"],
        "capacity": _capacity(claim),
    }


def _volume(claim: JSON, name: str) -> JSON:
    key = key_of(claim)
    return {
        "apiVersion": PV.api_version,
        "kind": PV.kind,
        "metadata": {"name": name},
        "spec": {
            "accessModes": claim["spec"].get("accessModes") or ["ReadWriteOnce"],
            "capacity": _capacity(claim),
            "claimRef": {
                "apiVersion": PVC.api_version,
                "kind": PVC.kind,
                "namespace": key.namespace,
                "name": key.name,
                "uid": uid_of(claim),
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": claim["spec"].get("storageClassName") or "",
            "volumeMode": claim["spec"].get("volumeMode") or "Filesystem",
            # An API server takes none without a type; no node is going to mount it.
            "csi": {"driver": _DRIVER, "volumeHandle": name},
        },
    }

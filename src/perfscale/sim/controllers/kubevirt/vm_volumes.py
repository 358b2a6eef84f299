"""The data volumes that a VM makes from its ``dataVolumeTemplates``, before its first instance.

They are made whatever the run strategy, and an instance is not before each is filled, or waits for
it: https://kubevirt.io/user-guide/storage/disks_and_volumes/#datavolume-vm-behavior
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.sim.controllers.kinds import DATA_VOLUME, VM
from perfscale.sim.controllers.objects import (
    Key,
    controller_of,
    is_deleting,
    key_of,
    phase_of,
    uid_of,
)
from perfscale.sim.controllers.storage.datavolume import WAITING
from perfscale.sim.controllers.workloads.replicas import child_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.sim.controllers.actions import Create, View
    from perfscale.sim.controllers.store import JSON

_STARTABLE: Final = frozenset({"Succeeded", WAITING})
_CREATED_BY: Final = "kubevirt.io/created-by"


class Volumes(NamedTuple):
    """What a VM's data volumes allow.

    Attributes:
        missing: Those that are to be made.
        ready: Whether an instance may start.
        shown: What the VM shows for their sake, while it has no instance; empty for nothing.
    """

    missing: tuple[Create, ...] = ()
    ready: bool = True
    shown: str = ""


NO_VOLUMES: Final = Volumes()


def volumes_of(vm: JSON, view: View) -> Volumes:
    """How far the data volumes of a VM have come."""
    templates: Sequence[JSON] = (vm.get("spec") or {}).get("dataVolumeTemplates") or ()
    if not templates or is_deleting(vm):
        return NO_VOLUMES
    namespace = vm["metadata"]["namespace"]
    found = [view.find(DATA_VOLUME, Key(namespace, each["metadata"]["name"])) for each in templates]
    missing = [
        _from(vm, template)
        for template, volume in zip(templates, found, strict=True)
        if volume is None
    ]
    phases = {"" if volume is None else phase_of(volume) for volume in found}
    ready = phases <= _STARTABLE
    waits = "DataVolumeError" if "Failed" in phases else "Provisioning"
    return Volumes(tuple(missing), ready, "" if ready else waits)


def vm_of(volume: JSON) -> Iterable[Key]:
    """The VM that made a data volume."""
    owner = controller_of(volume)
    if owner is None or owner.get("kind") != VM.kind:
        return ()
    return (Key(key_of(volume).namespace, owner["name"]),)


def _from(vm: JSON, template: JSON) -> Create:
    name, labels = template["metadata"]["name"], {_CREATED_BY: uid_of(vm)}
    return child_from(VM, vm, template, name, child=DATA_VOLUME, labels=labels)

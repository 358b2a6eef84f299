"""Volumes that are added to a VM or an instance, and removed from it, while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.kinds import VM, VMI
from perfscale.sim.controllers.kubevirt.vmi import Phase
from perfscale.sim.controllers.objects import phase_of, with_status
from perfscale.sim.nodes.handler import attach, detach, with_volume
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.kube.resources import Resource
    from perfscale.sim.apiserver.subresources.call import Call
    from perfscale.sim.storage.records import JSON

_SOURCES: Final = ("dataVolume", "persistentVolumeClaim")


async def add_to_vm(call: Call) -> None:
    """Add a volume to a VM: to its template, and to its instance if that runs."""
    vm, options = call.vm(), _to_add(call)
    _in_template(call, vm, _adding(call, VM, options))
    _to_guest(call, options)


async def remove_from_vm(call: Call) -> None:
    """Remove a volume from a VM."""
    vm, name = call.vm(), _name(call, "RemoveVolumeOptions")
    _in_template(call, vm, _removing(call, VM, name))
    _from_guest(call, name)


async def add_to_vmi(call: Call) -> None:
    """Add a volume to an instance, for as long as it is there."""
    call.running()
    options = _to_add(call)
    _adding(call, VMI, options)(call.vmi()["spec"])
    _to_guest(call, options)


async def remove_from_vmi(call: Call) -> None:
    """Remove a volume from an instance."""
    call.running()
    name = _name(call, "RemoveVolumeOptions")
    _removing(call, VMI, name)(call.vmi()["spec"])
    _from_guest(call, name)


def _name(call: Call, options: str) -> str:
    name = call.options().get("name")
    if not isinstance(name, str) or not name:
        raise refusals.bad_request(f"{options} requires name to be set")
    return name


def _to_add(call: Call) -> JSON:
    _name(call, "AddVolumeOptions")
    options = call.options()
    if not options.get("disk"):
        raise refusals.bad_request("AddVolumeOptions requires disk to not be nil")
    source = options.get("volumeSource")
    if not isinstance(source, dict) or not any(key in source for key in _SOURCES):
        raise refusals.bad_request("AddVolumeOptions requires volumeSource to not be nil")
    return options


def _adding(call: Call, resource: Resource, options: JSON) -> Callable[[JSON], JSON]:
    name = options["name"]

    def change(spec: JSON) -> JSON:
        if any(each.get("name") == name for each in spec.get("volumes") or ()):
            why = f"Unable to add volume [{name}] because volume with that name already exists"
            raise call.conflict(resource, why)
        return _with_volume(spec, options)

    return change


def _removing(call: Call, resource: Resource, name: str) -> Callable[[JSON], JSON]:
    def change(spec: JSON) -> JSON:
        if all(each.get("name") != name for each in spec.get("volumes") or ()):
            why = f"Unable to remove volume [{name}] because it does not exist"
            raise call.conflict(resource, why)
        return _without_volume(spec, name)

    return change


def _with_volume(spec: JSON, options: JSON) -> JSON:
    volume = {"name": options["name"], **options["volumeSource"]}
    disk = {**options["disk"], "name": options["name"]}
    return {
        **spec,
        "volumes": [*(spec.get("volumes") or ()), volume],
        "domain": _with_disks(spec, [*_disks(spec), disk]),
    }


def _without_volume(spec: JSON, name: str) -> JSON:
    return {
        **spec,
        "volumes": [each for each in spec.get("volumes") or () if each.get("name") != name],
        "domain": _with_disks(spec, [each for each in _disks(spec) if each.get("name") != name]),
    }


def _disks(spec: JSON) -> list[JSON]:
    devices: JSON = (spec.get("domain") or {}).get("devices") or {}
    return list(devices.get("disks") or ())


def _with_disks(spec: JSON, disks: list[JSON]) -> JSON:
    domain: JSON = spec.get("domain") or {}
    return {**domain, "devices": {**(domain.get("devices") or {}), "disks": disks}}


def _in_template(call: Call, vm: JSON, change: Callable[[JSON], JSON]) -> None:
    template: JSON = vm["spec"].get("template") or {}
    changed = {**template, "spec": change(template.get("spec") or {})}
    made = {**vm, "spec": {**vm["spec"], "template": changed}}
    call.store.update(VM, made, dry_run=call.is_dry_run)


def _running(call: Call) -> JSON | None:
    found = call.living()
    return found if found is not None and phase_of(found) == Phase.RUNNING else None


def _to_guest(call: Call, options: JSON) -> None:
    vmi = _running(call)
    if vmi is None or call.is_dry_run:
        return
    added = {**vmi, "spec": _with_volume(vmi["spec"], options)}
    name = options["name"]
    stored = call.store.update(VMI, with_status(added, with_volume(added, name, "Pending")))
    call.handler.begin(stored, attach(name))


def _from_guest(call: Call, name: str) -> None:
    vmi = _running(call)
    if vmi is None or call.is_dry_run:
        return
    stored = call.store.update(VMI, {**vmi, "spec": _without_volume(vmi["spec"], name)})
    call.handler.begin(stored, detach(name))

"""The calls of instances: virt-api hands them on to virt-handler, which takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.apiserver.subresources import answers
from perfscale.sim.controllers.kinds import VMI
from perfscale.sim.controllers.kubevirt.readiness import is_paused
from perfscale.sim.controllers.kubevirt.vmi import AGENT_CONNECTED, Phase
from perfscale.sim.controllers.objects import condition_of, phase_of
from perfscale.sim.nodes.handler import FREEZE, PAUSE, UNFREEZE, UNPAUSE, Step
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.sim.apiserver.subresources.call import Call
    from perfscale.sim.storage.records import JSON


async def pause(call: Call) -> None:
    """Pause a guest."""
    vmi = call.running()
    if (vmi.get("spec") or {}).get("livenessProbe") is not None:
        why = "Pausing VMIs with LivenessProbe is currently not supported"
        raise answers.forbidden(VMI, call.name, why)
    if is_paused(vmi):
        raise call.conflict(VMI, "VMI is already paused")
    _begin(call, vmi, PAUSE)


async def unpause(call: Call) -> None:
    """Let a paused guest go on."""
    vmi = call.running()
    if not is_paused(vmi):
        raise call.conflict(VMI, "VMI is not paused")
    _begin(call, vmi, UNPAUSE)


async def soft_reboot(call: Call) -> None:
    """Have a guest restart itself, of which nothing shows."""
    if is_paused(call.running()):
        raise call.conflict(VMI, "VMI is paused")


async def reset(call: Call) -> None:
    """Reset a guest, of which nothing shows either."""
    vmi = call.vmi()
    if phase_of(vmi) != Phase.RUNNING:
        name = f"{call.namespace}/{call.name}"
        why = f"Failed to reset non-running VMI with phase {phase_of(vmi)}: {name}"
        raise refusals.bad_request(why)


async def freeze(call: Call) -> None:
    """Freeze a guest's file systems."""
    _begin(call, call.running(), FREEZE)


async def unfreeze(call: Call) -> None:
    """Thaw them."""
    _begin(call, call.running(), UNFREEZE)


def guest_os_info(call: Call) -> JSON:
    """What the guest's agent reports; raises an `ApiError` (500) if there is none."""
    vmi = _with_agent(call)
    return {
        "guestAgentVersion": "simulated",
        "hostname": call.name,
        "os": vmi["status"]["guestOSInfo"],
    }


def user_list(call: Call) -> JSON:
    """Who has signed in to the guest: nobody; raises as `guest_os_info` does."""
    _with_agent(call)
    return {"kind": "VirtualMachineInstanceGuestOSUserList", "metadata": {}, "items": []}


def file_system_list(call: Call) -> JSON:
    """The guest's file systems; raises as `guest_os_info` does."""
    _with_agent(call)
    root = {
        "diskName": "vda1",
        "mountPoint": "/",
        "fileSystemType": "ext4",
        "usedBytes": 1 << 30,
        "totalBytes": 10 << 30,
    }
    return {"kind": "VirtualMachineInstanceFileSystemList", "metadata": {}, "items": [root]}


def _with_agent(call: Call) -> JSON:
    vmi = call.running()
    if condition_of(vmi, AGENT_CONNECTED) is None:
        raise answers.internal_error("VMI does not have guest agent connected")
    return vmi


def _begin(call: Call, vmi: JSON, steps: Sequence[Step]) -> None:
    if not call.is_dry_run:
        call.handler.begin(vmi, steps)

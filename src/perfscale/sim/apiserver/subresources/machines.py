"""The calls of VMs: by run strategy and by whether there is an instance, as KubeVirt has them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from perfscale.errors import ApiError
from perfscale.sim.apiserver.subresources import answers
from perfscale.sim.apiserver.subresources.call import NOT_RUNNING, Call, seconds
from perfscale.sim.controllers.kinds import VM, VMI, VMIM
from perfscale.sim.controllers.kubevirt.run_strategy import (
    RunStrategy,
    requests_of,
    strategy_of,
)
from perfscale.sim.controllers.kubevirt.vmi import Phase
from perfscale.sim.controllers.objects import phase_of, uid_of, with_status
from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.sim.storage.records import JSON

_DEFAULT_GRACE_S: Final = 30
_REQUESTED: Final = frozenset({RunStrategy.MANUAL, RunStrategy.RERUN_ON_FAILURE})
"""Where a start and a stop are requests in the status, and the strategy stays."""


async def start(call: Call) -> None:
    """Start a VM that does not run."""
    vm, old = call.vm(), call.any_vmi()
    strategy = strategy_of(vm)
    if call.living() is not None:
        raise call.conflict(VM, "VM is already running")
    if strategy in (RunStrategy.ALWAYS, RunStrategy.ONCE):
        raise call.conflict(VM, f"{strategy} does not support manual start requests")
    has_failed = old is not None and phase_of(old) == Phase.FAILED
    if strategy is RunStrategy.RERUN_ON_FAILURE and has_failed:
        raise call.conflict(VM, f"{strategy} does not support starting VM from failed state")
    is_paused = call.options().get("paused") is True
    starting: JSON = {"action": "Start"}
    if is_paused:
        starting["data"] = {"paused": "true"}
    if strategy in _REQUESTED or is_paused:
        stopping = [] if old is None else [{"action": "Stop", "uid": uid_of(old)}]
        await _request(call, vm, [*stopping, starting])
    else:
        _set_strategy(call, vm, RunStrategy.ALWAYS)


async def stop(call: Call) -> None:
    """Stop a VM."""
    vm, living = call.vm(), call.living()
    strategy = strategy_of(vm)
    grace_s = seconds(call.options(), "gracePeriod")
    if living is None and strategy in (*_REQUESTED, RunStrategy.HALTED):
        raise call.conflict(VM, NOT_RUNNING)
    if strategy is RunStrategy.HALTED and not _is_shorter(grace_s, living):
        why = "Halted only supports manual stop requests with a shorter graceperiod"
        raise call.conflict(VM, why)
    if living is not None and grace_s is not None:
        _set_grace(call, living, grace_s)
    if strategy in _REQUESTED and living is not None:
        await _request(call, vm, [{"action": "Stop", "uid": uid_of(living)}], replaces=True)
    elif strategy is not RunStrategy.HALTED:
        _set_strategy(call, vm, RunStrategy.HALTED)


async def restart(call: Call) -> None:
    """Stop a VM that runs, and start it again."""
    grace_s = seconds(call.options(), "gracePeriodSeconds")
    if grace_s is not None and grace_s < 0:
        raise refusals.bad_request("gracePeriodSeconds has to be greater or equal to 0")
    if grace_s:
        raise refusals.bad_request("For force restart, only gracePeriod=0 is supported for now")
    vm = call.vm()
    strategy = strategy_of(vm)
    if strategy in (RunStrategy.HALTED, RunStrategy.ONCE):
        # The spelling is KubeVirt's.
        raise call.conflict(VM, f"RunStategy {strategy} does not support manual restart requests")
    living = call.living()
    if living is None:
        raise call.conflict(VM, f"{NOT_RUNNING}: {RunStrategy.HALTED}")
    if grace_s == 0:
        _set_grace(call, living, 1)
    await _request(call, vm, [{"action": "Stop", "uid": uid_of(living)}, {"action": "Start"}])


async def migrate(call: Call) -> None:
    """Have a VM's instance migrated, by an object that has no label of whoever asks."""
    call.vm()
    vmi = call.vmi()
    if phase_of(vmi) != Phase.RUNNING:
        raise call.conflict(VM, NOT_RUNNING)
    spec: JSON = {"vmiName": call.name}
    selector = call.options().get("addedNodeSelector")
    if selector:
        spec["addedNodeSelector"] = selector
    metadata = {"generateName": "kubevirt-migrate-vm-", "namespace": call.namespace}
    try:
        call.store.create(VMIM, {"metadata": metadata, "spec": spec}, dry_run=call.is_dry_run)
    except ApiError as error:
        raise answers.internal_error(str(error)) from error


async def _request(
    call: Call, vm: JSON, requests: Sequence[JSON], *, replaces: bool = False
) -> None:
    """Put requests into the VM's status, if nobody has done so meanwhile."""
    before = requests_of(vm)
    if before and not replaces:
        raise answers.internal_error(answers.UNDER_WAY)
    # KubeVirt sends a JSON patch that tests what it has read: of two that read the same at
    # once, one fails.
    await asyncio.sleep(0)
    current = call.vm()
    if requests_of(current) != before:
        raise answers.internal_error(answers.LOST_RACE)
    if not call.is_dry_run:
        status = {**(current.get("status") or {}), "stateChangeRequests": list(requests)}
        call.store.update(VM, with_status(current, status), subresource="status")


def _set_strategy(call: Call, vm: JSON, strategy: RunStrategy) -> None:
    spec: JSON = vm["spec"]
    if spec.get("running") is not None:
        changed = {**spec, "running": strategy is RunStrategy.ALWAYS}
    else:
        changed = {**spec, "runStrategy": str(strategy)}
    call.store.update(VM, {**vm, "spec": changed}, dry_run=call.is_dry_run)


def _grace_of(vmi: JSON) -> int:
    grace_s: int | None = (vmi.get("spec") or {}).get("terminationGracePeriodSeconds")
    return _DEFAULT_GRACE_S if grace_s is None else grace_s


def _is_shorter(grace_s: int | None, vmi: JSON | None) -> bool:
    return grace_s is not None and vmi is not None and grace_s < _grace_of(vmi)


def _set_grace(call: Call, vmi: JSON, grace_s: int) -> None:
    spec = {**(vmi.get("spec") or {}), "terminationGracePeriodSeconds": grace_s}
    call.store.update(VMI, {**vmi, "spec": spec}, dry_run=call.is_dry_run)

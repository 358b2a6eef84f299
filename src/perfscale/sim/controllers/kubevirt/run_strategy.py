"""When a VM is started and stopped: its run strategy, and what has been requested of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.sim.controllers.kubevirt.vmi import Phase, has_run, is_final
from perfscale.sim.controllers.objects import is_deleting, phase_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.sim.controllers.store import JSON


class RunStrategy(StrEnum):
    """The values of ``spec.runStrategy``."""

    ALWAYS = "Always"
    HALTED = "Halted"
    MANUAL = "Manual"
    RERUN_ON_FAILURE = "RerunOnFailure"
    ONCE = "Once"


STARTS_ONCE: Final = frozenset({RunStrategy.RERUN_ON_FAILURE, RunStrategy.ONCE})
"""Those that start a VM by themselves once, and then not again after its guest has ended."""
BACKS_OFF: Final = frozenset({RunStrategy.ALWAYS, RunStrategy.RERUN_ON_FAILURE})
"""Those that start a VM again whose start has failed, later and later."""


class Plan(NamedTuple):
    """What becomes of a VM.

    Attributes:
        starts: Whether its VMI is made now.
        starts_paused: Whether its guest waits then until it is unpaused.
        stops: Whether its VMI is deleted now.
        requests: What is then still requested of it.
        failure: How often it has failed to start in a row, if it has.
    """

    starts: bool
    starts_paused: bool
    stops: bool
    requests: Sequence[JSON]
    failure: JSON | None


def strategy_of(vm: JSON) -> RunStrategy:
    """The VM's run strategy; ``running: true`` means Always, and false Halted."""
    spec: JSON = vm.get("spec") or {}
    named = spec.get("runStrategy")
    if named:
        # A server without KubeVirt's webhooks lets any word pass; then nothing runs.
        return RunStrategy(named) if named in set(RunStrategy) else RunStrategy.HALTED
    return RunStrategy.ALWAYS if spec.get("running") else RunStrategy.HALTED


def requests_of(vm: JSON) -> Sequence[JSON]:
    """What has been requested of the VM and is not done: ``status.stateChangeRequests``."""
    return (vm.get("status") or {}).get("stateChangeRequests") or ()


def is_backing_off(vm: JSON) -> bool:
    """Whether the VM has failed to start, and its VMI is gone: it is started again later."""
    status: JSON = vm.get("status") or {}
    has_failed = bool(status.get("startFailure")) and not status.get("created")
    return has_failed and strategy_of(vm) in BACKS_OFF


def plan(vm: JSON, vmi: JSON | None, *, may_start: bool) -> Plan:
    """What becomes of a VM that is not being deleted.

    Args:
        vm: The VM.
        vmi: Its VMI, if it has one.
        may_start: Whether a start that has failed may be tried again already.
    """
    requests = _remaining(requests_of(vm), vmi)
    failure = _failure(vm, vmi)
    if vmi is None:
        starts = _starts(vm, requests) and (failure is None or may_start)
        return Plan(starts, _is_paused_start(requests), False, requests, failure)
    if is_deleting(vmi) or not _stops(vm, vmi, requests):
        return Plan(False, False, False, requests, failure)
    fails = strategy_of(vm) is RunStrategy.RERUN_ON_FAILURE and phase_of(vmi) == Phase.FAILED
    if fails and not _has_start(requests):
        requests = [*requests, {"action": "Start"}]
    return Plan(False, False, True, requests, failure)


def _remaining(requests: Sequence[JSON], vmi: JSON | None) -> Sequence[JSON]:
    """The requests without the first ones that are done."""
    for number, request in enumerate(requests):
        if request.get("action") == "Start":
            is_done = vmi is not None and not is_deleting(vmi) and not is_final(vmi)
        else:
            is_done = vmi is None or uid_of(vmi) != request.get("uid")
        if not is_done:
            return requests[number:]
    return ()


def _has_start(requests: Sequence[JSON]) -> bool:
    return any(request.get("action") == "Start" for request in requests)


def _is_paused_start(requests: Sequence[JSON]) -> bool:
    return any((request.get("data") or {}).get("paused") == "true" for request in requests)


def _starts(vm: JSON, requests: Sequence[JSON]) -> bool:
    strategy = strategy_of(vm)
    if strategy is RunStrategy.ALWAYS or _has_start(requests):
        return strategy is not RunStrategy.HALTED
    # The status says under which strategy its VMI ran last.
    recorded = (vm.get("status") or {}).get("runStrategy")
    return strategy in STARTS_ONCE and recorded != strategy


def _stops(vm: JSON, vmi: JSON, requests: Sequence[JSON]) -> bool:
    strategy = strategy_of(vm)
    if strategy is RunStrategy.HALTED:
        return True
    if requests and requests[0].get("action") == "Stop":
        return True
    return strategy in BACKS_OFF and is_final(vmi)


def _failure(vm: JSON, vmi: JSON | None) -> JSON | None:
    known: JSON | None = (vm.get("status") or {}).get("startFailure")
    if strategy_of(vm) not in BACKS_OFF or (vmi is not None and has_run(vmi)):
        return None
    # One that was deleted as it started has not failed by itself.
    if vmi is None or phase_of(vmi) != Phase.FAILED or is_deleting(vmi):
        return dict(known) if known else None
    if known and known.get("lastFailedVMIUID") == uid_of(vmi):
        return dict(known)
    count = known.get("consecutiveFailCount", 0) if known else 0
    return {"consecutiveFailCount": count + 1, "lastFailedVMIUID": uid_of(vmi)}

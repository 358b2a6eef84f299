"""VMs, VMIs, sets and pools of them, and migrations."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from perfscale.engine.tracking.readiness.objects import (
    Condition,
    Metadata,
    decode_conditions,
    explain,
)
from perfscale.engine.tracking.readiness.reading import Reading, because, ended
from perfscale.kube.decoding import UNREADABLE

if TYPE_CHECKING:
    from perfscale.engine.tracking.readiness.phased import PhasedObject
    from perfscale.results import Stamps


_ADDRESS: Final = "IP"


class PhaseTransition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One entry of ``status.phaseTransitionTimestamps``."""

    phase: str
    phase_transition_timestamp: str


class Interface(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One entry of a VMI's ``status.interfaces``."""

    ip_address: str | None = None


class SeenConditions(NamedTuple):
    """What the conditions of a VMI show.

    Attributes:
        milestones: Those that it has come to.
        with_address: The same, where its guest has an address too.
        detail: Why it is not ready.
    """

    milestones: tuple[str, ...] = ()
    with_address: tuple[str, ...] = (_ADDRESS,)
    detail: str | None = None


_STAMPS: Final = msgspec.json.Decoder(list[PhaseTransition] | None)
_INTERFACES: Final = msgspec.json.Decoder(list[Interface] | None)
_SEEN_STAMPS: Final[dict[bytes, Stamps]] = {}
_SEEN_CONDITIONS: Final[dict[bytes, SeenConditions]] = {}
_NO_CONDITIONS: Final = SeenConditions()
_MOST_SEEN: Final = 512
"""Decoded timestamps, or conditions, that are remembered; some 0.5 MB.

They are to the second, so that those of a minute ago do not come again.
"""
_COMPACT_ADDRESS: Final = b'"ipAddress":"'
_QUOTE: Final = ord('"')
_MILESTONES: Final = {"Ready": "ReadyCondition", "AgentConnected": "AgentConnected"}
"""Conditions of a VMI that are measured when they become true, and what each is called then."""


class VirtualMachineSpec(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a VM is meant to run."""

    running: bool | None = None
    run_strategy: str | None = None

    @property
    def strategy(self) -> str:
        """The run strategy; the older ``running`` stands for one."""
        return self.run_strategy or ("Always" if self.running else "Halted")


class VirtualMachineStatus(msgspec.Struct, frozen=True, rename="camel"):
    """Status of a VM."""

    ready: bool = False
    printable_status: str | None = None
    conditions: list[Condition] | None = None


class VirtualMachine(msgspec.Struct, frozen=True):
    """A VM."""

    metadata: Metadata
    spec: VirtualMachineSpec = VirtualMachineSpec()
    status: VirtualMachineStatus = VirtualMachineStatus()


class SetSpec(msgspec.Struct, frozen=True):
    """How many a set keeps; one where nothing is said."""

    replicas: int | None = None


class SetStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How many of them are ready; absent until the first is."""

    ready_replicas: int | None = None
    conditions: list[Condition] | None = None


class ReplicaSet(msgspec.Struct, frozen=True):
    """A replica set of VMIs, or a pool of VMs."""

    metadata: Metadata
    spec: SetSpec = SetSpec()
    status: SetStatus | None = None


def read_vmi(obj: PhasedObject) -> Reading:
    """``Running`` is ready; ``Failed`` and ``Succeeded`` are final."""
    status = obj.status
    phase = status.phase or None
    stamps = _stamps(status.phase_transition_timestamps)
    milestones, with_address, detail = _seen_conditions(status.conditions)
    if status.interfaces:
        # Most events of a VMI come here. API servers write no blanks, so that a look at the text is
        # nearly always enough.
        text = bytes(status.interfaces)
        at = text.find(_COMPACT_ADDRESS)
        is_plain = at >= 0 and text[at + len(_COMPACT_ADDRESS)] != _QUOTE
        if is_plain or _find_address(text):
            milestones = with_address
    if phase == "Running":
        return Reading(phase=phase, ready=True, stamps=stamps, milestones=milestones)
    detail = detail or status.reason
    failure = ended(phase, detail) if phase in {"Failed", "Succeeded"} and phase else None
    return Reading(
        phase=phase, failure=failure, detail=detail, stamps=stamps, milestones=milestones
    )


def read_migration(obj: PhasedObject) -> Reading:
    """``Succeeded`` is ready; ``Failed`` is final."""
    phase = obj.status.phase or None
    detail = obj.status.reason
    return Reading(
        phase=phase,
        ready=phase == "Succeeded",
        failure=because("the migration failed", detail) if phase == "Failed" else None,
        detail=detail,
        stamps=_stamps(obj.status.phase_transition_timestamps),
    )


_RESTING: Final = {
    "Halted": "Stopped",
    "Manual": "Stopped",
    "WaitAsReceiver": "WaitingForReceiver",
}
"""What the status of a VM that does not start by itself comes to, by its run strategy."""


def read_vm(obj: VirtualMachine) -> Reading:
    """``status.ready``; a VM that is not to run is ready once it rests.

    Its errors (``ErrorUnschedulable``, ``CrashLoopBackOff`` ...) and its condition ``Failure`` may
    heal: KubeVirt tries again. They explain, and do not fail it.
    """
    status = obj.status
    rests = status.printable_status is not None and (
        status.printable_status == _RESTING.get(obj.spec.strategy)
    )
    return Reading(
        phase=status.printable_status,
        ready=status.ready or rests,
        detail=explain(status.conditions, "Failure", "PodScheduled", "Synchronized", "Ready")
        or status.printable_status,
    )


def read_set(obj: ReplicaSet) -> Reading:
    """As many VMIs ready as the spec asks for, once its controller has looked at it."""
    return _read_set(obj, "VMIs")


def read_pool(obj: ReplicaSet) -> Reading:
    """The same of a pool, which is one of VMs."""
    return _read_set(obj, "VMs")


def _read_set(obj: ReplicaSet, members: str) -> Reading:
    if obj.status is None:
        return Reading()
    wanted = 1 if obj.spec.replicas is None else obj.spec.replicas
    available = obj.status.ready_replicas or 0
    return Reading(
        ready=available == wanted,
        detail=explain(obj.status.conditions, "ReplicaFailure", "Ready")
        or f"{available} of {wanted} {members} are ready",
    )


def _stamps(raw: msgspec.Raw) -> Stamps:
    """The same object for the same timestamps: they are to the second, so many VMIs share them."""
    if not raw:
        return ()
    text = bytes(raw)
    known = _SEEN_STAMPS.get(text)
    if known is None:
        if len(_SEEN_STAMPS) >= _MOST_SEEN:
            _SEEN_STAMPS.clear()
        try:
            known = tuple(
                (sys.intern(each.phase), sys.intern(each.phase_transition_timestamp))
                for each in _STAMPS.decode(text) or ()
            )
        except UNREADABLE:
            known = ()  # they are only for reading
        _SEEN_STAMPS[text] = known
    return known


def _seen_conditions(raw: msgspec.Raw) -> SeenConditions:
    """The milestones that a VMI's conditions show, and why it is not ready.

    Conditions are in every event of a VMI and change in few of them: they are decoded once for
    the same ones, as timestamps are.
    """
    if not raw:
        return _NO_CONDITIONS
    text = bytes(raw)
    known = _SEEN_CONDITIONS.get(text)
    if known is None:
        if len(_SEEN_CONDITIONS) >= _MOST_SEEN:
            _SEEN_CONDITIONS.clear()
        conditions = decode_conditions(raw)
        milestones = tuple(
            _MILESTONES[each.type] for each in conditions if each.type in _MILESTONES and each.holds
        )
        detail = explain(conditions, "PodScheduled", "Synchronized", "Ready")
        known = SeenConditions(milestones, (_ADDRESS, *milestones), detail)
        _SEEN_CONDITIONS[text] = known
    return known


def _find_address(interfaces: bytes) -> bool:
    """Whether one of the guest's interfaces has an address."""
    try:
        return any(each.ip_address for each in _INTERFACES.decode(interfaces) or ())
    except UNREADABLE:
        return False

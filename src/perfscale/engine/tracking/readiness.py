"""What "ready" and "failed" mean, kind by kind.

A watch decodes each object into the small struct that its kind's rule names;
the rule turns it into a `Reading`, which is all that the tracker knows of
an object. Rules are pure, so every one of them is tested without a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import msgspec

from perfscale.kube.decoding import UNREADABLE, Version
from perfscale.results import Stamps

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.kube.resources import Resource

_NOTHING: Final = msgspec.Raw()


class OwnerReference(msgspec.Struct, frozen=True, gc=False):
    """Who owns an object."""

    uid: str


class Identity(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of ``metadata`` that says who an object is."""

    name: str
    uid: str
    namespace: str | None = None
    resource_version: Version = ""


class Metadata(Identity, frozen=True, rename="camel", gc=False):
    """The part of ``metadata`` that following an object needs."""

    labels: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: list[OwnerReference] | None = None
    finalizers: list[str] | None = None


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One entry of ``status.conditions``."""

    type: str
    status: str = ""
    reason: str | None = None
    message: str | None = None


class PhaseTransition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One entry of a VMI's ``status.phaseTransitionTimestamps``."""

    phase: str
    phase_transition_timestamp: str


class Interface(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One entry of a VMI's ``status.interfaces``."""

    ip_address: str | None = None


_CONDITIONS: Final = msgspec.json.Decoder(list[Condition] | None)
_STAMPS: Final = msgspec.json.Decoder(list[PhaseTransition] | None)
_INTERFACES: Final = msgspec.json.Decoder(list[Interface] | None)
_SEEN_STAMPS: Final[dict[bytes, Stamps]] = {}
_SEEN_MILESTONES: Final[dict[bytes, tuple[str, ...]]] = {}
_MILESTONES: Final = {"Ready": "ReadyCondition", "AgentConnected": "AgentConnected"}
"""Conditions of a VMI that are measured when they become true, and what each is called then."""
_TROUBLES: Final = frozenset({"Failure", "ReplicaFailure"})
"""Conditions that tell of trouble when they are true; of the others, when they are not."""
_MOST_STAMPS: Final = 4096
"""Decoded timestamps that are remembered; some 4 MB."""


class Followed(Protocol):
    """What every decoded object has."""

    @property
    def metadata(self) -> Metadata:
        """Who it is."""


ObjectT = TypeVar("ObjectT", bound=Followed)


class IdentifiedObject(msgspec.Struct, frozen=True, gc=False):
    """An object of which nothing is needed but who it is."""

    metadata: Identity


class AnyObject(msgspec.Struct, frozen=True, gc=False):
    """An object of a kind without readiness."""

    metadata: Metadata


class PhasedStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Status of a kind that goes through phases.

    Conditions and timestamps are in every event, and seldom needed: they are
    decoded only where they are.
    """

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    conditions: msgspec.Raw = _NOTHING
    phase_transition_timestamps: msgspec.Raw = _NOTHING
    interfaces: msgspec.Raw = _NOTHING


class PhasedObject(msgspec.Struct, frozen=True, gc=False):
    """A VMI, a migration or a pod."""

    metadata: Metadata
    status: PhasedStatus = PhasedStatus()


class VirtualMachineSpec(msgspec.Struct, frozen=True, rename="camel"):
    """Whether a VM is meant to run."""

    running: bool | None = None
    run_strategy: str | None = None


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


class ReplicaSetSpec(msgspec.Struct, frozen=True):
    """How many VMIs a replica set keeps; one where nothing is said."""

    replicas: int | None = None


class ReplicaSetStatus(msgspec.Struct, frozen=True, rename="camel"):
    """How many of them are ready; absent until the first is."""

    ready_replicas: int | None = None
    conditions: list[Condition] | None = None


class VirtualMachineInstanceReplicaSet(msgspec.Struct, frozen=True):
    """A replica set of VMIs."""

    metadata: Metadata
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus | None = None


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a rule reads off an object.

    Attributes:
        phase: The phase it is in; None where its kind has none, or not yet.
        ready: Whether it is where its creator wanted it.
        failure: Why it will never be ready; None while it may be.
        detail: Why it is not ready, in the words of its status.
        stamps: The server's own record of when it reached its phases.
        milestones: What it has come to beside its phase, as far as its kind has any.
    """

    phase: str | None = None
    ready: bool = False
    failure: str | None = None
    detail: str | None = None
    stamps: Stamps = ()
    milestones: tuple[str, ...] = ()


ACCEPTED: Final = Reading(ready=True)
"""What is read off an object of a kind without readiness."""


@dataclass(frozen=True, slots=True)
class KindRule(Generic[ObjectT]):
    """How objects of one kind are followed.

    Attributes:
        decoder: Struct that the watch decodes an object into.
        read: From that struct to what it says; None for a kind without
            readiness, which is ready once the server has accepted it.
        path: The phases on the way to readiness, in order: an object that
            never became ready also missed those of them that it was not seen in.
    """

    decoder: type[ObjectT]
    read: Callable[[ObjectT], Reading] | None
    path: tuple[str, ...] = ()


def _conditions(raw: msgspec.Raw) -> list[Condition]:
    try:
        return (_CONDITIONS.decode(raw) or []) if raw else []
    except UNREADABLE:
        return []  # they only explain


def _stamps(raw: msgspec.Raw) -> Stamps:
    """The same object for the same timestamps: they are to the second, so many VMIs share them."""
    if not raw:
        return ()
    text = bytes(raw)
    known = _SEEN_STAMPS.get(text)
    if known is None:
        if len(_SEEN_STAMPS) >= _MOST_STAMPS:
            _SEEN_STAMPS.clear()
        try:
            known = tuple(
                (each.phase, each.phase_transition_timestamp) for each in _STAMPS.decode(text) or ()
            )
        except UNREADABLE:
            known = ()  # they are only for reading
        _SEEN_STAMPS[text] = known
    return known


def _milestones(raw: msgspec.Raw) -> tuple[str, ...]:
    """Which of the milestones are there; decoded once for the same conditions, as timestamps are.

    Conditions are in every event of a VMI and change in few of them.
    """
    if not raw:
        return ()
    text = bytes(raw)
    known = _SEEN_MILESTONES.get(text)
    if known is None:
        if len(_SEEN_MILESTONES) >= _MOST_STAMPS:
            _SEEN_MILESTONES.clear()
        known = _SEEN_MILESTONES[text] = tuple(
            _MILESTONES[each.type]
            for each in _conditions(raw)
            if each.type in _MILESTONES and each.status == "True"
        )
    return known


def _has_address(raw: msgspec.Raw) -> bool:
    """Whether one of the guest's interfaces has an address."""
    try:
        return bool(raw) and any(each.ip_address for each in _INTERFACES.decode(raw) or ())
    except UNREADABLE:
        return False


def _explain(conditions: list[Condition] | None, *expected: str) -> str | None:
    """What those of the ``expected`` conditions say that are not as they should be, the first.

    The causes come first: a VMI that no node has room for is not ready either, and of that
    it only says that its guest does not run.
    """
    for kind in expected:
        for condition in conditions or ():
            if condition.type == kind and (condition.status == "True") is (kind in _TROUBLES):
                reason, message = condition.reason, condition.message
                if text := f"{reason}: {message}" if reason and message else reason or message:
                    return text
    return None


def read_vmi(obj: PhasedObject) -> Reading:
    """``Running`` is ready; ``Failed`` and ``Succeeded`` are final."""
    status = obj.status
    stamps = _stamps(status.phase_transition_timestamps)
    milestones = _milestones(status.conditions)
    if _has_address(status.interfaces):
        milestones = ("IP", *milestones)
    if status.phase == "Running":
        return Reading(phase="Running", ready=True, stamps=stamps, milestones=milestones)
    conditions = _conditions(status.conditions)
    detail = _explain(conditions, "PodScheduled", "Synchronized", "Ready") or status.reason
    failure = None
    if status.phase in {"Failed", "Succeeded"}:
        failure = f"it ended in phase {status.phase}" + (f" ({detail})" if detail else "")
    return Reading(
        phase=status.phase, failure=failure, detail=detail, stamps=stamps, milestones=milestones
    )


def read_migration(obj: PhasedObject) -> Reading:
    """``Succeeded`` is ready; ``Failed`` is final."""
    phase = obj.status.phase
    detail = obj.status.reason
    failure = "the migration failed" + (f" ({detail})" if detail else "")
    return Reading(
        phase=phase,
        ready=phase == "Succeeded",
        failure=failure if phase == "Failed" else None,
        detail=detail,
        stamps=_stamps(obj.status.phase_transition_timestamps),
    )


def read_pod(obj: PhasedObject) -> Reading:
    """Running with condition ``Ready``, or run to completion; ``Failed`` is final."""
    status = obj.status
    conditions = _conditions(status.conditions)
    ready = any(
        condition.type == "Ready" and condition.status == "True" for condition in conditions
    )
    detail = (
        _explain(conditions, "PodScheduled", "ContainersReady", "Ready")
        or status.message
        or status.reason
    )
    failure = None
    if status.phase == "Failed":
        failure = "it ended in phase Failed" + (f" ({detail})" if detail else "")
    return Reading(
        phase=status.phase,
        ready=status.phase == "Succeeded" or (status.phase == "Running" and ready),
        failure=failure,
        detail=detail,
    )


def read_vm(obj: VirtualMachine) -> Reading:
    """``status.ready``; a VM that nobody asked to run is ready once it is ``Stopped``."""
    status = obj.status
    halted = obj.spec.running is False or obj.spec.run_strategy in {"Halted", "Manual"}
    return Reading(
        phase=status.printable_status,
        ready=status.ready or (halted and status.printable_status == "Stopped"),
        detail=_explain(status.conditions, "Failure", "PodScheduled", "Synchronized", "Ready")
        or status.printable_status,
    )


def read_vmirs(obj: VirtualMachineInstanceReplicaSet) -> Reading:
    """As many VMIs ready as the spec asks for, once its controller has looked at it."""
    if obj.status is None:
        return Reading()
    wanted = 1 if obj.spec.replicas is None else obj.spec.replicas
    available = obj.status.ready_replicas or 0
    return Reading(
        ready=available == wanted,
        detail=_explain(obj.status.conditions, "ReplicaFailure", "Ready")
        or f"{available} of {wanted} VMIs are ready",
    )


# The phases that KubeVirt and Kubernetes document, on the way to readiness:
# https://kubevirt.io/api-reference/ and
# https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
_RULES: Final[dict[tuple[str, str], KindRule[Any]]] = {
    ("kubevirt.io", "virtualmachineinstances"): KindRule(
        PhasedObject, read_vmi, path=("Pending", "Scheduling", "Scheduled", "Running")
    ),
    ("kubevirt.io", "virtualmachines"): KindRule(
        VirtualMachine, read_vm, path=("Starting", "Running")
    ),
    ("kubevirt.io", "virtualmachineinstancereplicasets"): KindRule(
        VirtualMachineInstanceReplicaSet, read_vmirs
    ),
    ("kubevirt.io", "virtualmachineinstancemigrations"): KindRule(
        PhasedObject,
        read_migration,
        path=("Pending", "Scheduling", "Scheduled", "Running", "Succeeded"),
    ),
    ("", "pods"): KindRule(PhasedObject, read_pod, path=("Pending", "Running")),
}
_WITHOUT_READINESS: Final[KindRule[Any]] = KindRule(AnyObject, None)


def rule_for(resource: Resource) -> KindRule[Any]:
    """The rule for a resource, whatever version of its API is spoken."""
    return _RULES.get((resource.group, resource.plural), _WITHOUT_READINESS)

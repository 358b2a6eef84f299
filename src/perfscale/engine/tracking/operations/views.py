"""What effects are read off: the few fields of an object that operations change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from perfscale.config.operations import MIGRATIONS, VMI, Effect
from perfscale.engine.tracking.readiness import (
    ACCEPTED,
    AnyObject,
    Condition,
    Expectation,
    Identity,
    KindRule,
    Metadata,
    OwnerReference,
)
from perfscale.engine.tracking.readiness.rules import documented
from perfscale.kube.decoding import version_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.config.sections.readiness import WaitFor


class View(msgspec.Struct, frozen=True, gc=False):
    """An object as a watch shows it.

    Attributes:
        uid: Whose.
        version: Its resourceVersion, as a number; 0 where it is none.
        phase: Of its status, if it has one.
        reason: Why it failed, if its status says.
        paused: Whether its condition ``Paused`` is True.
        migration_uid: Of the migration that an instance went through last, or goes through.
        volumes: Phases of an instance's volumes, by name.
        replicas: Wanted, by its spec.
        ready_replicas: By its status; absent is none.
        finalizers: What keeps an object that is being deleted.
        matches: Whether it is as ``doneWhen`` says; ``reason`` says what is missing otherwise.
        owners: UIDs of an instance's owners.
    """

    uid: str
    version: int
    phase: str | None = None
    reason: str | None = None
    paused: bool = False
    migration_uid: str | None = None
    volumes: Mapping[str, str] = {}
    replicas: int | None = None
    ready_replicas: int = 0
    finalizers: tuple[str, ...] = ()
    matches: bool = False
    owners: tuple[str, ...] = ()


class _MigrationState(msgspec.Struct, frozen=True, rename="camel", gc=False):
    migration_uid: str | None = None
    failure_reason: str | None = None


class _Volume(msgspec.Struct, frozen=True, gc=False):
    name: str
    phase: str | None = None


class _InstanceStatus(msgspec.Struct, frozen=True, rename="camel"):
    phase: str | None = None
    conditions: list[Condition] | None = None
    migration_state: _MigrationState | None = None
    volume_status: list[_Volume] | None = None


class Instance(msgspec.Struct, frozen=True):
    """A VMI, or one of its migrations: what they have in common has the same names."""

    metadata: Metadata
    status: _InstanceStatus = _InstanceStatus()


class _Phase(msgspec.Struct, frozen=True, gc=False):
    phase: str | None = None


class _Owned(Identity, frozen=True, rename="camel", gc=False):
    owner_references: list[OwnerReference] | None = None


class Phased(msgspec.Struct, frozen=True):
    """An instance of which only counts which it is, whose, and whether it runs."""

    metadata: _Owned
    status: _Phase = _Phase()


class Existing(msgspec.Struct, frozen=True):
    """An object of which only counts which it is."""

    metadata: Identity


class _ScaleSpec(msgspec.Struct, frozen=True, gc=False):
    replicas: int | None = None


class _ScaleStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    ready_replicas: int | None = None


class Scaled(msgspec.Struct, frozen=True):
    """Anything with replicas."""

    metadata: Metadata
    spec: _ScaleSpec = _ScaleSpec()
    status: _ScaleStatus | None = None


def view_instance(obj: Instance) -> View:
    """Of a VMI, or of a migration."""
    status, state = obj.status, obj.status.migration_state
    return View(
        uid=obj.metadata.uid,
        version=version_number(obj.metadata.resource_version),
        phase=status.phase,
        reason=None if state is None else state.failure_reason,
        paused=any(
            each.type == "Paused" and each.status == "True" for each in status.conditions or ()
        ),
        migration_uid=None if state is None else state.migration_uid,
        volumes={each.name: each.phase or "" for each in status.volume_status or ()},
        owners=_owners(obj.metadata),
    )


def view_phased(obj: Phased) -> View:
    """Of a VMI that is started, stopped or restarted."""
    metadata = obj.metadata
    return View(uid=metadata.uid, version=0, phase=obj.status.phase, owners=_owners(metadata))


def _owners(metadata: Metadata | _Owned) -> tuple[str, ...]:
    return tuple(each.uid for each in metadata.owner_references or ())


def view_scaled(obj: Scaled) -> View:
    """Of anything with replicas."""
    return View(
        uid=obj.metadata.uid,
        version=version_number(obj.metadata.resource_version),
        replicas=obj.spec.replicas,
        ready_replicas=(obj.status.ready_replicas or 0) if obj.status is not None else 0,
    )


def view_existing(obj: Existing) -> View:
    """Of a target that the effect is not read off."""
    return View(uid=obj.metadata.uid, version=0)


def view_leaving(obj: AnyObject) -> View:
    """Of an object that is deleted."""
    return View(
        uid=obj.metadata.uid,
        version=version_number(obj.metadata.resource_version),
        finalizers=tuple(obj.metadata.finalizers or ()),
    )


class Viewer(NamedTuple):
    """How objects of one resource are decoded and looked at."""

    decoder: type[Any]
    view: Callable[[Any], View]


_EXISTENCE: Final = Viewer(Existing, view_existing)
_PHASED: Final = frozenset({Effect.STARTED, Effect.STOPPED, Effect.RESTARTED})


def viewer_for(
    resource_name: str, effect: Effect, done_when: Sequence[WaitFor] | None = None
) -> Viewer:
    """What is read off a resource, by ``plural.group``, for an effect."""
    if done_when is not None:
        return _matching(done_when)
    if effect is Effect.GONE:
        return Viewer(AnyObject, view_leaving)
    if resource_name == VMI and effect in _PHASED:
        return Viewer(Phased, view_phased)
    if resource_name in {VMI, MIGRATIONS}:
        return Viewer(Instance, view_instance)
    if effect is Effect.SCALED:
        return Viewer(Scaled, view_scaled)
    return _EXISTENCE


def _matching(done_when: Sequence[WaitFor]) -> Viewer:
    """How objects are looked at that ``doneWhen`` is about."""
    expected = Expectation(done_when, None)
    rule = documented(KindRule(AnyObject, None), expected.tops)

    def view(obj: Any) -> View:  # noqa: ANN401 - the struct of the rule
        reading = ACCEPTED if rule.read is None else expected.judge(rule.read(obj))
        return View(
            uid=obj.metadata.uid,
            version=version_number(obj.metadata.resource_version),
            reason=reading.detail,
            matches=reading.ready,
        )

    return Viewer(rule.decoder, view)

"""Kinds that are ready in one phase, or by one condition or flag of their status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perfscale.engine.tracking.readiness.objects import (
    ABSENT,
    Condition,
    Metadata,
    decode_conditions,
    explain,
)
from perfscale.engine.tracking.readiness.reading import KindRule, Reading, because, ended

if TYPE_CHECKING:
    from collections.abc import Mapping


class Problem(msgspec.Struct, frozen=True, gc=False):
    """What ``status.error`` says."""

    message: str | None = None


class PhasedStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Status of a kind that goes through phases.

    Conditions and what is like them are in every event, and seldom needed: they are
    decoded only where they are.
    """

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    conditions: msgspec.Raw = ABSENT
    phase_transition_timestamps: msgspec.Raw = ABSENT
    interfaces: msgspec.Raw = ABSENT


class PhasedObject(msgspec.Struct, frozen=True, gc=False):
    """An object that goes through phases."""

    metadata: Metadata
    status: PhasedStatus = PhasedStatus()


class FlaggedStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Status of a kind with a flag that says when it is done."""

    phase: str | None = None
    ready_to_use: bool | None = None
    complete: bool | None = None
    error: Problem | None = None
    conditions: list[Condition] | None = None


class FlaggedObject(msgspec.Struct, frozen=True, gc=False):
    """A snapshot, a restore, or what has nothing but conditions."""

    metadata: Metadata
    status: FlaggedStatus = FlaggedStatus()


def by_phase(
    ready: str,
    *,
    failed: tuple[str, ...] = (),
    causes: tuple[str, ...] = (),
    notes: Mapping[str, str] | None = None,
    path: tuple[str, ...] = (),
) -> KindRule[PhasedObject]:
    """Ready in one phase; of ``failed`` each is final.

    Args:
        ready: The phase.
        failed: The phases that it does not come out of.
        causes: Conditions that say why it is not ready, the causes first.
        notes: What has to be known about phases that it may stay in.
        path: As in `KindRule`.
    """
    known = notes or {}

    def read(obj: PhasedObject) -> Reading:
        status = obj.status
        phase = status.phase or None
        if phase == ready:
            return Reading(phase=phase, ready=True)
        said = explain(decode_conditions(status.conditions), *causes)
        detail = known.get(phase or "") or said or status.message or status.reason
        failure = ended(phase, detail) if phase is not None and phase in failed else None
        return Reading(phase=phase, failure=failure, detail=detail)

    return KindRule(PhasedObject, read, path)


def by_condition(name: str) -> KindRule[FlaggedObject]:
    """Ready when a condition is True."""

    def read(obj: FlaggedObject) -> Reading:
        conditions = obj.status.conditions or []
        if any(each.type == name and each.holds for each in conditions):
            return Reading(ready=True)
        detail = explain(conditions, name) or f"its condition {name} is not True"
        return Reading(detail=detail)

    return KindRule(FlaggedObject, read)


def read_ready_to_use(obj: FlaggedObject) -> Reading:
    """Ready by ``status.readyToUse``; an error may heal, a failure does not."""
    return _read_flag(obj, done=bool(obj.status.ready_to_use))


def read_complete(obj: FlaggedObject) -> Reading:
    """Ready by ``status.complete``."""
    return _read_flag(obj, done=bool(obj.status.complete))


def _read_flag(obj: FlaggedObject, *, done: bool) -> Reading:
    status = obj.status
    conditions = status.conditions or []
    said = None if status.error is None else status.error.message
    detail = said or explain(conditions, "Failure", "Ready", "Progressing")
    failure = None
    if status.phase == "Failed":
        failure = ended("Failed", detail)
    elif any(each.type == "Failure" and each.holds for each in conditions):
        failure = because("its condition Failure is True", detail)
    return Reading(phase=status.phase or None, ready=done, failure=failure, detail=detail)

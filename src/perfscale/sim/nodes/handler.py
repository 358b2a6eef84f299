"""virt-handler: what it does to guests that run, a while after it was asked to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.errors import NotFoundError
from perfscale.sim.controllers.kinds import VMI
from perfscale.sim.controllers.kubevirt.readiness import GATED, not_ready, paused
from perfscale.sim.controllers.kubevirt.vmi import is_final, made_ready
from perfscale.sim.controllers.objects import (
    is_deleting,
    uid_of,
    with_condition,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from perfscale.sim.latency import Latencies
    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.store import Store

Step: TypeAlias = "tuple[Stage, Callable[[JSON, datetime], JSON]]"
"""What is waited for, and what the status of the VMI is then."""


def _status(vmi: JSON) -> JSON:
    status: JSON = vmi.get("status") or {}
    return status


def _paused(vmi: JSON, now: datetime) -> JSON:
    status = _status(vmi)
    return {**status, "conditions": with_condition(status.get("conditions") or (), paused(now))}


def _gated(vmi: JSON, now: datetime) -> JSON:
    status = _status(vmi)
    changed = not_ready(GATED, now)
    return {**status, "conditions": with_condition(status.get("conditions") or (), changed)}


def _unpaused(vmi: JSON, _: datetime) -> JSON:
    status = _status(vmi)
    kept = [each for each in status.get("conditions") or () if each.get("type") != "Paused"]
    return {**status, "conditions": kept}


def _frozen(vmi: JSON, _: datetime) -> JSON:
    return {**_status(vmi), "fsFreezeStatus": "frozen"}


def _thawed(vmi: JSON, _: datetime) -> JSON:
    return {key: value for key, value in _status(vmi).items() if key != "fsFreezeStatus"}


PAUSE: Final[Sequence[Step]] = ((Stage.VMI_PAUSING, _paused), (Stage.VMI_GATING, _gated))
UNPAUSE: Final[Sequence[Step]] = ((Stage.VMI_PAUSING, _unpaused), (Stage.VMI_GATING, made_ready))
FREEZE: Final[Sequence[Step]] = ((Stage.VMI_PAUSING, _frozen),)
UNFREEZE: Final[Sequence[Step]] = ((Stage.VMI_PAUSING, _thawed),)

_ATTACHING: Final = ("Bound", "AttachedToNode", "MountedToPod", "Ready")


def with_volume(vmi: JSON, name: str, phase: str) -> JSON:
    """The VMI's status in which one of its hotplugged volumes is in this phase."""
    status = _status(vmi)
    volumes = [each for each in status.get("volumeStatus") or () if each.get("name") != name]
    changed = {"name": name, "target": "", "phase": phase, "hotplugVolume": {}}
    return {**status, "volumeStatus": [*volumes, changed]}


def attach(name: str) -> Sequence[Step]:
    """What happens to a volume that is added to a guest that runs."""
    return [(Stage.VOLUME_STEP, _volume_in(name, phase)) for phase in _ATTACHING]


def detach(name: str) -> Sequence[Step]:
    """What happens to a volume that is removed from a guest that runs."""

    def removed(vmi: JSON, _: datetime) -> JSON:
        status = _status(vmi)
        volumes = status.get("volumeStatus") or ()
        return {**status, "volumeStatus": [each for each in volumes if each.get("name") != name]}

    return [(Stage.VOLUME_STEP, _volume_in(name, "Detaching")), (Stage.VOLUME_STEP, removed)]


def _volume_in(name: str, phase: str) -> Callable[[JSON, datetime], JSON]:
    return lambda vmi, _: with_volume(vmi, name, phase)


class VirtHandler:
    """Changes the guests of a store's VMIs, step by step.

    Args:
        store: Where they are.
        latencies: How long the steps take.
        now: The clock that conditions are stamped by.
    """

    def __init__(self, store: Store, latencies: Latencies, now: Callable[[], datetime]) -> None:
        self._store = store
        self._latencies = latencies
        self._now = now
        self._timers: set[asyncio.TimerHandle] = set()

    def close(self) -> None:
        """Cancel what was to come."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def begin(self, vmi: JSON, steps: Sequence[Step]) -> None:
        """Do the steps one after the other, unless the VMI ends or is deleted before."""
        if not steps:
            return
        (stage, change), *following = steps
        timer: asyncio.TimerHandle

        def do() -> None:
            self._timers.discard(timer)
            current = self._current(vmi)
            if current is not None:
                self._store.update(VMI, with_status(current, change(current, self._now())))
                self.begin(vmi, following)

        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._latencies.draw(stage), do)
        self._timers.add(timer)

    def _current(self, vmi: JSON) -> JSON | None:
        metadata = vmi["metadata"]
        try:
            current = self._store.get(VMI, metadata["namespace"], metadata["name"])
        except NotFoundError:
            return None
        is_over = uid_of(current) != uid_of(vmi) or is_deleting(current) or is_final(current)
        return None if is_over else current

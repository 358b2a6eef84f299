"""Which namespaces stay when they are deleted, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perfscale.sim.faults.chance import is_named, is_selected
from perfscale.sim.storage.namespaces import DeletionBlocker

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from perfscale.sim.faults.model import NamespaceFault
    from perfscale.sim.storage.records import StoredChange


class NamespaceFaults:
    """Keeps namespaces that are being deleted.

    Args:
        faults: The faults; the first that selects a namespace applies.
        seed: The file's seed.
        injected: Where to count them, by the name of the fault.
        clock: Monotonic, in seconds.
    """

    def __init__(
        self,
        faults: Sequence[NamespaceFault],
        seed: int,
        injected: Counter[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._faults = [(f"namespaces[{number}]", fault) for number, fault in enumerate(faults)]
        self._seed = seed
        self._injected = injected
        self._clock = clock
        self._since: dict[str, float] = {}

    def __call__(self, namespace: str) -> DeletionBlocker | None:
        """What keeps a namespace that is being deleted, if anything does for now."""
        fault = self._fault_of(namespace)
        if fault is None:
            return None
        now_s = self._clock()
        if namespace not in self._since:
            self._since[namespace] = now_s
            self._injected[fault.fault] += 1
        if fault.lasts is not None and now_s - self._since[namespace] >= fault.lasts:
            return None
        return _blocker(fault)

    def on_change(self, change: StoredChange) -> None:
        """Forget a namespace that is gone: one of its name that comes later is another."""
        if change.type == "DELETED":
            self._since.pop(change.record.name, None)

    def _fault_of(self, namespace: str) -> NamespaceFault | None:
        for place, fault in self._faults:
            if is_named(namespace, fault.names) and is_selected(
                self._seed, place, fault.share, ("namespaces", "", namespace)
            ):
                return fault
        return None


def _blocker(fault: NamespaceFault) -> DeletionBlocker:
    match fault.fault:
        case "discoveryFails":
            return DeletionBlocker(undiscovered=fault.undiscovered)
        case "finalizersRemain":
            remaining = {"volumes.simulation.perfscale": 1}
            return DeletionBlocker(remaining=remaining, finalizers={fault.finalizer: 1})
    return DeletionBlocker(is_processed=False)

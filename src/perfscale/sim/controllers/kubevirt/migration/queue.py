"""Which migrations go, which wait for their turn, and of which instance they are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.kubevirt.migration.limits import (
    PARALLEL_OUT_OF_A_NODE,
    PARALLEL_PER_CLUSTER,
)
from perfscale.sim.controllers.objects import Key, key_of, phase_of, uid_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from perfscale.sim.controllers.store import JSON

WAITING_PHASES: Final = ("", "Pending")
FINAL_PHASES: Final = ("Succeeded", "Failed")
# How many that wait are looked at when one has ended.
_WOKEN: Final = 100


def vmi_of(vmim: JSON) -> Key:
    """The instance that a migration is of."""
    return Key(vmim["metadata"]["namespace"], (vmim.get("spec") or {}).get("vmiName") or "")


class MigrationQueue:
    """Counts the migrations of a cluster, by the watches."""

    def __init__(self) -> None:
        self._sources: dict[str, str] = {}
        self._waiting: dict[Key, None] = {}
        self._by_vmi: defaultdict[Key, dict[Key, None]] = defaultdict(dict)

    def apply(self, event: str, vmim: JSON) -> None:
        """Take in one event of a watch."""
        key, uid, phase = key_of(vmim), uid_of(vmim), phase_of(vmim)
        is_gone = event == "DELETED"
        if phase in WAITING_PHASES and not is_gone:
            self._waiting[key] = None
        else:
            self._waiting.pop(key, None)
        if is_gone or phase in FINAL_PHASES:
            self._sources.pop(uid, None)
        elif phase not in WAITING_PHASES and uid not in self._sources:
            # Found on the way, by controllers that have been started again.
            moving: JSON = (vmim.get("status") or {}).get("migrationState") or {}
            self._sources[uid] = moving.get("sourceNode") or ""
        if not is_gone:
            self._by_vmi[vmi_of(vmim)][key] = None
        elif vmi := vmi_of(vmim):
            self._by_vmi[vmi].pop(key, None)
            if not self._by_vmi[vmi]:
                del self._by_vmi[vmi]

    def takes(self, vmim: JSON, source: str) -> bool:
        """Give a migration its turn, if there is one; it is counted from then on."""
        uid = uid_of(vmim)
        if uid in self._sources:
            return True
        leaving = sum(node == source for node in self._sources.values())
        if len(self._sources) >= PARALLEL_PER_CLUSTER or leaving >= PARALLEL_OUT_OF_A_NODE:
            return False
        self._sources[uid] = source
        return True

    def woken(self) -> Iterable[Key]:
        """Those that may go now."""
        if len(self._sources) >= PARALLEL_PER_CLUSTER or not self._waiting:
            return ()
        return tuple(self._waiting)[:_WOKEN]

    def of(self, vmi: Key) -> Collection[Key]:
        """The migrations of an instance, also those that have ended."""
        return tuple(self._by_vmi.get(vmi, ()))

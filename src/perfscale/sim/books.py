"""The simulated cluster's own account of what happened in it, whatever a client saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from perfscale.sim.controllers.kinds import POD, VM, VMI, VMIM, VMIRS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON, Change
    from perfscale.sim.storage.store import Store

BOOKS_PATH: Final = "/simulation/books"
"""Where another process reads them."""


@dataclass(frozen=True, slots=True)
class Account:
    """What happened to the objects of one kind.

    Attributes:
        created: Stored, ever.
        ready: Ready at some time; a kind that has no readiness is ready once it is created.
        failed: In the phase ``Failed`` at some time, also those that were ready before.
        vanished: Asked to go by a fault.
        held: Created with a finalizer that a fault keeps.
        gone: Removed, ever.
        present: There now.
    """

    created: int = 0
    ready: int = 0
    failed: int = 0
    vanished: int = 0
    held: int = 0
    gone: int = 0
    present: int = 0


def _is_running(obj: JSON) -> bool:
    return (obj.get("status") or {}).get("phase") == "Running"


def _has_succeeded(obj: JSON) -> bool:
    return (obj.get("status") or {}).get("phase") == "Succeeded"


def _says_ready(obj: JSON) -> bool:
    return (obj.get("status") or {}).get("ready") is True


def _is_complete(obj: JSON) -> bool:
    wanted = (obj.get("spec") or {}).get("replicas", 1)
    return bool((obj.get("status") or {}).get("readyReplicas", 0) == wanted)


_READY: Final[tuple[tuple[Resource, Callable[[JSON], bool]], ...]] = (
    (VMI, _is_running),
    (POD, _is_running),
    (VM, _says_ready),
    (VMIRS, _is_complete),
    (VMIM, _has_succeeded),
)


class Books:
    """Keeps the books of a store, from the moment it is made.

    Attributes:
        injected: How often each fault has happened, by its name.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self.injected: Counter[str] = Counter()
        self._store = store
        self._tallies = {resource.name: _Tally(rule) for resource, rule in _READY}
        self._vanished: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        for resource, _ in _READY:
            store.listen(self._tallies[resource.name].hear, resource)

    def note_vanished(self, resource: Resource) -> None:
        """A fault has asked an object to go."""
        self._vanished[resource.name] += 1

    def note_held(self, resource: Resource) -> None:
        """A fault has given an object a finalizer that stays."""
        self._held[resource.name] += 1

    def accounts(self) -> Mapping[str, Account]:
        """The account of each kind, by its name (``plural.group``)."""
        found = {}
        for name, tally in self._store.books().items():
            own = self._tallies.get(name)
            found[name] = Account(
                created=tally.created,
                ready=own.ready if own is not None else tally.created,
                failed=own.failed if own is not None else 0,
                vanished=self._vanished[name],
                held=self._held[name],
                gone=tally.deleted,
                present=tally.live,
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Everything, for another process."""
        objects = {name: asdict(account) for name, account in self.accounts().items()}
        return {"objects": objects, "faults": dict(self.injected)}


class _Tally:
    """Counts those objects of a kind that became ready, and those that failed."""

    def __init__(self, is_ready: Callable[[JSON], bool]) -> None:
        self._is_ready = is_ready
        self._were_ready: set[str] = set()
        self._have_failed: set[str] = set()
        self.ready = 0
        self.failed = 0

    def hear(self, change: Change) -> None:
        """Take in one change."""
        uid = change.record.uid
        if change.type == "DELETED":
            self._were_ready.discard(uid)
            self._have_failed.discard(uid)
            return
        obj = change.obj
        if uid not in self._were_ready and self._is_ready(obj):
            self._were_ready.add(uid)
            self.ready += 1
        if uid not in self._have_failed and (obj.get("status") or {}).get("phase") == "Failed":
            self._have_failed.add(uid)
            self.failed += 1

"""What a cluster does by itself with deleted namespaces and with objects of deleted owners.

On a real cluster these are two controllers of the controller manager. Here they are notified
of each change as it happens, queue what there is to do, and do it a little later, in slices,
so that a namespace of ten thousand objects does not hold up the requests in between.
"""

from __future__ import annotations

from collections import defaultdict, deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.errors import ConflictError, NotFoundError
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.sim.storage.metadata import FOREGROUND, ORPHAN
from perfscale.sim.storage.namespaces import NamespaceController
from perfscale.sim.storage.store import DeleteOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.sim.storage.namespaces import DeletionBlocker, Timer
    from perfscale.sim.storage.records import StoredChange
    from perfscale.sim.storage.store import Propagation, Store

# About 5 ms of work at a time.
_SLICE: Final = 100
_OWN_NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")

Key: TypeAlias = tuple[Resource, str, str, str]  # the last is the uid


def create_own_namespaces(store: Store) -> None:
    """Create the namespaces that every cluster has, if they are not there."""
    present = {record.name for record in store.records(NAMESPACES)}
    for name in _OWN_NAMESPACES:
        if name not in present:
            store.create(NAMESPACES, {"metadata": {"name": name}})


class Housekeeping:
    """Drains namespaces that are being deleted, and collects what has lost its owner.

    Args:
        call_soon: How to have a function called a little later: an event loop's
            ``call_soon``. Without it, work is done only by `run_pending`.
        call_later: An event loop's ``call_later``; see `NamespaceController`.
        blocker_of: The same.
    """

    def __init__(
        self,
        store: Store,
        call_soon: Callable[[Callable[[], None]], object] | None = None,
        call_later: Callable[[float, Callable[[], None]], Timer] | None = None,
        blocker_of: Callable[[str], DeletionBlocker | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._call_soon = call_soon
        self._awaited = False
        self._work: deque[Callable[[], None]] = deque()
        self._owners: dict[str, Key] = {}
        self._dependents: defaultdict[str, dict[str, Key]] = defaultdict(dict)
        self._foreground: set[str] = set()
        self._namespaces = NamespaceController(store, self._later, call_later, blocker_of)
        self._references: dict[str, tuple[str, ...]] = {}
        self._stop_listening = store.listen(self._on_change)

    def close(self) -> None:
        """Stop listening, and drop the work that is left."""
        self._stop_listening()
        self._namespaces.close()
        self._work.clear()

    def run_pending(self) -> None:
        """Work until nothing is left to do."""
        while self._work:
            self._work.popleft()()

    def _later(self, work: Callable[[], None]) -> None:
        self._work.append(work)
        if self._call_soon is not None and not self._awaited:
            self._awaited = True
            self._call_soon(self._do_some)

    def _do_some(self) -> None:
        self._awaited = False
        for _ in range(min(_SLICE, len(self._work))):
            self._work.popleft()()
        if self._work and self._call_soon is not None and not self._awaited:
            self._awaited = True
            self._call_soon(self._do_some)

    def _on_change(self, change: StoredChange) -> None:
        record = change.record
        metadata = change.obj["metadata"]
        key = (change.resource, record.namespace, record.name, record.uid)
        is_leaving = "deletionTimestamp" in metadata and change.type != "DELETED"
        if change.resource.name == NAMESPACES.name and not is_leaving:
            self._namespaces.forget(record.name)
        if change.type == "DELETED":
            self._after_deletion(key)
            return
        self._note_owners(key, metadata)
        if is_leaving:
            self._after_mark(key, metadata)

    def _after_mark(self, key: Key, metadata: dict[str, Any]) -> None:
        resource, _, name, uid = key
        if resource.name == NAMESPACES.name:
            self._later(lambda: self._namespaces.drain(name))
        finalizers = metadata.get("finalizers") or ()
        if FOREGROUND in finalizers and uid not in self._foreground:
            self._foreground.add(uid)
            self._later(lambda: self._delete_dependents_first(key))
        elif ORPHAN in finalizers:
            self._later(lambda: self._orphan_dependents(key))

    def _after_deletion(self, key: Key) -> None:
        resource, namespace, _, uid = key
        self._owners.pop(uid, None)
        self._foreground.discard(uid)
        owners = self._references.pop(uid, ())
        self._detach(uid, owners)
        for owner in owners:
            if owner in self._foreground:
                self._later(partial(self._finish_foreground, self._owners[owner]))
        for dependent in tuple(self._dependents.get(uid, {}).values()):
            self._later(partial(self._collect, dependent))
        if resource.namespaced and self._store.is_terminating(namespace):
            self._later(lambda: self._namespaces.release(namespace))

    def _delete(self, key: Key, propagation: Propagation | None = None) -> None:
        resource, namespace, name, uid = key
        with suppress(NotFoundError, ConflictError):
            options = DeleteOptions(uid=uid, propagation=propagation)
            self._store.delete(resource, namespace, name, options)

    # Owners

    def _note_owners(self, key: Key, metadata: dict[str, Any]) -> None:
        uid = key[3]
        self._owners[uid] = key
        owners = tuple(each["uid"] for each in metadata.get("ownerReferences") or ())
        before = self._references.get(uid, ())
        if owners == before:
            return
        self._detach(uid, before)
        self._references[uid] = owners
        for owner in owners:
            self._dependents[owner][uid] = key
        self._later(lambda: self._collect(key))

    def _detach(self, uid: str, owners: tuple[str, ...]) -> None:
        for owner in owners:
            self._dependents[owner].pop(uid, None)
            if not self._dependents[owner]:
                del self._dependents[owner]

    def _collect(self, key: Key) -> None:
        """Delete an object if none of its owners exists any more."""
        owners = self._references.get(key[3])
        if owners and not any(owner in self._owners for owner in owners):
            self._delete(key)

    def _delete_dependents_first(self, key: Key) -> None:
        for dependent in tuple(self._dependents.get(key[3], {}).values()):
            self._delete(dependent, "Foreground")
        self._finish_foreground(key)

    def _finish_foreground(self, key: Key) -> None:
        if not self._dependents.get(key[3]):
            self._drop_finalizer(key, FOREGROUND)

    def _orphan_dependents(self, key: Key) -> None:
        owner = key[3]
        for resource, namespace, name, _ in tuple(self._dependents.get(owner, {}).values()):
            obj = self._store.get(resource, namespace, name)
            obj["metadata"]["ownerReferences"] = [
                each for each in obj["metadata"]["ownerReferences"] if each["uid"] != owner
            ]
            self._store.update(resource, obj)
        self._drop_finalizer(key, ORPHAN)

    def _drop_finalizer(self, key: Key, finalizer: str) -> None:
        resource, namespace, name, uid = key
        with suppress(NotFoundError):
            obj = self._store.get(resource, namespace, name)
            finalizers = obj["metadata"].get("finalizers") or ()
            if obj["metadata"]["uid"] == uid and finalizer in finalizers:
                kept = [each for each in finalizers if each != finalizer]
                obj["metadata"]["finalizers"] = kept
                self._store.update(resource, obj)

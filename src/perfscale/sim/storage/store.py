"""The state of the simulated cluster: objects, their versions, and what happens to them.

Everything here is synchronous and happens at once, so a sequence of calls gives the same
objects and versions every time (time, uids and generated names can be injected). HTTP,
validation, and whatever takes its time on a real cluster (namespaces that drain, garbage
collection) are built on top.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.sim.storage import metadata as rules
from perfscale.sim.storage import refusals
from perfscale.sim.storage.catalogue import Catalogue
from perfscale.sim.storage.collection import Backup, Collection, Totals
from perfscale.sim.storage.records import JSON, ChangeType, Record, StoredChange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perfscale.sim.storage.selectors import Selector

# The window of a kube-apiserver's watch cache grows to 100 000 events of a busy resource;
# this one holds what 1500 creates a second bring in about ten seconds.
HISTORY: Final = 16_384
# The alphabet and length of the API machinery's generated names: no vowels, no words.
_SUFFIX_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH: Final = 5
_NAME_BASE_LENGTH: Final = 63 - _SUFFIX_LENGTH


Propagation: TypeAlias = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete, and what must hold for it.

    Attributes:
        uid: The object that is meant; another one of that name stays.
        resource_version: The version that is meant.
        grace_period_s: How long a pod may take to stop, in seconds; None is up to the pod.
        propagation: What happens to the objects it owns; None is up to the object.
        dry_run: Check only.
    """

    uid: str | None = None
    resource_version: str | None = None
    grace_period_s: int | None = None
    propagation: Propagation | None = None
    dry_run: bool = False


class Deletion(NamedTuple):
    """An answered deletion: the object, and whether it is gone or stays for now."""

    obj: JSON
    gone: bool


class Store:
    """Objects of any kind, with the semantics of a Kubernetes API server.

    Objects that are handed out are shared: change a copy. Listeners are called one after
    the other, in the order of the changes, also when a listener itself changes something.

    Args:
        catalogue: How each kind behaves; the kinds of a cluster with KubeVirt by default.
        rng: Where the suffixes of generated names come from.
        history: How many changes of a kind can be watched from the past.

    Attributes:
        admissions: Each in its turn changes or refuses an object that is about to be stored
            for the first time, or would be if it were no dry run, as admission webhooks do.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_uid: Callable[[], str] = lambda: str(uuid.uuid4()),
        rng: random.Random | None = None,
        history: int = HISTORY,
    ) -> None:
        self.catalogue = catalogue or Catalogue()
        self.now = now
        self.version = 1
        self.admissions: list[Callable[[Resource, JSON, bool], JSON]] = []
        self._new_uid = new_uid
        self._rng = rng or random.Random()  # noqa: S311 - names, not secrets
        self._history = history
        self._forgotten = self.version
        self._collections: dict[tuple[str, str], Collection] = {}
        self._listeners: list[Callable[[StoredChange], None]] = []
        self._undelivered: deque[tuple[Collection, StoredChange]] = deque()
        self._delivering = False
        self._terminating: set[str] = set()
        self._population: Counter[str] = Counter()

    # Reading

    def get(self, resource: Resource, namespace: str | None, name: str) -> JSON:
        """The object; raises `NotFoundError`."""
        return self.record(resource, namespace, name).load()

    def record(self, resource: Resource, namespace: str | None, name: str) -> Record:
        """The object as it is kept; raises `NotFoundError`."""
        record = self.collection(resource).get(namespace or "", name)
        if record is None:
            raise refusals.not_found(resource, namespace, name)
        return record

    def list(
        self, resource: Resource, namespace: str | None = None, selector: Selector | None = None
    ) -> Sequence[JSON]:
        """The objects of a namespace, or of all, that match."""
        return [record.load() for record in self.records(resource, namespace, selector)]

    def records(
        self, resource: Resource, namespace: str | None = None, selector: Selector | None = None
    ) -> Sequence[Record]:
        """The objects as they are kept, by namespace and name."""
        records = self.collection(resource).records(namespace)
        if selector is None or selector.is_everything:
            return records
        return [record for record in records if selector.matches(record)]

    def collection(self, resource: Resource) -> Collection:
        """The objects of a kind, whatever version of it the resource names."""
        key = (resource.group, resource.plural)
        found = self._collections.get(key)
        if found is None:
            kind = self.catalogue.stored(resource)
            found = self._collections[key] = Collection(kind, self._history, self._forgotten)
        return found

    def collections(self) -> Sequence[Collection]:
        """Every kind that has had an object, or was read."""
        return tuple(self._collections.values())

    def population(self, namespace: str) -> int:
        """How many objects live in the namespace."""
        return self._population[namespace]

    def is_terminating(self, namespace: str) -> bool:
        """Whether the namespace is being deleted."""
        return namespace in self._terminating

    def totals(self) -> Mapping[str, Totals]:
        """What was created and deleted of each kind, by its name (``plural.group``)."""
        return {each.resource.name: each.totals() for each in self.collections()}

    # Writing

    def create(
        self, resource: Resource, obj: JSON, *, dry_run: bool = False, uid: str | None = None
    ) -> JSON:
        """Store a new object in the namespace that it names.

        Args:
            resource: Its kind.
            obj: The object.
            dry_run: Check only.
            uid: The one that it gets, where it has been given out already; a new one
                by default.

        Raises:
            AlreadyExistsError: Its name is taken.
            NotFoundError: There is no such namespace.
            NamespaceTerminatingError: The namespace is being deleted.
            InvalidError: It has no name, nor a ``generateName``.
        """
        collection = self.collection(resource)
        kind = collection.kind
        namespace = obj["metadata"].get("namespace") or "" if kind.namespaced else ""
        name = obj["metadata"].get("name") or self._generated_name(collection, obj, namespace)
        taken = collection.get(namespace, name)
        if taken is not None:
            is_going = "deletionTimestamp" in taken.load()["metadata"]
            raise refusals.already_exists(resource, namespace, name, is_going=is_going)
        if kind.namespaced:
            self._admit(resource, namespace, name)
        made = rules.fresh(kind, obj, name, uid or self._new_uid(), self.now())
        if self.admissions:
            for admit in self.admissions:
                made = admit(collection.resource, made, dry_run)
            if collection.get(namespace, made["metadata"]["name"]) is not None:
                raise refusals.already_exists(resource, namespace, made["metadata"]["name"])
        return self._commit(collection, "ADDED", made, None, dry_run=dry_run)

    def update(
        self,
        resource: Resource,
        obj: JSON,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> JSON:
        """Replace an object, or its status; an update that changes nothing is no change.

        An object that was only waiting for its finalizers is gone with the last of them.

        Raises:
            NotFoundError: There is no such object.
            ConflictError: `obj` was made from another version, or is another object.
            InvalidError: It adds a finalizer to an object that is being deleted.
        """
        collection = self.collection(resource)
        given = obj["metadata"]
        record = self.record(resource, given.get("namespace"), given["name"])
        rules.check_same(resource, record, given.get("uid"), given.get("resourceVersion"))
        current = record.load()
        made = rules.revised(collection.kind, current, obj, subresource)
        if made == current:
            return current
        going = "deletionTimestamp" in made["metadata"] and not rules.is_held(made)
        change: ChangeType = "DELETED" if going else "MODIFIED"
        return self._commit(collection, change, made, record, dry_run=dry_run)

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        options: DeleteOptions = DeleteOptions(),
    ) -> Deletion:
        """Delete an object, or mark it as going while something holds it.

        What holds it are finalizers, a pod's grace period, and a namespace's contents.

        Raises:
            NotFoundError: There is no such object.
            ConflictError: A precondition does not hold.
        """
        collection = self.collection(resource)
        record = self.record(resource, namespace, name)
        rules.check_same(resource, record, options.uid, options.resource_version, precondition=True)
        current = record.load()
        finalizers = rules.finalizers_for(current, options.propagation)
        grace_s = rules.grace_of(collection.kind, current, options.grace_period_s)
        if "deletionTimestamp" in current["metadata"]:
            grace_s = min(grace_s, current["metadata"].get("deletionGracePeriodSeconds") or 0)
        made = rules.marked(current, finalizers, grace_s, self.now())
        if not rules.is_held(made):
            gone = self._commit(collection, "DELETED", current, record, dry_run=options.dry_run)
            return Deletion(gone, gone=True)
        if "deletionTimestamp" in current["metadata"] and rules.same_wait(current, made):
            return Deletion(current, gone=False)
        made = self._commit(collection, "MODIFIED", made, record, dry_run=options.dry_run)
        return Deletion(made, gone=False)

    # Following

    def subscribe(
        self, resource: Resource, callback: Callable[[str, JSON], None]
    ) -> Callable[[], None]:
        """Call `callback` with each change's type and object, in order; returns what ends it."""
        return self.listen(lambda change: callback(change.type, change.obj), resource)

    def listen(
        self, callback: Callable[[StoredChange], None], resource: Resource | None = None
    ) -> Callable[[], None]:
        """The same with the whole change; of every kind, if none is given."""
        listeners = self._listeners if resource is None else self.collection(resource).listeners
        listeners.append(callback)

        def leave() -> None:
            if callback in listeners:
                listeners.remove(callback)

        return leave

    def changes_since(self, resource: Resource, version: int) -> Sequence[StoredChange]:
        """Every change of the kind after that version, for who resumes a watch.

        Raises:
            ExpiredError: That is longer ago than the store remembers.
            TooLargeVersionError: The store has not reached that version.
        """
        if version > self.version:
            raise refusals.TooLargeVersionError(version, self.version)
        return self.collection(resource).changes_since(version)

    def compact(self) -> None:
        """Forget all history: a watch from any version before this one is refused with 410."""
        self._forgotten = self.version
        for collection in self.collections():
            collection.forget(self.version)

    def backup(self) -> Backup:
        """A copy of all objects, for `restore`."""
        records = {each.resource.name: tuple(each.records()) for each in self.collections()}
        return Backup(self.version, records)

    def restore(self, backup: Backup) -> None:
        """Go back to a copy, its versions and all, as an etcd that is restored from one does.

        Listeners get what it makes of each object; who watches from a version gets
        nothing, and is not to be there: there is no history from before.
        """
        changes = []
        for collection in self.collections():
            then = backup.records.get(collection.resource.name, ())
            for change in collection.changes_to(then):
                collection.apply(change)
                changes.append((collection, change))
        self.version = self._forgotten = backup.version
        self._population.clear()
        self._terminating.clear()
        for collection in self.collections():
            collection.restart(self.version)
            for record in collection.records():
                change = StoredChange("ADDED", collection.resource, record, None, record.load())
                self._keep_count(collection, change)
        for collection, change in changes:
            self._deliver(collection, change)

    # How it is done

    def _generated_name(self, collection: Collection, obj: JSON, namespace: str) -> str:
        base = obj["metadata"].get("generateName") or ""
        if not base:
            why = "Required value: name or generateName is required"
            cause = refusals.Cause("FieldValueRequired", why, "metadata.name")
            raise refusals.invalid(collection.resource, namespace, "", [cause])
        while True:
            suffix = "".join(self._rng.choices(_SUFFIX_ALPHABET, k=_SUFFIX_LENGTH))
            name = f"{base[:_NAME_BASE_LENGTH]}{suffix}"
            if collection.get(namespace, name) is None:
                return name

    def _admit(self, resource: Resource, namespace: str, name: str) -> None:
        if self.collection(NAMESPACES).get("", namespace) is None:
            raise refusals.not_found(NAMESPACES, None, namespace)
        if namespace in self._terminating:
            raise refusals.NamespaceTerminatingError(resource, namespace, name)

    def _commit(
        self,
        collection: Collection,
        change_type: ChangeType,
        obj: JSON,
        previous: Record | None,
        *,
        dry_run: bool,
    ) -> JSON:
        if dry_run:
            return obj
        self.version += 1
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        record = Record(obj, self.version)
        change = StoredChange(change_type, collection.resource, record, previous, obj)
        collection.apply(change)
        self._keep_count(collection, change)
        self._deliver(collection, change)
        return obj

    def _keep_count(self, collection: Collection, change: StoredChange) -> None:
        if collection.kind.namespaced:
            self._population[change.record.namespace] += {"ADDED": 1, "DELETED": -1}.get(
                change.type, 0
            )
        elif collection.resource.name == NAMESPACES.name:
            if change.type == "DELETED":
                self._terminating.discard(change.record.name)
                del self._population[change.record.name]
            elif "deletionTimestamp" in change.obj["metadata"]:
                self._terminating.add(change.record.name)

    def _deliver(self, collection: Collection, change: StoredChange) -> None:
        # A listener may change something in its turn: all are called with the first change
        # before any is called with the second.
        self._undelivered.append((collection, change))
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._undelivered:
                where, what = self._undelivered.popleft()
                for listener in (*where.listeners, *self._listeners):
                    listener(what)
                what.release()
        finally:
            self._delivering = False

"""Follows every object of a run by its UID: a pure state machine.

The tracker takes an answer to a create, an event or a list, finds out which object it is about,
and returns what that changed. It never waits and never does I/O, so that it can be tested without
a loop. All times are seconds since the run's start, given by the caller.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from perfscale.engine.tracking.contents import NamespaceContents
from perfscale.engine.tracking.row_index import RowIndex
from perfscale.engine.tracking.row_rules import RowRules
from perfscale.engine.tracking.rows import (
    DIRTY,
    IterationScope,
    TrackedObject,
    Transition,
)
from perfscale.engine.tracking.succession import Succession
from perfscale.kube.decoding import version_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.engine.tracking.readiness import Expectation, Metadata, Reading
    from perfscale.kube.resources import Place, Resource

_STRIPPED: Final = "it was created without the run's labels, so it cannot be followed"
_MOST_RELEASED: Final = 2000
"""UIDs of objects that are gone, which are remembered for a while."""
_LOST_LABELS: Final = "somebody took the run's labels from it, so it cannot be followed"


class Tracker:
    """All rows of a run.

    Attributes:
        phases: How many objects are in each phase now, by ``(kind, phase)``.
        child_phases: The same of children.
    """

    def __init__(self) -> None:
        by_uid: dict[str, TrackedObject] = {}
        self._succession = Succession(by_uid)
        self._rules = RowRules(self._succession)
        self.phases = self._rules.phases
        self.child_phases = self._rules.child_phases
        self._index = RowIndex(self._rules, by_uid, self._succession)
        # Read at every event: the index's own.
        self._by_uid, self._scopes = by_uid, self._index.scopes
        self._contents = NamespaceContents(by_uid)
        self._listed: dict[tuple[str, str | None], int] = {}
        self._released: dict[str, None] = {}

    # -- the load ---------------------------------------------------------

    def open_iteration(
        self, workload: str, iteration: int, requested: int, round_number: int | None = None
    ) -> IterationScope:
        """Begin an iteration of ``requested`` objects, in a round of churn or in none."""
        scope = IterationScope(workload, iteration, requested, round_number)
        self._scopes[workload, str(iteration)] = scope
        return scope

    def schedule(
        self,
        scope: IterationScope,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        replica: int,
        expected: Expectation | None = None,
        entry: int = 0,
        round_number: int | None = None,
    ) -> TrackedObject:
        """Begin to follow an object that is about to be created.

        It is judged by what is ``expected`` of it in the place of what is of its kind.
        """
        row = TrackedObject(
            scope, resource, namespace, name, replica, expected=expected, entry=entry
        )
        row.round = round_number
        scope.objects.append(row)
        self._index.awaited[resource.name, namespace, name] = row
        return row

    def send(self, row: TrackedObject, now: float) -> None:
        """Its create request goes onto the wire, for the first time."""
        row.sent_s = now
        row.dirty |= DIRTY["sent_s"]
        row.scope.sent += 1

    def accept(
        self,
        row: TrackedObject,
        metadata: Metadata,
        now: float,
        *,
        is_ready: bool,
        is_labelled: bool = True,
    ) -> list[Transition]:
        """The server answered that it created the object.

        Args:
            row: The object.
            metadata: From the answer.
            now: When the answer arrived.
            is_ready: Whether its kind is ready by being created.
            is_labelled: Whether it carries the run's labels. No watch shows one that does
                not, so it has failed.
        """
        self._index.forget_name(row)
        known = self._by_uid.get(metadata.uid)
        if known is not row and (known is not None or row.uid is not None):
            # A watch was quicker than this answer, and its event went by the name alone, which
            # another object may have had; only the answer says which UID is this request's.
            self._index.assign(row, known)
        is_new = row.uid is None
        changes = self._index.bind(row, metadata, now)
        if not is_labelled:
            row.unlabelled = True
            changes += self._rules.fail(row, _STRIPPED)
        elif is_new and 0 < row.version <= self._last_list(row):
            # A list that is newer than the object, and did not hold it: no
            # event will ever show that it is gone.
            self._rules.leave(row, self._last_list(row), now, changes)
        elif row.deleted_s is not None and row.delete_requested_s is None:
            changes += self._rules.vanish(row)
        if metadata.name != row.name:
            row.name = metadata.name  # admission may do that
            row.dirty |= DIRTY["name"]
        row.created_s = now
        row.dirty |= DIRTY["created_s"]
        if is_ready:
            if row.ready_s is not None:
                row.ready_s = now  # the watch was quicker than the answer
                row.dirty |= DIRTY["ready_s"]
            elif not row.decided:
                changes.append(self._rules.become_ready(row, now))
        return changes

    def refuse(self, row: TrackedObject, error: str, *, certain: bool) -> list[Transition]:
        """The create failed with ``error``.

        If it is not ``certain`` that it was refused, it may have been carried out all the same:
        if the watch has seen the object, or does so later, that is what counts.
        """
        if certain:
            # Nothing of that name can be this object; otherwise its event may still come.
            self._index.forget_name(row)
            if row.uid is not None:
                self._index.assign(row, None)  # somebody else's, of the same name
        elif row.uid is not None:
            return []
        return self._rules.fail(row, error)

    # -- what the watches see ---------------------------------------------

    def observe(
        self, resource: Resource, event: str, metadata: Metadata, reading: Reading, now: float
    ) -> list[Transition]:
        """Take one watch event: ``ADDED``, ``MODIFIED`` or ``DELETED``."""
        row = self._by_uid.get(metadata.uid)
        changes: list[Transition] = []
        if row is None:
            if event == "DELETED" or metadata.uid in self._released:
                return changes  # never seen alive, so neither counted nor waited for
            row = self._index.recognise(resource, metadata, now, changes)
            if row is None:
                return changes
        # What a list holds was there before the watch, so it says nothing of how late a watch is.
        if event == "ADDED" and row.observed_s is None and row.replica is not None:
            row.observed_s = now
            row.dirty |= DIRTY["observed_s"]
        if row.deleted_s is None:
            self._rules.read(row, metadata, reading, now, changes)
            if event == "DELETED":
                self._rules.leave(row, version_number(metadata.resource_version), now, changes)
            elif row.doubted_s is not None:
                self._rules.trust(row)  # its labels are back
        return changes

    def row_of(self, uid: str) -> TrackedObject | None:
        """The row of an object that is followed."""
        return self._by_uid.get(uid)

    def has_seen(self, uid: str) -> bool:
        """Whether anything was seen of an object, or known of it by the answer to its create."""
        return uid in self._by_uid or uid in self._released

    def reconcile(
        self,
        place: Place,
        state: Iterable[tuple[Metadata, Reading]],
        list_version: int,
        now: float,
        *,
        seen: Iterable[str] = (),
        asked_s: float = -inf,
    ) -> list[Transition]:
        """Take a whole list: what it does not hold is gone.

        Args:
            place: What was listed, and where.
            state: Everything the list held.
            list_version: The list's resourceVersion. An object that was
                created after it cannot be in the list, and is left alone.
            now: When the list arrived.
            seen: UIDs of what it held beside that.
            asked_s: When it was asked for. What had been created by then is in it, if
                it is there: a list is the truth, although versions may have gone back.
        """
        changes: list[Transition] = []
        held = set(seen)
        for metadata, reading in state:
            held.add(metadata.uid)
            changes += self.observe(place.resource, "MODIFIED", metadata, reading, now)
        for row in list(self._by_uid.values()):
            if (
                row.resource.name == place.resource.name
                and place.namespace in {None, row.namespace}
                and row.present
                and not row.unlabelled
                and row.uid not in held
                # An object that was created while the list was read is in none of its pages.
                and (row.version <= list_version or row.was_there(asked_s))
            ):
                self._rules.leave(row, list_version, now, changes)
        where = (place.resource.name, place.namespace)
        self._listed[where] = max(list_version, self._listed.get(where, 0))
        return changes

    @property
    def went_back(self) -> bool:
        """Whether the cluster was found to be in an older state than it had been."""
        return self._rules.went_back_s is not None

    def go_back(self, list_version: int, now: float) -> None:
        """The cluster is in an older state than it was, as a list of this version shows.

        Versions from before say nothing of what comes after.
        """
        self._rules.went_back_s = now
        # Versions are given out again after a restore, so none from before compares with them.
        for where, version in self._listed.items():
            self._listed[where] = min(version, list_version)
        for scope in self._scopes.values():
            scope.asked_versions = {}

    # -- what a read by name finds ------------------------------------------

    def confirm_gone(self, row: TrackedObject, now: float) -> list[Transition]:
        """A read by name has not found the object, or not any more."""
        changes: list[Transition] = []
        if row.present and self._index.is_followed(row):
            gone_s = now if row.doubted_s is None else row.doubted_s
            vanished = row.doubted_s is not None or row.delete_requested_s is None
            self._rules.trust(row)
            self._rules.mark_gone(row, gone_s, changes, vanished=vanished)
        return changes

    def find(
        self, row: TrackedObject, metadata: Metadata, *, is_labelled: bool
    ) -> list[Transition]:
        """A read by name has found the object, although a watch showed it as gone.

        Without the run's labels no watch shows it any more: if it was not ready by then, it
        has failed. With them the watch was late, or the labels are back.
        """
        if not row.present or not self._index.is_followed(row):
            return []
        self._rules.trust(row)
        row.unlabelled = not is_labelled
        if metadata.deletion_timestamp is not None:
            self._rules.read_deletion(row, metadata.deletion_timestamp, metadata.finalizers)
            if row.delete_requested_s is None:
                return self._rules.vanish(row)
        if is_labelled or row.ready_s is not None or row.delete_requested_s is not None:
            return []
        return self._rules.fail(row, _LOST_LABELS)

    # -- waits and deletion ------------------------------------------------

    def close_readiness(self, scope: IterationScope) -> None:
        """The wait is over: what becomes ready later still counts as unready."""
        scope.accepts_readiness = False

    def request_deletion(
        self, scope: IterationScope, now: float, versions: Mapping[str, int] | None = None
    ) -> None:
        """The run deletes the iteration's objects, and with them their children.

        ``versions`` are the cluster's resourceVersions before that, by resource name. An event
        up to there, however late it comes, is not what the run did.
        """
        scope.deletion_requested = True
        scope.asked_s = now
        scope.asked_versions = versions or {}
        scope.accepts_readiness = False
        for row in scope.rows:
            self.request_deletion_of(row, now)

    def contents_of(self, namespace: str | None) -> list[TrackedObject]:
        """Everything that has been seen in a namespace, and is followed."""
        return self._contents.of(namespace)

    def request_deletion_of(self, row: TrackedObject, now: float) -> None:
        """The run deletes a single object."""
        if row.present and row.delete_requested_s is None:
            row.delete_requested_s = now
            row.dirty |= DIRTY["delete_requested_s"]

    def withdraw_deletion_of(self, row: TrackedObject) -> list[Transition]:
        """The server refused to delete a single object: its end is not the run's doing."""
        if row.scope.deletion_requested or not self._index.is_followed(row):
            return []
        row.delete_requested_s = None
        row.dirty |= DIRTY["delete_requested_s"]
        is_lost = row.deleted_s is not None or row.deletion_timestamp is not None
        return self._rules.vanish(row) if is_lost else []

    def mark_replaced(self, row: TrackedObject, round_number: int) -> None:
        """It is a round of churn that deletes an object."""
        row.replaced_in = round_number
        row.dirty |= DIRTY["replaced_in"]

    def adopt(
        self, scope: IterationScope, owners: Iterable[TrackedObject], round_number: int
    ) -> list[TrackedObject]:
        """What was made for objects of a round of churn belongs to that round: return it."""
        uids, adopted = {row.uid for row in owners}, []
        for child in scope.children:
            if child.owner_uid in uids:
                uids.add(child.uid)
                child.round = round_number
                child.dirty |= DIRTY["round"]
                adopted.append(child)
        return adopted

    def operate(self, row: TrackedObject, operation: str) -> None:
        """An operation is sent to an object, of which controllers may make others."""
        self._succession.operate(row, operation)

    def forget(self, rows: Iterable[TrackedObject]) -> None:
        """Drop objects whose records have been written."""
        for row in rows:
            if row.uid is not None:
                self._by_uid.pop(row.uid, None)
                self._succession.forget(row.uid)
            self._index.forget_name(row)

    def release(self, rows: Iterable[TrackedObject]) -> None:
        """Drop objects that are gone, of an iteration that goes on.

        A read by name can find them gone before the watch has shown their last changes, which
        would look like those of children: some of the UIDs are remembered for that.
        """
        rows = list(rows)
        self.forget(rows)
        self._released.update((row.uid, None) for row in rows if row.uid is not None)
        for uid in list(self._released)[: -_MOST_RELEASED or None]:
            del self._released[uid]

    def retire(self, scope: IterationScope) -> None:
        """Take no more events of an iteration; its rows are dropped one by one."""
        self._scopes.pop((scope.workload, str(scope.iteration)), None)

    def open_scopes(self) -> list[IterationScope]:
        """The iterations that have not been retired, oldest first."""
        return list(self._scopes.values())

    def _last_list(self, row: TrackedObject) -> int:
        """The version of the newest list that would have held an object."""
        name, listed = row.resource.name, self._listed
        return max(listed.get((name, None), 0), listed.get((name, row.namespace), 0))

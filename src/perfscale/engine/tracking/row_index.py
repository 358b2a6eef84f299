"""Which row is about which object of the cluster: by its UID, and by its name before that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perfscale.config.labels import ITERATION_LABEL, WORKLOAD_LABEL
from perfscale.engine.tracking.rows import (
    DIRTY,
    IterationScope,
    TrackedObject,
    Transition,
    TransitionKind,
)
from perfscale.kube.decoding import version_number
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from perfscale.engine.tracking.readiness import Metadata
    from perfscale.engine.tracking.row_rules import RowRules
    from perfscale.engine.tracking.succession import Succession
    from perfscale.kube.resources import Resource


class RowIndex:
    """Finds the row of an object, and makes those of children.

    Args:
        rules: What counts the rows.
        by_uid: The rows whose objects have been seen.
        succession: What knows which children creation has made.

    Attributes:
        scopes: The iterations that take events, by the values of their labels.
        by_uid: The rows whose objects have been seen.
        awaited: Those whose creates have not been answered, by resource, namespace and name.
    """

    def __init__(
        self, rules: RowRules, by_uid: dict[str, TrackedObject], succession: Succession
    ) -> None:
        self._rules = rules
        self._succession = succession
        self.scopes: dict[tuple[str, str], IterationScope] = {}
        self.by_uid = by_uid
        self.awaited: dict[tuple[str, str | None, str], TrackedObject] = {}

    def recognise(
        self, resource: Resource, metadata: Metadata, now: float, changes: list[Transition]
    ) -> TrackedObject | None:
        """The row of an object whose UID is new: one of ours, or a child."""
        row = self.awaited.get((resource.name, metadata.namespace, metadata.name))
        labels = metadata.labels or {}
        scope = self.scopes.get((labels.get(WORKLOAD_LABEL, ""), labels.get(ITERATION_LABEL, "")))
        if row is not None and row.uid is None and row.sent_s is not None and row.scope is scope:
            if row.error is not None:
                self._rules.count(row, -1)
                row.error, row.decided = None, False  # its create was carried out after all
                row.dirty |= DIRTY["error"]
                self._rules.count(row, 1)
            changes += self.bind(row, metadata, now)
            return row
        if scope is None or resource.name == NAMESPACES.name:
            return None  # no controller makes namespaces for objects: it is the run's own
        child = TrackedObject(scope, resource, metadata.namespace, metadata.name, replica=None)
        child.decided = True
        child.round = scope.round
        if metadata.owner_references:
            child.owner_uid = metadata.owner_references[0].uid
            child.made_by = self._succession.cause_of(child)
        child.created_s = now
        scope.children.append(child)
        if scope.deletion_requested:
            child.delete_requested_s = now
        changes += self.bind(child, metadata, now)
        if scope.deletion_requested and child.owner_uid is None:
            changes.append(Transition(child, TransitionKind.STRAY))
        return child

    def assign(self, row: TrackedObject, known: TrackedObject | None) -> None:
        """Make a row about another object than the watch had led to believe.

        The one that it was about becomes a child, since it carries the labels
        and its end is waited for; ``known`` is the child that the right one was
        taken for, if it has been seen. If there is no such object, a child
        without a UID is left, which counts for nothing.
        """
        other = known or TrackedObject(
            row.scope, row.resource, row.namespace, row.name, replica=None
        )
        self._rules.count(row, -1)
        self._rules.count(other, -1)
        row.exchange(other)
        if self._rules.has_vanished(other):
            other.error = None  # no failure of a child
        other.decided = True
        if other.doubted_s is not None:
            other.deleted_s = other.doubted_s  # a child's end is not verified
            self._rules.trust(other)
        row.decided = row.error is not None or row.ready_s is not None
        children = row.scope.children
        if known is None and other.uid is not None:
            children.append(other)
        self._rules.count(row, 1)
        self._rules.count(other, 1)
        for each in (row, other):
            if each.uid is not None:
                self.by_uid[each.uid] = each

    def is_followed(self, row: TrackedObject) -> bool:
        """Whether its record has not been written yet."""
        return self.by_uid.get(row.uid or "") is row

    def bind(self, row: TrackedObject, metadata: Metadata, now: float) -> list[Transition]:
        """The object of a row is seen for the first time; nothing changes if it was."""
        if row.uid is not None:
            return []
        row.uid = metadata.uid
        row.version = version_number(metadata.resource_version)
        if metadata.creation_timestamp is not None:
            row.creation_timestamp = sys.intern(metadata.creation_timestamp)
        row.dirty |= DIRTY["uid"] | DIRTY["owner_uid"] | DIRTY["creation_timestamp"]
        self.by_uid[metadata.uid] = row
        self._rules.count_present(row, 1)
        if not row.is_child:
            row.scope.created += 1
        if row.created_s is None:
            row.created_s = now
            row.dirty |= DIRTY["created_s"]
        if row.scope.deletion_requested and row.delete_requested_s is None:
            row.delete_requested_s = now
            row.dirty |= DIRTY["delete_requested_s"]
        return [Transition(row, TransitionKind.CREATED)]

    def forget_name(self, row: TrackedObject) -> None:
        """Take no more events for the row by its name."""
        key = (row.resource.name, row.namespace, row.name)
        if self.awaited.get(key) is row:
            del self.awaited[key]

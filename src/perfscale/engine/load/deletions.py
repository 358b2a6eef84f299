"""What the run's own operations delete, so that nobody else is taken to have done it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfscale.engine.context import RunContext
    from perfscale.engine.load.targets import Target
    from perfscale.engine.tracking.operations import TrackedOperation
    from perfscale.engine.tracking.rows import TrackedObject


class Deletions:
    """Marks the targets of deletes before their requests leave, and takes back what was refused.

    The mark comes first, since a watch may show the object as gone before the answer is there.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._unanswered: dict[TrackedObject, int] = {}
        self._of_others: set[str] = set()

    def send(self, target: Target) -> None:
        """A delete of it leaves."""
        row = target.row
        if row is None:
            self._of_others.add(target.uid or "")
        elif row in self._unanswered or row.delete_requested_s is None:
            self._unanswered[row] = self._unanswered.get(row, 0) + 1
            self._context.request_deletion_of(row)

    def accept(self, target: Target) -> None:
        """The server has accepted it, or may have: whatever another delete is answered now."""
        if target.row is not None:
            self._unanswered.pop(target.row, None)

    def refuse(self, target: Target) -> None:
        """The server certainly has not deleted it for the run: a later loss is not wanted."""
        row = target.row
        if row is None:
            self._of_others.discard(target.uid or "")
            return
        if row not in self._unanswered:
            return  # another delete of it was accepted, or it goes with its iteration
        self._unanswered[row] -= 1
        if not self._unanswered[row]:
            del self._unanswered[row]
            self._context.withdraw_deletion_of(row)

    def are_of_run(self, operation: TrackedOperation) -> bool:
        """Whether the run has requested the deletion of an operation's target."""
        if operation.row is not None:
            return operation.row.delete_requested_s is not None
        return operation.uid in self._of_others

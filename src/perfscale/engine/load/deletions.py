"""What the run's own operations delete, so that nobody else is taken to have done it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.engine.context import RunContext
    from perfscale.engine.load.targets import Target
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.rows import TrackedObject


class Deletions:
    """Marks the targets of deletes before their requests leave, and takes back what was refused.

    The mark comes first, since a watch may show the object as gone before the answer is there.
    What is in a namespace goes with it, and is marked with it.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._unanswered: dict[TrackedObject, int] = {}
        self._of_others: set[str] = set()
        self._contents: dict[str, list[TrackedObject]] = {}

    def send(self, target: Target) -> None:
        """A delete of it leaves."""
        if target.is_namespace:
            inside = self._context.tracker.contents_of(target.name)
            self._contents[target.uid or ""] = inside
            self._mark(inside)
        if target.row is None:
            self._of_others.add(target.uid or "")
        else:
            self._mark([target.row])

    def accept(self, target: Target) -> None:
        """The server has accepted it, or may have: whatever another delete is answered now."""
        for row in self._marked(target):
            self._unanswered.pop(row, None)

    def confirm(self, operation: TrackedOperation) -> None:
        """A namespace is gone, and so is what was in it: its watches may be behind."""
        context = self._context
        for row in self._contents.pop(operation.uid or "", ()):
            if row.present:
                context.publish(context.tracker.confirm_gone(row, context.stopwatch.now()))

    def refuse(self, target: Target) -> None:
        """The server certainly has not deleted it for the run: a later loss is not wanted."""
        if target.row is None:
            self._of_others.discard(target.uid or "")
        marked = list(self._marked(target))
        self._contents.pop(target.uid or "", None)
        for row in marked:
            if row not in self._unanswered:
                continue  # another delete of it was accepted, or it goes with its iteration
            self._unanswered[row] -= 1
            if not self._unanswered[row]:
                del self._unanswered[row]
                self._context.withdraw_deletion_of(row)

    def are_of_run(self, operation: TrackedOperation) -> bool:
        """Whether the run has requested the deletion of an operation's target."""
        if operation.row is not None:
            return operation.row.delete_requested_s is not None
        return operation.uid in self._of_others

    def _mark(self, rows: Iterable[TrackedObject]) -> None:
        for row in rows:
            if row in self._unanswered or row.delete_requested_s is None:
                self._unanswered[row] = self._unanswered.get(row, 0) + 1
                self._context.request_deletion_of(row)

    def _marked(self, target: Target) -> Iterator[TrackedObject]:
        if target.row is not None:
            yield target.row
        yield from self._contents.get(target.uid or "", ())

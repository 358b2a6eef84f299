"""One operation's life: its fields, the entries of a journal that carry them, and its record.

As with objects, a live run changes the fields itself and writes the entries; a replay takes them
from the entries. A new field is spelled in `OperationChangeEntry`, `OperationLife` and
`OperationRecord`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from perfscale.results.journal.objects import Entry
from perfscale.results.model.operations import OperationOutcome, OperationRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.journal.objects import Kind, Scope


class OperationChangeEntry(
    Entry, frozen=True, gc=False, tag="operation_change", kw_only=True, omit_defaults=True
):
    """What is new about an operation.

    ``milestones`` holds the new ones alone; the other fields replace what stood there before.
    What it was seen to have come to counts no more after an entry with ``again``: its request was
    refused, and is sent again.
    """

    n: int
    again: bool = False
    sent_s: float | UnsetType | None = UNSET
    answered_s: float | UnsetType | None = UNSET
    done_s: float | UnsetType | None = UNSET
    error: str | UnsetType | None = UNSET
    detail: str | UnsetType | None = UNSET
    milestones: dict[str, float] | UnsetType = UNSET
    counts: dict[str, int] | UnsetType = UNSET
    given_up: bool | UnsetType = UNSET


class OperationEntry(
    OperationChangeEntry, frozen=True, gc=False, tag="operation", kw_only=True, omit_defaults=True
):
    """An operation that is heard of for the first time, and its number ``n``.

    Operations are numbered apart from objects.
    """

    i: int
    operation: str
    kind: str
    namespace: str | None
    name: str | None
    uid: str | None
    scheduled_s: float | None = None
    admitted_s: float | None = None


OPERATION_FIELDS: Final = tuple(
    name
    for name in OperationChangeEntry.__struct_fields__
    if name not in {"n", "again", "milestones"}
)
"""Fields that an entry replaces."""


@dataclass(slots=True, eq=False)
class OperationLife:
    """What is known of one operation so far. Its fields are those of `OperationRecord`.

    Attributes:
        detail: What was last seen of what it waits for.
        given_up: Whether nothing is waited for any more: it stays unfinished.
    """

    scope: Scope
    operation: str
    resource: Kind
    namespace: str | None
    name: str | None
    uid: str | None
    scheduled_s: float | None = None
    admitted_s: float | None = None
    sent_s: float | None = None
    answered_s: float | None = None
    done_s: float | None = None
    error: str | None = None
    detail: str | None = None
    milestones: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    given_up: bool = False

    @property
    def decided(self) -> bool:
        """Whether nothing that happens later changes what became of it."""
        return self.done_s is not None or self.error is not None or self.given_up

    @property
    def outcome(self) -> OperationOutcome:
        """What became of it, as things stand."""
        return OperationOutcome.of(error=self.error, done_s=self.done_s, sent_s=self.sent_s)

    def apply(self, entry: OperationChangeEntry) -> None:
        """Take what an entry of a journal says about it."""
        for name in OPERATION_FIELDS:
            value = getattr(entry, name)
            if value is not UNSET:
                setattr(self, name, value)
        if entry.again:
            self.milestones.clear()
        if entry.milestones is not UNSET:
            for name, at_s in entry.milestones.items():
                self.milestones[sys.intern(name)] = at_s

    def times_s(self) -> Iterator[float]:
        """When whatever the journal holds of it happened."""
        known = (self.sent_s, self.answered_s, self.done_s)
        yield from (at_s for at_s in known if at_s is not None)
        yield from self.milestones.values()

    def record(self) -> OperationRecord:
        """What is kept of it."""
        outcome = self.outcome
        return OperationRecord(
            workload=self.scope.workload,
            iteration=self.scope.iteration,
            operation=self.operation,
            kind=self.resource.kind_name,
            api_version=self.resource.api_version,
            namespace=self.namespace,
            name=self.name,
            uid=self.uid,
            outcome=outcome,
            error=outcome.explain(self.error, self.detail, self.answered_s),
            scheduled_s=self.scheduled_s,
            admitted_s=self.admitted_s,
            sent_s=self.sent_s,
            answered_s=self.answered_s,
            done_s=self.done_s,
            milestones=dict(self.milestones),
            counts=dict(self.counts),
        )

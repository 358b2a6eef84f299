"""The frozen records that a run leaves behind.

Times named ``*_s`` are seconds since the run's start, read from one monotonic
clock; they are never mixed with the server's timestamps, which have a
resolution of one second and another clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

_NO_ANSWER: Final = "the run ended before the server answered the create request"
UNKNOWN: Final = (
    "the journal ends before the server answered the create request: whether it was created "
    "is unknown"
)
"""Why an object of a run that was killed has failed: its server's answer is lost."""
REPLACEMENT: Final = "replacement"
"""What made a child that took the place of one that had gone, or had come to its end."""


class Outcome(StrEnum):
    """What became of one object."""

    READY = "ready"
    FAILED = "failed"
    UNREADY = "unready"
    NOT_ATTEMPTED = "notAttempted"

    def explain(self, error: str | None, detail: str | None) -> str | None:
        """Why an object failed (``error``) or is not ready (``detail``); None for one that is."""
        match self:
            case Outcome.FAILED:
                return error or _NO_ANSWER
            case Outcome.UNREADY:
                return detail
            case _:
                return None


class ObjectRecord(msgspec.Struct, frozen=True):
    """One object's life, or one child's.

    Attributes:
        kind: CamelCase kind; ``Kind.group`` where the run has one of that name in
            another group too.
        namespace: None for a cluster-scoped object.
        name: Its name.
        uid: Given by the server; None if it never accepted the object.
        workload: Name of the workload.
        iteration: Counted from 1.
        replica: Counted from 1; None for a child, which a controller created.
        outcome: What became of it.
        error: Why it failed, or why it was not ready; None otherwise.
        scheduled_s: When its turn came by the target rate.
        admitted_s: When the rate limit and the in-flight bound let it go.
        sent_s: When its create request was sent first.
        created_s: When the server's answer arrived; for a child, when it was first seen.
        phases_s: When it was first seen in each phase on its way to readiness, in that order.
        ready_s: When it was first seen ready.
        delete_requested_s: When its deletion was requested.
        deleted_s: When it was seen gone.
        server: The server's own timestamps, as it wrote them (RFC 3339):
            ``creationTimestamp``, ``deletionTimestamp``, and the phases' under
            ``phases`` where the kind keeps them.
        owner_uid: Of what a child was made for.
        observed_s: When a watch reported it as added; None for a child, and
            for an object that was found in a list first.
        api_version: Of its kind; empty in records of earlier versions.
        round: The round of churn that created it, counted from 1; None for the first ones.
        replaced_in: The round of churn that deleted it; None where none did.
        later_phases_s: When it was first seen in each phase after its way to readiness was over.
        made_by: Of a child that its owner's creation did not make: the operation that did, or
            `REPLACEMENT`; None for the others.
    """

    kind: str
    namespace: str | None
    name: str
    uid: str | None
    workload: str
    iteration: int
    replica: int | None
    outcome: Outcome
    error: str | None
    scheduled_s: float | None
    admitted_s: float | None
    sent_s: float | None
    created_s: float | None
    phases_s: Mapping[str, float]
    ready_s: float | None
    delete_requested_s: float | None
    deleted_s: float | None
    server: Mapping[str, object]
    owner_uid: str | None = None
    observed_s: float | None = None
    api_version: str = ""
    round: int | None = None
    replaced_in: int | None = None
    later_phases_s: Mapping[str, float] = msgspec.field(default_factory=dict)
    made_by: str | None = None

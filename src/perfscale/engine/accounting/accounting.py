"""From a tracked row to the record that is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results import ObjectRecord, server_view

if TYPE_CHECKING:
    from perfscale.engine.tracking.rows import TrackedObject


def record_of(row: TrackedObject) -> ObjectRecord:
    """What is written down about one object."""
    outcome = row.outcome
    return ObjectRecord(
        kind=row.resource.kind_name,
        api_version=row.resource.api_version,
        namespace=row.namespace,
        name=row.name,
        uid=row.uid,
        workload=row.scope.workload,
        iteration=row.scope.iteration,
        replica=row.replica,
        outcome=outcome,
        error=outcome.explain(row.error, row.detail),
        scheduled_s=row.scheduled_s,
        admitted_s=row.admitted_s,
        sent_s=row.sent_s,
        created_s=row.created_s,
        phases_s=dict(row.phases_s.items()),
        ready_s=row.ready_s,
        delete_requested_s=row.delete_requested_s,
        deleted_s=row.deleted_s,
        server=server_view(row.server_created, row.server_deleted, stamps_of(row)),
        owner_uid=row.owner_uid,
        observed_s=row.observed_s,
    )


def stamps_of(row: TrackedObject) -> dict[str, str]:
    """The server's timestamps of an object's phases."""
    return {stamp.phase: stamp.phase_transition_timestamp for stamp in row.server_phases}

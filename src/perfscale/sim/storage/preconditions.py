"""What must hold of an object for a write that was decided by an earlier read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from perfscale.kube.resources import Resource
    from perfscale.sim.storage.records import JSON, Record


def check_same(
    resource: Resource,
    record: Record,
    uid: str | None,
    version: str | None,
    *,
    precondition: bool = False,
) -> None:
    """Refuse a write that was meant for another object, or for another version of it.

    Raises:
        ConflictError: It was.
    """
    if uid and uid != record.uid:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {record.uid}"
        raise refusals.conflict(resource, record.namespace, record.name, why)
    if version and version != str(record.version):
        why = (
            "Precondition failed: ResourceVersion in precondition: "
            f"{version}, ResourceVersion in object meta: {record.version}"
            if precondition
            else "the object has been modified; please apply your changes to the latest "
            "version and try again"
        )
        raise refusals.conflict(resource, record.namespace, record.name, why)


def same_wait(current: JSON, made: JSON) -> bool:
    """Whether an object that is going waits for the same as before."""
    return all(
        current["metadata"].get(key) == made["metadata"].get(key)
        for key in ("finalizers", "deletionGracePeriodSeconds")
    )

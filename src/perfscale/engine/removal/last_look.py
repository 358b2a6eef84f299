"""Reads what no watch has shown to be gone, when the time for its end is up.

A watch may be dead and not know it yet. So what is said to be there still was read, and what cannot
be read is not said to be there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from perfscale.engine.removal.by_uid import ObjectReference, RemovalByUid
from perfscale.engine.tracking.evidence import describe_namespaces
from perfscale.engine.tracking.stuck import describe_leftover
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.removal.namespaces import RunNamespaces
    from perfscale.engine.tracking.owned import OwnedNamespace
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject

_BOUND_S: Final = 10.0


async def describe_staying(context: RunContext, scope: IterationScope) -> list[str]:
    """One sentence for each group of objects that should be gone; those that are by now are noted.

    Cancellation leaves unread what was not read yet.
    """
    rows: dict[str, TrackedObject] = {}
    for row in scope.rows:
        if row.present and row.delete_requested_s is not None and row.uid is not None:
            rows[row.uid] = row

    def note_gone(reference: ObjectReference) -> None:
        tracker, now = context.tracker, context.stopwatch.now()
        context.publish(tracker.confirm_gone(rows[reference.uid], now))

    looking = RemovalByUid(
        context.client_of(scope),
        (ObjectReference(row.resource, row.namespace, row.name, uid) for uid, row in rows.items()),
        note_gone,
    )
    before = len(rows)
    await _look(looking)
    sentences = describe_leftover(scope, _unread(looking))
    if gone := before - len(looking.left):
        which = "1 object was" if gone == 1 else f"{gone} objects were"
        sentences.append(f"{which} gone by then, and no watch had shown it")
    return sentences


async def describe_staying_namespaces(
    context: RunContext, namespaces: RunNamespaces, leaving: Sequence[OwnedNamespace]
) -> list[str]:
    """The same for namespaces of the run."""
    looking = RemovalByUid(
        context.client,
        (ObjectReference(NAMESPACES, None, each.name, each.uid) for each in leaving),
        lambda reference: namespaces.note_gone(reference.uid),
    )
    await _look(looking)
    names = [each.name for each in looking.left]
    why = _unread(looking).get(NAMESPACES.kind_name)
    if why is not None:
        return [f"namespace {name} is not known to be gone: {why}" for name in names]
    return await describe_namespaces(context.client, names)


async def _look(looking: RemovalByUid) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_BOUND_S):
            await looking.look()


def _unread(looking: RemovalByUid) -> dict[str, str]:
    """Why what is left could not be read, by kind."""
    unread = {each.resource.kind_name for each in looking.unread}
    silence = f"no answer within {_BOUND_S:g} s"
    return {kind: str(looking.errors.get(kind, silence)) for kind in unread}

"""Reads what no watch has shown to be gone, when the wait for its deletion has timed out.

A watch may be dead and not know it yet. So only what was read is reported as still there, and what
cannot be read as not known to be gone.
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
"""How long the read may take."""


async def describe_staying(context: RunContext, scope: IterationScope) -> list[str]:
    """One sentence for each group of objects that are being deleted; what is gone is recorded.

    Cancellation leaves unread what was not read yet.
    """
    rows: dict[str, TrackedObject] = {}
    gone = 0
    for row in scope.rows:
        if row.present and row.delete_requested_s is not None and row.uid is not None:
            rows[row.uid] = row

    def note_gone(reference: ObjectReference) -> None:
        nonlocal gone
        changes = context.tracker.confirm_gone(rows[reference.uid], context.stopwatch.now())
        gone += bool(changes)  # else a watch has shown it meanwhile
        context.publish(changes)

    looking = RemovalByUid(
        context.client_of(scope),
        (ObjectReference(row.resource, row.namespace, row.name, uid) for uid, row in rows.items()),
        note_gone,
    )
    await _look(looking)
    sentences = describe_leftover(scope, _unread(looking))
    if gone:
        which = "1 object was" if gone == 1 else f"{gone} objects were"
        sentences.append(f"{which} gone by then, and no watch had shown it")
    return sentences


async def describe_staying_namespaces(
    context: RunContext, namespaces: RunNamespaces, leaving: Sequence[OwnedNamespace]
) -> list[str]:
    """One sentence for each of the run's namespaces that stays; what is gone is recorded."""
    looking = RemovalByUid(
        context.client,
        (ObjectReference(NAMESPACES, None, each.name, each.uid) for each in leaving),
        lambda reference: namespaces.note_gone(reference.uid),
    )
    await _look(looking)
    unread = _unread(looking)
    staying = [each for each in leaving if not each.gone]
    unknown = [
        f"namespace {each.name} is not known to be gone: {unread[each.uid]}"
        for each in staying
        if each.uid in unread
    ]
    names = [each.name for each in staying if each.uid not in unread]
    return unknown + await describe_namespaces(context.client, names)


async def _look(looking: RemovalByUid) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_BOUND_S):
            await looking.look()


def _unread(looking: RemovalByUid) -> dict[str, str]:
    """Why what is left could not be read, by UID."""
    silence = f"no answer within {_BOUND_S:g} s"
    return {
        each.uid: str(looking.errors.get(each.resource.kind_name, silence))
        for each in looking.unread
    }

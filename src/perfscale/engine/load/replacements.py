"""Keeps requests that mean an object by its name from another that has the name by now.

KubeVirt's subresources and migrations have no place for a UID. So nothing is sent for a target of
which the watches have shown that it is gone or was replaced; what happens between the last event
and the request is found out afterwards, and is a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.config.operations import Effect
from perfscale.engine.tracking.lookup import find_by_name
from perfscale.engine.tracking.operations.judges import REPLACED
from perfscale.errors import ApiError, PerfscaleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.engine.load.targets import Target
    from perfscale.engine.tracking.operations.effects import Effects
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.kube.client import Client
    from perfscale.preflight import OperationPlan


class TargetLostError(PerfscaleError):
    """A target is not there any more, or another object has its name."""


def check_before(effects: Effects, operations: Iterable[TrackedOperation]) -> None:
    """Look at what the watches know, before a request leaves that names its target alone.

    Raises:
        TargetLostError: Nothing is to be sent.
    """
    for operation in operations:
        if (loss := effects.find_loss(operation)) is not None:
            raise TargetLostError(f"{loss}: nothing was sent")


async def check_after(plan: OperationPlan, client: Client, target: Target) -> None:
    """Ask for the object that has had the request, where its answer is all that is waited for.

    It is for requests that name their target alone. Of the others, what shows the effect shows
    whose it is.

    Raises:
        TargetLostError: It was another.
        ClusterError: The cluster cannot be reached.
    """
    if plan.operation.effect is not Effect.ANSWERED:
        return
    try:
        found = await find_by_name(client, plan.follows, target.namespace, target.name or "")
    except ApiError as error:
        raise TargetLostError(f"whether it was this object is not known: {error}") from error
    if found is None:
        return  # gone since
    uids = [found.uid]
    if plan.follows.name != plan.target.name:
        uids = [each.uid for each in found.owner_references or ()]
    if uids and target.uid not in uids:
        raise TargetLostError(REPLACED)

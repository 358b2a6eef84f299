"""Writes ahead how many requests loads that end by their time will have asked for, at most.

What such a load asks for is not known before its end. The journal of a run that is killed lacks
what was requested since it was written last; with this, the accounts have a bound for it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from perfscale.config.sections.shape import most_due
from perfscale.engine.sharding.portion import requested_of
from perfscale.engine.sharding.shard import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.engine.context import RunContext
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.sharding.shard import Shard

_AHEAD_S: Final = 2.0
"""Longer than a journal takes to be written, twice: it is flushed two times a second, and then
written by a thread four times a second."""


class DueFeed:
    """Appends to the journal of a run what its loads that end by their time have requested.

    Args:
        context: The run's.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._exact: set[IterationContext] = set()

    def append_all(self) -> None:
        """Renew what stands there of all loads; called more often than every `_AHEAD_S`."""
        for iteration in self._context.iterations.values():
            self.append(iteration)

    def append(self, iteration: IterationContext) -> None:
        """Append what a load has requested a moment later; once it is over, what it was."""
        if not iteration.ends or iteration.finished_s is not None or iteration in self._exact:
            return
        now, shard = self._context.stopwatch.now(), self._context.shard
        requested: Mapping[str, int] | None
        whole: Mapping[str, int] | None = None
        if iteration.load_is_over:
            self._exact.add(iteration)
            requested = iteration.requested
        else:
            requested = self._due(iteration, now, shard)
            whole = None if shard.is_whole else self._due(iteration, now, WHOLE)
        if requested is not None:
            self._context.journal.append_due(iteration.scope, now, requested, whole)

    def close(self, iteration: IterationContext) -> None:
        """An iteration is over."""
        self._exact.discard(iteration)

    def _due(
        self, iteration: IterationContext, now: float, shard: Shard
    ) -> Mapping[str, int] | None:
        """Of a shard, by kind; None where nothing bounds it: of a load without a rate."""
        began_s = now if iteration.load_began_s is None else iteration.load_began_s
        within_s = now + _AHEAD_S - began_s
        due = due_of(self._context, iteration, shard, within_s)
        if due is None or iteration.creates:
            return due
        most = iteration.whole if shard.is_whole else iteration.requested
        return {kind: min(count, most[kind]) for kind, count in due.items()}


def due_of(
    context: RunContext, iteration: IterationContext, shard: Shard, within_s: float
) -> Mapping[str, int] | None:
    """What a load that ends by its time asks of a shard within that time, at most, by kind.

    Operations are as many as the rate allows, whatever their targets are. None where nothing
    bounds it: of a load without a rate.
    """
    if iteration.creates:
        where = iteration.factories, iteration.number
        return requested_of(shard, context.plan, *where, within_s)
    due = most_due(iteration.workload, within_s)
    if math.isinf(due):
        return None
    return dict.fromkeys(iteration.whole, math.ceil(due / shard.count))

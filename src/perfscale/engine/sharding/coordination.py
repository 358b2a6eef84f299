"""How the generators of one run keep together: barriers, and what each publishes.

The flow of a run (workloads, iterations, waits) is the same in every generator, and in the
coordinator, which goes through it without a load of its own. At certain moments it comes to a
barrier: it goes on when all are there. What is to be done once for the whole run (hooks,
namespaces) the coordinator does, before anybody goes on. A run of one generator passes
every barrier at once.

Of a workload that is stopped from outside, one generator may come to a barrier and another not any
more. A generator that has come to the end of a workload is missed at none of its barriers.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from perfscale.engine.sharding.shard import WHOLE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from perfscale.engine.sharding.shard import Shard
    from perfscale.results import AnyEntry


class Moment(StrEnum):
    """Where there is a barrier, beside the moments of hooks, whose hooks are run there.

    For each stands what an `Arrival` says beside ``well``.
    """

    BEGIN = "begin"
    """Images are pulled: the load may begin."""
    NAMESPACES = "namespaces"
    """The namespaces of an iteration are there."""
    LOAD = "load"
    """The operations of an iteration are about to be sent."""
    SENT = "sent"
    """All operations of an iteration are sent; ``count``: how many there were to send.

    At `AFTER_CREATION`, a moment of hooks, ``count`` is how many objects there were to create.
    """
    READY = "ready"
    """The wait for readiness is over; ``well``: everything was decided in time; ``missing``: how
    much was not, by iteration; ``count``: how many slow objects are to be looked at."""
    DONE = "done"
    """The wait for operations is over; ``count``: how many were not done."""
    REMOVAL = "removal"
    """All of a workload is to be deleted."""
    DELETED = "deleted"
    """Objects were deleted. ``names``: namespaces that they were in; ``occupied``: those that
    hold something that is not being deleted."""
    GONE = "gone"
    """They are gone, and so are namespaces; or the wait is over."""
    ROUND = "round"
    """``well``: whether another round of churn may begin."""
    DRAW = "draw"
    """``count``: how many there are for the round to draw from."""
    ROUND_DELETED = "roundDeleted"
    """What was drawn is gone; ``well``: in time; ``objects``: what is to come in its place, by
    iteration and kind."""
    ROUND_OVER = "roundOver"
    """What was created in its place is ready; ``well``: in time."""
    TARGETS = "targets"
    """``count``: how many targets of an operation are there; ``names``: their namespaces."""
    REQUESTED = "requested"
    """``count``: how many operations of a pass over the targets are this generator's."""
    WORKLOAD_OVER = "workloadOver"
    """``well``: whether all of the workload went well."""
    LOAD_OVER = "loadOver"
    """All workloads are over."""
    DRAINED = "drained"
    """No request is in flight, and all is marked as being deleted: the cleanup may begin."""
    REMOVED = "removed"
    """The coordinator has deleted everything of the run, or has come to the end of its bound."""


class Barrier(msgspec.Struct, frozen=True):
    """One barrier of a run; all who come to an equal one meet there.

    Attributes:
        moment: A `Moment`, or the moment of hooks as the workload file spells it.
        workload: Name of the workload; None for the run as a whole.
        iteration: Counted from 1; None for all of the workload.
        round: The round of churn.
    """

    moment: str
    workload: str | None = None
    iteration: int | None = None
    round: int | None = None


class Arrival(msgspec.Struct, frozen=True):
    """What a generator states when it comes to a barrier; see `Moment`."""

    well: bool = True
    count: int = 0
    missing: dict[int, int] = {}
    objects: dict[int, dict[str, int]] = {}
    names: tuple[str, ...] = ()
    occupied: tuple[str, ...] = ()


class Release(msgspec.Struct, frozen=True):
    """What all have stated.

    Attributes:
        arrivals: Of the generators, by the index of their shard; one that had left, or was lost,
            has an empty one.
        well: Whether all is well with each of them, and with the coordinator.
        at_s: When they go on, in seconds since the run's start: a load that begins then begins
            for all at that moment, however long the message takes. None where nobody waits.
    """

    arrivals: tuple[Arrival, ...] = (Arrival(),)
    well: bool = True
    at_s: float | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """What each has counted."""
        return tuple(each.count for each in self.arrivals)

    @property
    def missing(self) -> dict[int, int]:
        """What all miss, by iteration."""
        total: Counter[int] = Counter()
        for each in self.arrivals:
            total.update(each.missing)
        return dict(sorted(total.items()))

    def objects_of(self, iteration: int) -> dict[str, int]:
        """What all are to create in an iteration, by kind."""
        total: Counter[str] = Counter()
        for each in self.arrivals:
            total.update(each.objects.get(iteration, {}))
        return dict(total)

    @property
    def names(self) -> dict[str, None]:
        """What all have named, each once, in their order."""
        return {name: None for each in self.arrivals for name in each.names}

    @property
    def occupied(self) -> set[str]:
        """Namespaces that are needed still by any of them."""
        return {name for each in self.arrivals for name in each.occupied}


class Coordination(Protocol):
    """What the flow of a run needs of whoever keeps it together with others.

    A stop is not part of it: whoever hosts a generator calls `LoadGenerator.interrupt`.
    """

    @property
    def shard(self) -> Shard:
        """Which part of the run is done here."""

    async def reach(self, barrier: Barrier, arrival: Arrival) -> Release:
        """Wait until all are there, and what is to be done there is done.

        What a generator published before is known to the coordinator by then. Cancellation gives
        the wait up.

        Raises:
            HookError: A hook that is to abort the run has failed: to the coordinator alone.
        """


class Publisher(Protocol):
    """Where a generator's journal goes."""

    def publish(self, entries: Sequence[AnyEntry]) -> None:
        """Hand over what has just happened; never blocks.

        Objects, operations and iterations have this generator's own numbers.
        """


class Alone:
    """The coordination of a run of one generator: nobody is waited for.

    Args:
        call_hooks: Calls the hooks of a barrier's moment, if there are any.
    """

    shard = WHOLE

    def __init__(self, call_hooks: Callable[[Barrier], Awaitable[None]]) -> None:
        self._call_hooks = call_hooks

    async def reach(self, barrier: Barrier, arrival: Arrival) -> Release:
        """Call the hooks, and go on."""
        await self._call_hooks(barrier)
        return Release((arrival,), arrival.well)

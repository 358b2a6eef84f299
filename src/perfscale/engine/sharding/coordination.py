"""How the generators of one run keep together: barriers, and what each publishes.

The flow of a run (workloads, iterations, waits) is the same in every generator. At certain moments
it comes to a barrier: it goes on when all generators are there. What is to be done once for the
whole run (hooks, namespaces) is done then, before anybody goes on. A run of one generator
passes every barrier at once.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.sharding.shard import Shard
    from perfscale.results import AnyEntry


class Moment(StrEnum):
    """Where there is a barrier, beside the moments of hooks.

    The hooks of a moment are run when all generators are there. For each moment stands what a
    generator's `Arrival` says beside ``well``.
    """

    BEGIN_ITERATION = "beginIteration"
    """``well``: whether the workload goes on; the iteration begins if it does everywhere."""
    NAMESPACES = "namespaces"
    """The namespaces of an iteration are made before anybody goes on."""
    NAMESPACES_CREATED = "namespacesCreated"
    """Namespaces that are objects of the load are there, and what goes into them may come."""
    READY = "ready"
    """The wait for readiness is over; ``well``: everything was decided in time."""
    DELETED = "deleted"
    """Everything of an iteration was deleted. ``names``: namespaces that it used;
    ``occupied``: those that something holds that is not being deleted."""
    GONE = "gone"
    """Everything of an iteration is gone; then the namespaces are waited for."""
    ROUND = "round"
    """``well``: whether another round of churn is to begin; ``count``: what it draws from."""
    ROUND_DELETED = "roundDeleted"
    """What a round has drawn is gone; ``well``: whether it went well."""
    ROUND_OVER = "roundOver"
    """What it created is ready; ``well`` as before."""
    TARGETS = "targets"
    """``count``: how many targets an operation has here."""
    DRAINED = "drained"
    """No request is in flight and everything is marked as being deleted: the cleanup may begin."""


class Barrier(msgspec.Struct, frozen=True):
    """One barrier of a run; generators that come to an equal one meet there.

    Attributes:
        moment: A `Moment`, or the moment of hooks as the workload file spells it.
        workload: Name of the workload; None for the run as a whole.
        iteration: Counted from 1.
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
    names: tuple[str, ...] = ()
    occupied: tuple[str, ...] = ()


class Release(msgspec.Struct, frozen=True):
    """What all generators stated, by the index of their shard, and what the coordinator adds.

    Attributes:
        arrivals: One for each generator; one that had left the workload has an empty one.
        well: Whether all is well with each of them, and with what the coordinator did.
    """

    arrivals: tuple[Arrival, ...] = (Arrival(),)
    well: bool = True


class Coordination(Protocol):
    """What one generator needs of whoever coordinates them.

    A stop is not part of it: whoever hosts the generator calls `LoadGenerator.interrupt`.
    """

    @property
    def shard(self) -> Shard:
        """Which part of the run is this generator's."""

    async def reach(self, barrier: Barrier, arrival: Arrival) -> Release:
        """Wait until all generators are there, and what is done there is done.

        What was published before is known to the coordinator by then. Cancellation leaves the
        barrier; nobody waits for that generator there once it has left the workload.
        """

    def publish(self, entries: Sequence[AnyEntry]) -> None:
        """Hand over what has just happened, for the run's journal; never blocks.

        Objects, operations and iterations have this generator's own numbers.
        """

"""How generators are started and spoken with: what a transport has to offer.

A transport starts a generator somewhere (in this loop, in another process, on another machine),
lets `perfscale.fleet.generator.run_generator` run there, once, and carries messages both ways in
their order. A connection is there before its generator is: so all of them start at the same time,
and one that never comes has a name. All else (barriers, clocks, heartbeats, who is lost) is the
coordinator's and the generator's own, whatever the transport.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config
    from perfscale.engine.inputs import RunOptions
    from perfscale.engine.sharding.shard import Shard
    from perfscale.fleet.messages import ToCoordinator, ToGenerator
    from perfscale.kube.cluster import Cluster, ClusterOptions
    from perfscale.preflight import Plan


@dataclass(frozen=True, slots=True)
class GeneratorInputs:
    """What one generator is started with.

    Attributes:
        run_id: Value of the run's label, the same for all.
        shard: Which part of the run is this generator's.
        config: The workload file, whole, with a seed; the generator takes its share itself.
        plan: What the coordinator's preflight found.
        options: Of the run; its bounds on failures and cleanup are the coordinator's.
        cluster: How to open the cluster; an open one only where the loop is shared.
    """

    run_id: str
    shard: Shard
    config: Config
    plan: Plan
    options: RunOptions
    cluster: Cluster | ClusterOptions | None


class GeneratorEnd(Protocol):
    """The generator's end of a connection."""

    def send(self, message: ToCoordinator) -> None:
        """Send a message; never blocks, and keeps the order."""

    async def receive(self) -> ToGenerator:
        """The next message.

        Raises:
            GeneratorLostError: The coordinator is not there any more.
        """


class Connection(Protocol):
    """The coordinator's end, to one generator.

    Attributes:
        name: What people call it: the process, or the worker with its host.
    """

    name: str

    def send(self, message: ToGenerator) -> None:
        """Send a message; never blocks, and keeps the order. To one that is lost: nothing."""

    async def receive(self) -> ToCoordinator:
        """The next message.

        Raises:
            FleetError: It cannot be started.
            SchedulerLostError: What started it is gone, and with it all generators.
            GeneratorLostError: It is not there any more, and no `Ended` came; with the reason.
        """

    async def close(self, on_wait: Callable[[float], None]) -> None:
        """Make sure that the generator sends nothing more, whatever it does; then forget it.

        A generator that was lost may only hang: a transport that can kill it does so. It may be
        closed while it starts.

        Args:
            on_wait: Called where nobody can reach the generator, so that its end has to be waited
                for: with the seconds that this takes at most.
        """


class Transport(Protocol):
    """Starts generators; never one of them twice."""

    def start(self, inputs: GeneratorInputs) -> Connection:
        """Begin to start one generator; what becomes of that is received from it."""

"""What a coordinator and a generator send each other, in either direction.

All of them are structs that msgspec encodes, so that any transport can carry them.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from perfscale.engine.sharding.coordination import Arrival, Barrier, Release
from perfscale.results import AnyEntry

DISTRIBUTION: Final = "perfscale-load-generator"
"""What both sides must have in the same version."""


class Message(msgspec.Struct, frozen=True, tag_field="m"):
    """Anything that is sent."""


# -- to the generator ----------------------------------------------------------


class Probe(Message, frozen=True, tag="probe"):
    """Read your clocks: answered at once by a `Clocks` with the same number."""

    n: int


class Start(Message, frozen=True, tag="start"):
    """Begin to run; ``started_s`` is the run's start, on the generator's monotonic clock.

    So all times that a generator publishes are seconds since the one start of the run.
    """

    started_s: float


class Released(Message, frozen=True, tag="released"):
    """Go on from a barrier."""

    barrier: Barrier
    release: Release


class Stop(Message, frozen=True, tag="stop"):
    """Send nothing more, let what is in flight be answered, and come to `Moment.DRAINED`."""

    signum: int


# -- to the coordinator --------------------------------------------------------


class Clocks(Message, frozen=True, tag="clocks"):
    """The answer to a `Probe`: seconds, monotonic and since 1970."""

    n: int
    monotonic_s: float
    wall_s: float


class Opened(Message, frozen=True, tag="opened"):
    """The first message: the generator is there, its inputs are compiled, it waits for `Start`.

    Attributes:
        host: Of the machine.
        pid: Of the process.
        version: Of this program; another than the coordinator's is refused.
    """

    host: str
    pid: int
    version: str


class Published(Message, frozen=True, tag="published"):
    """What happened, for the journal, in its order."""

    entries: list[AnyEntry]


class Arrived(Message, frozen=True, tag="arrived"):
    """It waits at a barrier."""

    barrier: Barrier
    arrival: Arrival


class Heartbeat(Message, frozen=True, tag="heartbeat"):
    """Sent every second from the loop that the load runs on: it shows that this loop goes on.

    Attributes:
        rate: Creates, and other operations, sent in the last second.
        in_flight: Requests without an answer.
        lag_s: How late the loop was at most since the last one.
        cpu: CPU seconds a second that the process took since the last one.
        reconnects: How often its watches had to be opened again.
        relists: How often they had to list again.
    """

    rate: float = 0.0
    in_flight: int = 0
    lag_s: float = 0.0
    cpu: float = 0.0
    reconnects: int = 0
    relists: int = 0


class Failed(Message, frozen=True, tag="failed"):
    """The run cannot go on: a watch that died, a cluster that went away, a bug.

    Attributes:
        error: What it was.
        exit_code: What it makes of the run.
    """

    error: str
    exit_code: int


class Ended(Message, frozen=True, tag="ended"):
    """The last message: nothing more is sent.

    Attributes:
        error: What ended it early; None if it came to its end, or was stopped.
        exit_code: What such an error makes of the run.
    """

    error: str | None = None
    exit_code: int = 0


ToGenerator: TypeAlias = Probe | Start | Released | Stop
ToCoordinator: TypeAlias = Clocks | Opened | Published | Arrived | Heartbeat | Failed | Ended

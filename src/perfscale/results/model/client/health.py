"""What the generator saw of itself, in bounded memory, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from perfscale.config import format_duration

SLOW_S: Final = 1.0
"""What Kubernetes promises of its 99th percentile for requests that change one object:
https://github.com/kubernetes/community/blob/master/sig-scalability/slos/api_call_latency.md"""


class Validity(StrEnum):
    """Whether what was measured says something of the cluster."""

    VALID = "valid"
    GENERATOR_LIMITED = "generator-limited"
    GENERATOR_LOST = "generator-lost"
    UNCERTAIN = "uncertain"

    @property
    def stands(self) -> bool:
        """Whether the numbers are the cluster's, be they uncertain, and not the generator's."""
        return self not in {Validity.GENERATOR_LIMITED, Validity.GENERATOR_LOST}


class Lag(msgspec.Struct, frozen=True):
    """How late something was, in seconds; percentiles are within one per cent."""

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p99: float | None = None
    max: float | None = None


class ClockStep(msgspec.Struct, frozen=True):
    """The wall clock was set: when, since the run's start, and by how many seconds."""

    at_s: float
    by_s: float

    def __str__(self) -> str:
        """For a person."""
        by = format_duration(abs(round(self.by_s, 1)))
        how = f"set back by {by}" if self.by_s < 0 else f"set ahead by {by} (or this machine slept)"
        when = format_duration(round(self.at_s, 1))
        return (
            f"the wall clock was {how}, within {when} from the start: all times of the run are "
            "counted from its start, as if it had not been"
        )


class InFlight(msgspec.Struct, frozen=True):
    """Create requests without an answer: the bound, the most, and the mean while creating."""

    limit: int = 0
    max: int = 0
    mean: float | None = None


class Creation(msgspec.Struct):
    """What the creates of one workload have taken so far; added up while they go on.

    Attributes:
        cpu_s: CPU of the event loop's thread while objects were created.
        answer_s: From sending each create to the answer that accepts it, added up.
        outage_s: For how long the server was gone meanwhile.
        refusals: Creates that the server refused, or did not answer, for good.
        refusal_s: From sending each of them to that, added up.
        slow_s: The part of both sums that is of those that took longer than `SLOW_S`.
    """

    seconds: float = 0.0
    cpu_s: float = 0.0
    answers: int = 0
    answer_s: float = 0.0
    outage_s: float = 0.0
    refusals: int = 0
    refusal_s: float = 0.0
    slow_s: float = 0.0

    @property
    def cpu_share(self) -> float | None:
        """Of one core."""
        return self.cpu_s / self.seconds if self.seconds else None

    @property
    def answer_mean_s(self) -> float | None:
        """From sending a create to the answer that accepts it."""
        return self.answer_s / self.answers if self.answers else None

    @property
    def taken_mean_s(self) -> float | None:
        """From sending a create to whatever answer: so long it is in flight."""
        count = self.answers + self.refusals
        return (self.answer_s + self.refusal_s) / count if count else None

    @property
    def slow_share(self) -> float:
        """Of the time of all creates in flight, that of slow ones."""
        taken_s = self.answer_s + self.refusal_s
        return self.slow_s / taken_s if taken_s else 0.0

    def rounded(self) -> Creation:
        """A copy, with its times to the microsecond."""
        return Creation(*(round(each, 6) for each in msgspec.structs.astuple(self)))


class Vitals(msgspec.Struct, frozen=True):
    """What the generator saw of itself.

    Attributes:
        loop_lag: How late the event loop was whenever something was due.
        limiter_lag: From when a create was due by its target rate to when it
            was admitted.
        send_lag: From when it was admitted to when it was sent; a limit of the
            run (``globalConfig.qps``) is part of it.
        in_flight: Create requests without an answer.
        qps: The run's own limit on all requests; 0 for none.
        creations: What the creates took, by workload.
        clock_steps: When the wall clock was set, the first few times.
    """

    loop_lag: Lag = Lag()
    limiter_lag: Lag = Lag()
    send_lag: Lag = Lag()
    in_flight: InFlight = InFlight()
    qps: float = 0.0
    creations: dict[str, Creation] = {}
    clock_steps: tuple[ClockStep, ...] = ()


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """The verdict on the generator, why, and on what grounds."""

    verdict: Validity
    reasons: tuple[str, ...]
    vitals: Vitals

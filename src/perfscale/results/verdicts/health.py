"""Whether the numbers of a run stand: the generator's own health, and what that means.

A run whose generator could not keep up says little of the cluster. What the
generator saw of itself are its `Vitals`, in bounded memory; what they mean is
decided here, of a run that ends in the same way as of one that was killed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config import format_duration
from perfscale.results.model.client.health import (
    SLOW_S,
    Creation,
    GeneratorHealth,
    Lag,
    Validity,
    Vitals,
)
from perfscale.results.verdicts.uncertainty import doubts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.results.model.client.generators import GeneratorRecord
    from perfscale.results.model.workload import WorkloadResult

HELD_SHARE: Final = 0.95
"""From this share of the target rate on, it counts as held."""
_LEAST_LOST_S: Final = 0.25
"""A run that lost less time than this against its target has held it."""
_BUSY_SHARE: Final = 0.9
"""From this share of a core on, the event loop's thread has no time left."""
_LEAST_BUSY_S: Final = 1.0
"""In a shorter time, that says nothing of the cluster."""
_MOST_LAG_S: Final = 0.1
"""Times are measured by the event loop: they may be too long by its lag."""
_MOST_OF_TIME: Final = 0.5
"""From this share of the places in flight on, slow requests are what the others waited for."""
_FEWEST_SAMPLES: Final = 100
"""Fewer say nothing of a p99."""


def assess(
    vitals: Vitals,
    workloads: Sequence[WorkloadResult],
    requests: Mapping[str, float],
    generators: Sequence[GeneratorRecord] = (),
) -> GeneratorHealth:
    """Decide whether the generator was lost or the limit, or percentiles are uncertain.

    That is about what was sent. A rate that the server did not allow, or did
    not accept, is in the reasons too, but the run is valid: its numbers are the server's. Of
    several ``generators``, ``vitals`` are all of theirs together, and the verdict is the worst.
    """
    found = [(True, text) for text in _losses(generators)]
    is_lost = bool(found)
    failures = requests.get("localFailures", 0)
    if generators:
        for each in generators:
            lag = Lag() if each.vitals is None else each.vitals.loop_lag
            found += [(is_ours, f"{each}: {text}") for is_ours, text in _of_machine(lag, 0)]
        found += _of_machine(Lag(), failures)
    else:
        found += _of_machine(vitals.loop_lag, failures)
    for workload in workloads:
        creation = vitals.creations.get(workload.name, Creation())
        found += _of_workload(workload, creation, vitals, is_whole=not is_lost)
    found += [(False, str(step)) for step in vitals.clock_steps]
    limited = any(is_ours for is_ours, _ in found)
    uncertain = tuple(doubts(workloads))
    verdict = Validity.VALID
    if is_lost:
        verdict = Validity.GENERATOR_LOST
    elif limited:
        verdict = Validity.GENERATOR_LIMITED
    elif uncertain:
        verdict = Validity.UNCERTAIN
    return GeneratorHealth(verdict, (*(text for _, text in found), *uncertain), vitals)


def _losses(generators: Sequence[GeneratorRecord]) -> Iterator[str]:
    """Why generators were lost: each by its name, unless several were for one reason."""
    by_reason: dict[str, list[GeneratorRecord]] = {}
    for each in generators:
        if each.lost is not None:
            by_reason.setdefault(each.lost, []).append(each)
    for reason, lost in by_reason.items():
        shards = ", ".join(str(each.shard) for each in lost)
        if len(lost) == 1:
            yield f"{lost[0]} was lost: {reason}"
        else:
            yield f"generators {shards} were lost: {reason}"


def verdict_of(generator: GeneratorRecord) -> Validity:
    """Of one of several generators: whether it was lost or, by itself, the limit."""
    if generator.lost is not None:
        return Validity.GENERATOR_LOST
    lag = Lag() if generator.vitals is None else generator.vitals.loop_lag
    return Validity.GENERATOR_LIMITED if any(_of_machine(lag, 0)) else Validity.VALID


def _of_machine(lag: Lag, failures: float) -> Iterator[tuple[bool, str]]:
    if lag.count >= _FEWEST_SAMPLES and lag.p99 is not None and lag.p99 > _MOST_LAG_S:
        late = f"the event loop was late, {milliseconds(lag.p99)} at the 99th percentile"
        yield True, f"{late}: times that were measured may be that much too long (CPU)"
    if failures:
        what = "a connection" if failures == 1 else f"{failures:.0f} connections"
        text = f"{what} could not be opened, for want of open files or ports on this machine"
        yield True, f"{text}: raise its limits, or lower globalConfig.maxInFlight"


def _of_workload(
    workload: WorkloadResult, creation: Creation, vitals: Vitals, *, is_whole: bool
) -> Iterator[tuple[bool, str]]:
    name, rate, what = workload.name, workload.rate, workload.sends
    busy = (creation.cpu_share or 0.0) >= _BUSY_SHARE
    if rate.target is None:
        if busy and creation.seconds >= _LEAST_BUSY_S:
            yield (
                True,
                f"{name}: its {what} took all of a core; the cluster might have taken more (CPU)",
            )
        return
    if not is_whole:
        return  # the share of a generator that was lost is missing
    target = min(rate.target, vitals.qps or rate.target)
    sent = _Pace(what, rate.sent, rate.sent_seconds, target)
    accepted = _Pace(what, rate.achieved, rate.seconds, target)
    if not sent.is_held:
        ours, cause = _cause(workload, sent.lost_s, creation, vitals, busy=busy)
        yield ours, f"{name}: {sent} sent, of {target:g} wanted: {cause}"
    elif not accepted.is_held:
        cause = _cause_of_server(what, creation)
        yield False, f"{name}: {accepted} accepted, of {target:g} wanted and sent: {cause}"


def is_rate_held(share: float, seconds: float) -> bool:
    """Whether a rate, as a share of the wanted one, is held, or too little time lost to tell."""
    return share >= HELD_SHARE or seconds * (1 - share) < _LEAST_LOST_S


class _Pace(NamedTuple):
    """A rate, how long it lasted, and what it should have been."""

    what: str
    per_second: float | None
    seconds: float
    target: float

    def __str__(self) -> str:
        return f"{self.per_second or 0:.4g} {self.what} a second"

    @property
    def is_held(self) -> bool:
        """Whether it is the target, or too little was lost to say so."""
        return self.per_second is None or is_rate_held(self.per_second / self.target, self.seconds)

    @property
    def lost_s(self) -> float:
        """How much longer they took than at the target rate."""
        return self.seconds * (1 - (self.per_second or 0.0) / self.target)


def _cause(
    workload: WorkloadResult, lost_s: float, creation: Creation, vitals: Vitals, *, busy: bool
) -> tuple[bool, str]:
    """Whether it is the generator's that too little was sent, and in words."""
    rate, what = workload.rate, workload.sends
    mean_s, limit = creation.taken_mean_s, vitals.in_flight.limit
    bound = "globalConfig.maxInFlight"
    if workload.max_in_flight is not None and workload.max_in_flight <= limit:
        limit, bound = workload.max_in_flight, "maxInFlight of the workload"
    if busy:
        return True, f"the event loop took {creation.cpu_share:.0%} of a core (CPU)"
    if lost_s - creation.outage_s < _LEAST_LOST_S:
        return False, _cause_of_server(what, creation)
    if mean_s is not None and rate.held_back_s > lost_s / 2:
        full = f"{limit} {what} were in flight, as many as {bound} allows, and"
        took = f"took {format_duration(round(mean_s, 3))} each"
        if mean_s > SLOW_S:
            return False, f"{full} {took} (server latency)"
        if creation.slow_share > _MOST_OF_TIME:
            # Before the server was slow there may have been any number of quick ones.
            share = f"had {creation.slow_share:.0%} of the places"
            slow = f"those that took longer than {format_duration(SLOW_S)} {share}"
            return False, f"{full} {slow} (server latency)"
        return True, f"{full} {took}; raise it (in-flight bound)"
    return True, f"{what} were sent late, for no reason that was measured (CPU of the machine)"


def _cause_of_server(what: str, creation: Creation) -> str:
    """Why less was accepted than sent, or why nothing could be sent, as far as it is known."""
    if creation.outage_s >= _LEAST_LOST_S:
        gone = format_duration(round(creation.outage_s, 1))
        return f"the API server, or what it calls, was gone for {gone} of that time (outage)"
    if creation.answer_mean_s is None:
        return f"none of its {what} was accepted (refused)"
    took = format_duration(round(creation.answer_mean_s, 3))
    return f"an answer took {took} on average, and what was refused does not count (server)"


def milliseconds(seconds: float) -> str:
    """A lag as a person reads it."""
    return f"{seconds * 1e3:.3g} ms"

"""What several generators of one run have counted, each for itself, put together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.results.measure.clocks import common_offset
from perfscale.results.model.client.health import ClockStep, Creation, InFlight, Lag, Vitals
from perfscale.results.model.run import NamespaceCounts, Totals, WatchCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perfscale.results.model.client.clocks import ClockOffset
    from perfscale.results.model.client.generators import GeneratorRecord
    from perfscale.results.model.interruptions import OutageRecord


_COUNTED: Final = re.compile(r"(\d+) (.*)", re.DOTALL)
_DIGITS: Final = re.compile(r"\d+")
_STEP_S: Final = 2.0
_SEEN_BY_ALL: Final = frozenset({"outages", "outageSeconds"})
"""What happens to the server, and not to a request: it adds up to nothing."""


def merge_totals(
    totals: Mapping[int | None, Totals], generators: Mapping[int, GeneratorRecord]
) -> Totals:
    """What all generators of a run have counted, and its coordinator.

    ``totals`` are the last of each by its shard; of a run of one, by None.
    """
    if not totals:
        return Totals()
    if None in totals:
        return totals[None]
    found = list(totals.values())
    requests: dict[str, int | float] = {}
    for each in found:
        for name, value in each.requests.items():  # some are seconds
            known = requests.get(name, 0)
            requests[name] = max(known, value) if name in _SEEN_BY_ALL else known + value
    vitals = [
        each.vitals
        for shard, each in totals.items()
        if shard is not None and shard >= 0 and each.vitals is not None
    ]
    return Totals(
        namespaces=NamespaceCounts(
            created=sum(each.namespaces.created for each in found),
            deleted=sum(each.namespaces.deleted for each in found),
            leftover=sum(each.namespaces.leftover for each in found),
        ),
        watch=WatchCounts(
            reconnects=sum(each.watch.reconnects for each in found),
            relists=sum(each.watch.relists for each in found),
        ),
        requests=requests,
        clock=_merge_clocks(totals, generators),
        vitals=_merge_vitals(vitals) if vitals else None,
    )


def _merge_clocks(
    totals: Mapping[int | None, Totals], generators: Mapping[int, GeneratorRecord]
) -> ClockOffset | None:
    """How far the server's clock is ahead of the coordinator's, which is the run's.

    A generator finds out how far it is ahead of its own, which is ahead of the coordinator's.
    """
    offsets: list[ClockOffset] = []
    for shard, each in totals.items():
        if shard is None or each.clock is None:
            continue
        if shard < 0:
            offsets.append(each.clock)
        elif own := generators.get(shard):
            offsets.append(each.clock.seen_from(own.clock_low_s, own.clock_high_s))
    return common_offset(offsets)


def _merge_vitals(vitals: Sequence[Vitals]) -> Vitals:
    """The worst lags, as no percentile of all can be had from theirs; and sums of what adds up."""
    steps: list[ClockStep] = []
    for step in sorted((it for each in vitals for it in each.clock_steps), key=lambda it: it.at_s):
        if not any(_is_same(step, known) for known in steps):
            steps.append(step)
    names = {name: None for each in vitals for name in each.creations}
    means = [each.in_flight.mean for each in vitals if each.in_flight.mean is not None]
    return Vitals(
        loop_lag=_worst(each.loop_lag for each in vitals),
        limiter_lag=_worst(each.limiter_lag for each in vitals),
        send_lag=_worst(each.send_lag for each in vitals),
        in_flight=InFlight(
            limit=sum(each.in_flight.limit for each in vitals),
            max=sum(each.in_flight.max for each in vitals),
            mean=round(sum(means), 3) if means else None,
        ),
        qps=sum(each.qps for each in vitals),
        creations={
            name: _merge_creations([own for each in vitals if (own := each.creations.get(name))])
            for name in names
        },
        clock_steps=tuple(steps),
    )


def _is_same(step: ClockStep, other: ClockStep) -> bool:
    """Whether several generators of one machine saw its clock being set."""
    return abs(step.at_s - other.at_s) < _STEP_S and abs(step.by_s - other.by_s) < _STEP_S


def _worst(lags: Iterable[Lag]) -> Lag:
    return max(lags, key=lambda lag: (lag.p99 or 0.0, lag.count))


def _merge_creations(creations: Sequence[Creation]) -> Creation:
    """They went on at the same time; the processor time is that of the busiest generator."""
    busiest = max(creations, key=lambda each: each.cpu_share or 0.0)
    return Creation(
        seconds=busiest.seconds,
        cpu_s=busiest.cpu_s,
        answers=sum(each.answers for each in creations),
        answer_s=sum(each.answer_s for each in creations),
        outage_s=max(each.outage_s for each in creations),
        refusals=sum(each.refusals for each in creations),
        refusal_s=sum(each.refusal_s for each in creations),
        slow_s=sum(each.slow_s for each in creations),
    ).rounded()


def merge_problems(problems: Iterable[tuple[int, Sequence[str]]]) -> tuple[str, ...]:
    """The sentences of all parts of an iteration, each with the shard of who had it.

    Sentences that count the same (``3 Pod not ready, in phase Pending``) become one. Others name
    the generator; the coordinator, whose shard is less than 0, speaks for all.
    """
    found: dict[str, tuple[int, str]] = {}
    for shard, sentences in problems:
        for sentence in sentences:
            counted = _COUNTED.fullmatch(sentence)
            if counted is None:
                text = sentence if shard < 0 else f"generator {shard}: {sentence}"
                found.setdefault(text, (0, text))
                continue
            count, text = int(counted[1]), counted[2]
            key = _DIGITS.sub("#", text)
            before, known = found.get(key, (0, text))
            if known != text and ", for example: " not in known:
                known = known.replace(": ", ", for example: ", 1)
            found[key] = (before + count, known)
    return tuple(f"{count} {text}" if count else text for count, text in found.values())


def merge_outages(outages: Iterable[OutageRecord]) -> list[OutageRecord]:
    """Outages as several generators saw them: those of one thing that overlap are one."""
    merged: list[OutageRecord] = []
    for each in sorted(outages):
        for position, known in enumerate(merged):
            same = (known.what, known.name) == (each.what, each.name)
            if same and each.began_s <= known.ended_s:
                merged[position] = msgspec.structs.replace(
                    known,
                    ended_s=max(known.ended_s, each.ended_s),
                    retries=known.retries + each.retries,
                    creates=known.creates + each.creates,
                )
                break
        else:
            merged.append(each)
    return merged

"""After a run of a search: whether its value had an effect, so that its verdict counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config import counted
from perfscale.config.sections.shape import is_steady
from perfscale.results import is_rate_held
from perfscale.search.deciding.trials import Verdict
from perfscale.search.judging import Judged
from perfscale.search.offering.changes import value_at
from perfscale.search.offering.effects import FEWEST, idle_keys, rates_among
from perfscale.search.offering.loads import loads_of, pauses, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import Config, Workload
    from perfscale.config.reading.source import KeyPath
    from perfscale.results import RunResult, WorkloadResult
    from perfscale.search.offering.loads import Load

_FAR_SHARE: Final = 0.5
"""Below this share, a rate was not offered however short the load: a few requests are over in less
time than may be lost, at any rate, and each would hold."""
_REACHED_SHARE: Final = 0.9
"""Of a limit on all requests: some of them are no load."""
_WAY_OF_HELD: Final = (
    "the server took less: let more be in flight (globalConfig.maxInFlight), or say that it has to "
    "take it, with a threshold as {metric: achievedQps, min: 95%}"
)


class Offered(NamedTuple):
    """A run of a search, and what it was for.

    Attributes:
        config: What was run.
        keys: What the search changes of it.
        search_id: Of the search, for its templates.
        result: What came of it.
    """

    config: Config
    keys: Sequence[KeyPath]
    search_id: str
    result: RunResult


class _Reason(NamedTuple):
    why: str
    way: str


def judge_offered(judged: Judged, step: Offered) -> Judged:
    """The verdict on a run; one that does not count if its value had no effect on the load.

    A threshold that was missed before the load came to its value is lost all the same, and so is
    one that was missed at a rate that the server did not take.
    """
    if judged.verdict not in {Verdict.HOLDS, Verdict.LOST} or step.result.error is not None:
        return judged
    loads = loads_of(step.config, step.search_id)
    idle = idle_keys(step.config, loads, step.keys)
    effective = [key for key in step.keys if key not in {each.key for each in idle}]
    found = [_Reason(each.why, each.way) for each in idle] if not effective else []
    found = found or list(_unreached(step, effective))
    if not found and judged.verdict is Verdict.HOLDS:
        found = list(_untaken(step, loads, effective))
    if not found:
        return judged
    ways = (f"the way out: {each}" for each in dict.fromkeys(each.way for each in found))
    return Judged(Verdict.NOT_COUNTED, (*dict.fromkeys(each.why for each in found), *ways))


def _unreached(step: Offered, keys: Sequence[KeyPath]) -> Iterator[_Reason]:
    """Why the value had no effect, as the run has shown."""
    results = step.result.workloads
    rates = rates_among(keys)
    if rates and not any(_has_rate(step.config.workloads[at], results[at]) for at in rates):
        burst = results[rates[0]].rate.burst
        yield _Reason(
            f"the rate was never offered: fewer than {FEWEST} requests came after its burst, "
            f"{burst} at once",
            "let more be due: more targets or replicas, or a longer duration",
        )
    health = step.result.generator
    for key in keys:
        if key[-1] != "maxInFlight" or health is None:
            continue
        most = health.vitals.in_flight.max
        is_own = key[0] == "workloads"
        held_back = results[int(key[1])].rate.held_back_s > 0 if is_own else True
        if most < value_at(step.config, key) or not held_back:
            yield _Reason(
                f"the bound was never reached: {counted(most, 'request')} in flight at most",
                "raise qps, or leave it out, so that more would be in flight without the bound",
            )


def _has_rate(workload: Workload, result: WorkloadResult) -> bool:
    rate = result.rate
    # No iteration has a rate of its own, but each may have found the bucket as the last left it.
    is_paced = rate.offered is not None or (is_steady(workload) and not pauses(workload))
    return is_paced and rate.creates - rate.burst >= FEWEST - 1


def _untaken(step: Offered, loads: Sequence[Load], keys: Sequence[KeyPath]) -> Iterator[_Reason]:
    """Why thresholds that were met say nothing of the value."""
    results = step.result.workloads
    for at in rates_among(keys):
        rate = results[at].rate
        for done, per_second, share, seconds in (
            ("sent", rate.sent, rate.sent_share, rate.sent_seconds),
            ("accepted", rate.achieved, rate.share, rate.seconds),
        ):
            if share is None or (share >= _FAR_SHARE and is_rate_held(share, seconds)):
                continue
            what = f"{per_second or 0:.4g} {results[at].sends} a second were {done}"
            yield _Reason(f"{results[at].name}: {what}, of {rate.target:g} wanted", _WAY_OF_HELD)
            break
    if ("globalConfig", "qps") in keys:
        limit = step.config.global_config.qps
        accepted = {each.name: _accepted(each) for each in results}
        most = together(loads, lambda each: accepted[each.workload.name])
        if most < _REACHED_SHARE * limit:
            yield _Reason(
                f"the limit was never reached: {most:.4g} requests a second were accepted",
                "let more be in flight (globalConfig.maxInFlight)",
            )


def _accepted(result: WorkloadResult) -> float:
    """Requests a second; without a bound where it is not known."""
    return math.inf if result.rate.achieved is None else result.rate.achieved

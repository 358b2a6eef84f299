"""From how a run ended, and what it comes to, to its result."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from perfscale.engine.accounting.verdict import judge
from perfscale.engine.events import RunFinished
from perfscale.results import Ending, conclude, judge_thresholds, with_lost_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.inputs import RunInputs
    from perfscale.results import Course, GeneratorRecord, RunResult, RunSum, Totals


class Summed(NamedTuple):
    """What a run comes to: see `conclude`."""

    run_sum: RunSum
    totals: Totals
    course: Course
    generators: tuple[GeneratorRecord, ...] = ()


class Ended(NamedTuple):
    """How a run ended.

    Attributes:
        duration_s: When, in seconds since its start.
        remains: Whether anything of it may be in the cluster still.
        error: What ended it, if something did.
        interrupted_by: The number of the signal that ended it, if one did.
        problems: What did not go well when everything was deleted.
    """

    duration_s: float
    remains: bool
    error: BaseException | None
    interrupted_by: int | None
    problems: Sequence[str]


def conclude_run(inputs: RunInputs, ended: Ended, summed: Summed) -> RunResult:
    """Judge a run, and hand its result to whoever records or follows it."""
    run_sum, totals, course, generators = summed
    thresholds = judge_thresholds(inputs.config, run_sum)
    verdict = judge(
        inputs.config,
        run_sum.workloads,
        totals.namespaces,
        error=ended.error,
        interrupted_by=ended.interrupted_by,
        problems=ended.problems,
        thresholds=thresholds,
    )
    ending = Ending(
        finished_at=inputs.info.started_at + timedelta(seconds=ended.duration_s),
        duration_s=ended.duration_s,
        remains=ended.remains,
        error=ended.error,
        **verdict._asdict(),
    )
    result = conclude(
        inputs.info,
        ending,
        run_sum,
        totals,
        thresholds=thresholds,
        course=course,
        generators=generators,
    )
    if inputs.sink is not None:
        try:
            inputs.sink.finish(result)
        except OSError as error:
            result = with_lost_results(result, error)
    inputs.broadcast.send(RunFinished(result))
    return result

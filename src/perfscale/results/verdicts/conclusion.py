"""What a run came to: a run that ends and the journal of one put it together here, and alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from perfscale.results.model.client.health import Vitals
from perfscale.results.model.run import RunResult
from perfscale.results.verdicts.health import assess

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from perfscale.results.measure.stages import StageLog
    from perfscale.results.measure.tallies.run import RunSum
    from perfscale.results.model.client.generators import GeneratorRecord
    from perfscale.results.model.course.attribution import AttributionResult
    from perfscale.results.model.course.hooks import HookRecord
    from perfscale.results.model.interruptions import BlindSpan, OutageRecord
    from perfscale.results.model.run import RunInfo, RunOutcome, ThresholdVerdict, Totals


class Ending(NamedTuple):
    """How a run ended, as `RunResult` has it."""

    finished_at: datetime
    duration_s: float
    outcome: RunOutcome
    exit_code: int
    problems: tuple[str, ...]
    remains: bool
    error: BaseException | None = None


class Course(NamedTuple):
    """What happened beside the load.

    Attributes:
        outages: When the API server was gone, or what it calls.
        blind_spans: When nothing was seen.
        hooks: Those that have begun.
        stages: What was done when.
        attribution: Where the time of slow objects went; None if that was turned off.
    """

    outages: Iterable[OutageRecord]
    blind_spans: Iterable[BlindSpan]
    hooks: tuple[HookRecord, ...]
    stages: StageLog
    attribution: AttributionResult | None = None


def conclude(
    info: RunInfo,
    ending: Ending,
    run_sum: RunSum,
    totals: Totals,
    *,
    course: Course,
    thresholds: tuple[ThresholdVerdict, ...] = (),
    generators: tuple[GeneratorRecord, ...] = (),
) -> RunResult:
    """The result of a run.

    Args:
        info: What was known before the first create.
        ending: How it ended.
        run_sum: What its iterations add up to.
        totals: What was counted for the run as a whole.
        course: What happened beside the load; what lies beyond the end of the run is cut off.
        thresholds: Whether each was met, those of the run as a whole first.
        generators: Those of a run that has several.
    """
    vitals = totals.vitals
    return RunResult(
        info=info,
        **ending._asdict(),
        accounts=run_sum.accounts,
        children=run_sum.children,
        watch=totals.watch,
        namespaces=totals.namespaces,
        requests=totals.requests,
        workloads=run_sum.workloads,
        kinds=run_sum.kinds,
        child_kinds=run_sum.child_kinds,
        operations=run_sum.operations,
        calls=run_sum.calls,
        clock=totals.clock,
        thresholds=thresholds,
        generator=None
        if vitals is None and not any(each.lost for each in generators)
        else assess(vitals or Vitals(), run_sum.workloads, totals.requests, generators),
        generators=generators,
        outages=tuple(course.outages),
        blind_spans=tuple(_within(each, ending.duration_s) for each in course.blind_spans),
        hooks=course.hooks,
        stages=course.stages.spans(ending.duration_s),
        rounds=course.stages.rounds,
        attribution=course.attribution,
    )


def _within(span: BlindSpan, duration_s: float) -> BlindSpan:
    """As much of it as is in the run: a watch may count as catching up when all is over."""
    ended_s = max(span.began_s, min(span.until_s, duration_s))
    return msgspec.structs.replace(span, ended_s=ended_s)

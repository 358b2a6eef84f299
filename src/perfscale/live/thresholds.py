"""Where a run stands with its thresholds, as far as snapshots say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.config.sections.metrics import Latency
from perfscale.results import Accounts, Calls, KindResult, OperationResult, Rate, Sketch
from perfscale.results.model.operations import OperationAccounts
from perfscale.results.model.workload import Measured
from perfscale.results.pages.page import ThresholdRow
from perfscale.results.verdicts.thresholds import judge_threshold, threshold_title, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import Config, Threshold
    from perfscale.engine.snapshot import ObjectCounts, OperationCounts, RunCourse, RunSnapshot
    from perfscale.results import CountedCall

_OF_THE_END: Final = frozenset({"unready", "unfinished", "leftover"})
"""What is counted as one of these now may get there yet."""


def threshold_rows(
    config: Config, snapshot: RunSnapshot, course: RunCourse
) -> Iterator[ThresholdRow]:
    """Every threshold of a workload file, those of the run first.

    Percentiles are of what has got there, within one per cent. What snapshots do not have is open:
    rates, latencies but for readiness and those of operations, a single workload's requests.
    """
    if config.global_config.thresholds:
        run = _measured(snapshot.objects, snapshot.operations, course, snapshot.calls)
        for threshold in config.global_config.thresholds:
            yield _row(threshold, run, None)
    for workload in config.workloads:
        if workload.thresholds:
            objects = [each for each in snapshot.objects if each.workload == workload.name]
            operations = [each for each in snapshot.operations if each.workload == workload.name]
            measured = _measured(objects, operations, course)
            for threshold in workload.thresholds:
                yield _row(threshold, measured, workload.name)


def _row(threshold: Threshold, measured: Measured, workload: str | None) -> ThresholdRow:
    verdict = judge_threshold(threshold, measured, workload)
    if verdict.value is None or threshold.measures.name in _OF_THE_END:
        return ThresholdRow(
            "", "open", f"{threshold_title(threshold, workload)}, {wanted(threshold)}"
        )
    style, word = ("met", "met so far") if verdict.passed else ("bad", "missed so far")
    return ThresholdRow(style, word, verdict.text)


def _measured(
    objects: Sequence[ObjectCounts],
    operations: Sequence[OperationCounts],
    course: RunCourse,
    calls: Sequence[CountedCall] = (),
) -> Measured:
    counted = Calls()
    counted.add(calls)
    kinds = dict.fromkeys(each.kind for each in objects)
    return Measured(
        accounts=_accounts(objects),
        children=Accounts(),
        rate=Rate(target=None, achieved=None, held_back_s=0.0),
        kinds={
            kind: _kind([each for each in objects if each.kind == kind], course) for kind in kinds
        },
        child_kinds={},
        calls=counted.results(),
        operations=tuple(map(_operation, operations)),
    )


def _accounts(objects: Sequence[ObjectCounts]) -> Accounts:
    requested = sum(each.requested for each in objects)
    return Accounts(
        requested=requested,
        ready=sum(each.ready for each in objects),
        failed=sum(each.failed for each in objects),
        not_attempted=requested - sum(each.sent for each in objects),
    )


def _kind(objects: Sequence[ObjectCounts], course: RunCourse) -> KindResult:
    ready = Sketch()
    for each in objects:
        ready.add(each.first_ready_latency)
    of_churn = [course.churn.get((each.workload, each.kind)) for each in objects]
    return KindResult(
        accounts=_accounts(objects),
        phases={Latency.READY.value: ready.summarize()},
        deletion=Sketch().summarize(),
        # Those of several workloads are added up at the end of the run.
        churn=of_churn[0] if len(of_churn) == 1 else None,
    )


def _operation(counts: OperationCounts) -> OperationResult:
    return OperationResult(
        operation=counts.operation,
        kind=counts.kind,
        api_version="",
        accounts=OperationAccounts(
            requested=counts.sent,
            done=counts.done,
            failed=counts.failed,
            unfinished=counts.sent - counts.done - counts.failed,
        ),
        response=counts.response.summarize(),
        effect=counts.effect.summarize(),
        milestones={},
        time_in={},
    )

"""How far a run has come, as the summary that the sections of its report are made from.

What nobody knows before the end of a run is left empty: accounts of what was not attempted or
is left over, thresholds, exact percentiles. Percentiles are within one per cent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import to_builtins
from msgspec.structs import replace

from perfscale.config.sections.metrics import Latency
from perfscale.results import Sketch
from perfscale.results.folder.summary import described, described_attribution
from perfscale.results.model import document
from perfscale.results.model.client.health import InFlight, Lag, Validity
from perfscale.results.model.run import NamespaceCounts, RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.engine.snapshot import ObjectCounts, OperationCounts, RunCourse, RunSnapshot
    from perfscale.preflight import Plan
    from perfscale.results import ChurnResult, CountedCall, IterationResult, WorkloadPlan


class LiveSummary:
    """Makes the summary of a run that goes on, again and again.

    Args:
        plan: What the run is going to do.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._calls: dict[tuple[str, str], tuple[CountedCall, document.CallCounts]] = {}
        self._iterations: dict[str, list[document.Iteration]] = {}

    def of(self, snapshot: RunSnapshot, course: RunCourse) -> document.Summary:
        """The summary until now."""
        started = snapshot.started_at.isoformat()
        return document.Summary(
            schema_version=document.SCHEMA_VERSION,
            run_id=snapshot.run_id,
            started_at=started,
            finished_at=started,
            duration_seconds=snapshot.elapsed_s,
            outcome=RunOutcome.PASSED,
            exit_code=0,
            problems=[],
            thresholds=[],
            generator=_generator(snapshot),
            generators=[],
            cluster=self._cluster(snapshot),
            seed=None,
            objects=_counts(snapshot.objects),
            children=_counts(()),
            namespaces=described(NamespaceCounts()),
            watch=described(snapshot.watch),
            outages=described(course.outages),
            blind_spans=[
                _closed(each, snapshot.elapsed_s) for each in described(course.blind_spans)
            ],
            hooks=described(course.hooks),
            stages=described(course.stages),
            rounds=described(course.rounds),
            requests=to_builtins(course.requests),
            clock=None,
            calls=[self._call(each) for each in sorted(snapshot.calls, key=_by_resource)],
            kinds={},
            child_kinds={},
            operations=[],
            workloads=[self._workload(each, snapshot, course) for each in self._plan.workloads],
            audit=None,
            attribution=described_attribution(course.attribution),
        )

    def _cluster(self, snapshot: RunSnapshot) -> document.Cluster:
        plan = self._plan
        return document.Cluster(
            context=plan.context,
            server=plan.server,
            version=snapshot.server_version,
            nodes=plan.nodes,
            kubevirt=plan.kubevirt,
            kubevirt_config=plan.kubevirt_config,
        )

    def _call(self, counted: CountedCall) -> document.CallCounts:
        """A request, described again only where more of it were sent."""
        name = counted.verb, counted.resource
        known = self._calls.get(name)
        if known is None or known[0] != counted:
            known = self._calls[name] = counted, described(counted.tally.result(name))
        return known[1]

    def _workload(
        self, plan: WorkloadPlan, snapshot: RunSnapshot, course: RunCourse
    ) -> document.Workload:
        objects = [each for each in snapshot.objects if each.workload == plan.name]
        operations = [each for each in snapshot.operations if each.workload == plan.name]
        return document.Workload(
            name=plan.name,
            operation=plan.operation,
            background=plan.background,
            iteration_count=plan.iterations,
            objects=_counts(objects),
            children=_counts(()),
            rate=document.CreationRate(
                target_qps=snapshot.targets.get(plan.name),
                offered_qps=None,
                sent_qps=snapshot.rates.get(plan.name),
                achieved_qps=None,
                sent=0,
                burst=plan.burst,
                held_back_seconds=0.0,
            ),
            calls=[],
            kinds={
                each.kind: _kind(each, course.churn.get((each.workload, each.kind)))
                for each in objects
            },
            child_kinds={},
            operations=[_operation(each) for each in operations],
            iterations=self._finished(plan.name, course.results.get(plan.name, ())),
        )

    def _finished(
        self, workload: str, results: tuple[IterationResult, ...]
    ) -> list[document.Iteration]:
        """Those of which nothing is left; each is described once."""
        known = self._iterations.setdefault(workload, [])
        known += described(results[len(known) :])
        return sorted(known, key=lambda each: each.iteration)


def _by_resource(counted: CountedCall) -> tuple[str, str]:
    return counted.resource, counted.verb


def _counts(objects: Iterable[ObjectCounts]) -> document.Counts:
    every = list(objects)
    return document.Counts(
        requested=sum(each.requested for each in every),
        created=sum(each.created for each in every),
        ready=sum(each.ready for each in every),
        failed=sum(each.failed for each in every),
        unready=0,
        not_attempted=0,
        deleted=sum(each.deleted for each in every),
        leftover=0,
        unknown=0,
    )


def _kind(counts: ObjectCounts, churn: ChurnResult | None) -> document.Kind:
    return document.Kind(
        api_version="",
        objects=_counts([counts]),
        phases={Latency.READY.value: _statistics(counts.first_ready_latency)},
        creation=None,
        deletion=_statistics(Sketch()),
        transitions=[],
        server_phases={},
        phase_clock=None,
        watch_delay=None,
        churn=described(churn),
    )


def _operation(counts: OperationCounts) -> document.Operation:
    return document.Operation(
        operation=counts.operation,
        kind=counts.kind,
        api_version="",
        operations=document.OperationCounts(
            requested=counts.sent,
            done=counts.done,
            failed=counts.failed,
            unfinished=0,
            not_attempted=0,
        ),
        response=_statistics(counts.response),
        effect=_statistics(counts.effect),
        milestones={},
        time_in={},
    )


def _statistics(sketch: Sketch) -> document.Statistics:
    statistics: document.Statistics = described(sketch.summarize())
    return statistics


def _closed(span: document.Blind, now_s: float) -> document.Blind:
    """A span that goes on ends now, as far as anybody knows."""
    if span.ended_seconds <= now_s:
        return span
    return replace(span, ended_seconds=max(span.began_seconds, now_s))


def _generator(snapshot: RunSnapshot) -> document.Generator:
    """How late it was so far; whether it was the limit is judged at the end."""
    return document.Generator(
        verdict=Validity.VALID,
        reasons=[],
        loop_lag=_lag(snapshot.lags.loop),
        limiter_lag=_lag(snapshot.lags.limiter),
        send_lag=_lag(snapshot.lags.send),
        in_flight=described(
            InFlight(limit=snapshot.most_in_flight, max=snapshot.in_flight, mean=None)
        ),
    )


def _lag(sketch: Sketch) -> document.Lag:
    found = sketch.summarize()
    lag: document.Lag = described(
        Lag(count=found.count, mean=found.mean, p50=found.p50, p99=found.p99, max=found.max)
    )
    return lag

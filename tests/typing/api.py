"""A user's program, for mypy alone: what the public interface promises about its types.

Nothing runs this. It fails the type check where a name of `perfscale` loses its
type, changes it, or is no longer there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, assert_never, assert_type

from prometheus_client import CollectorRegistry, generate_latest

from perfscale import (
    Accounts,
    AuditPlan,
    AuditRecord,
    Cluster,
    ClusterError,
    ClusterOptions,
    Config,
    ConfigError,
    Event,
    EventsLost,
    EventStream,
    FailureBudget,
    GeneratorsProgress,
    HookFinished,
    HookStarted,
    IterationFinished,
    IterationStarted,
    LoadGenerator,
    ObjectFailed,
    ObjectRecord,
    OperationFailed,
    OperationRecord,
    Outcome,
    PerfscaleError,
    Plan,
    PreflightError,
    Progress,
    Remarks,
    ResultSink,
    RoundStarted,
    RunFinished,
    RunFolder,
    RunInfo,
    RunMetrics,
    RunOptions,
    RunOutcome,
    RunResult,
    RunSnapshot,
    RunStarted,
    SearchDocument,
    SearchPlan,
    SlowObject,
    Stage,
    StageStarted,
    StillWaiting,
    TemplateDefaults,
    TemplateError,
    UsageError,
    Warned,
    WorkloadStarted,
    find_limit,
    load_config,
    open_cluster,
    plan_audit,
    serve_metrics,
    summarize,
)


class Sink:
    """A sink of one's own; nothing has to be inherited."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def begin(self, info: RunInfo) -> None:
        assert_type(info.run_id, str)

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        if not children:
            self.outcomes += (record.outcome for record in objects)

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        for record in operations:
            assert_type(record.done_s, float | None)

    def finish(self, result: RunResult) -> None:
        assert_type(result.outcome, RunOutcome)


sinks: list[ResultSink] = [
    Sink(),
    RunFolder("results"),
    RunFolder(Path("results"), remarks=Remarks({"build": "1"}, note="new CNI")),
]


def describe(event: Event) -> str:  # noqa: C901, PLR0911, PLR0912 -- a case for every event
    """Every event that has a name in the interface."""
    match event:
        case RunStarted():
            assert_type(event.plan, Plan)
            return event.run_id
        case WorkloadStarted():
            return f"{event.workload}: {event.iterations}"
        case IterationStarted():
            return f"{event.workload}: {event.iteration}, {event.requested}"
        case RoundStarted():
            assert_type(event.rounds, int | None)
            return f"{event.workload}: {event.round}, {event.replaced}"
        case StageStarted():
            assert_type(event.stage, Stage)
            assert_type(event.deadline_s, float | None)
            return event.stage.value
        case Progress():
            assert_type(event.ready, int)
            assert_type(event.rate, float)
            return f"{event.created}/{event.requested}"
        case GeneratorsProgress():
            return ", ".join(f"{each.name}: {each.rate}" for each in event.generators)
        case ObjectFailed():
            return event.error
        case OperationFailed():
            assert_type(event.name, str | None)
            return f"{event.operation} of {event.kind}: {event.error}"
        case HookStarted():
            assert_type(event.command, tuple[str, ...])
            return f"{event.number}: {event.when}"
        case HookFinished():
            assert_type(event.problem, str | None)
            return f"{event.number}: {event.took_s}"
        case Warned():
            return event.message
        case IterationFinished():
            return ", ".join(event.problems)
        case EventsLost():
            return str(event.count)
        case RunFinished():
            return event.result.outcome.value
        case StillWaiting():
            assert_type(event.slowest, tuple[SlowObject, ...])
            return f"{event.missing} to go"
        case _:
            assert_never(event)


async def follow(events: EventStream) -> None:
    async for event in events:
        assert_type(event, Event)
        describe(event)


async def run_file(path: Path) -> RunResult:
    config = load_config(path, overrides=["workloads[0].qps=50"])
    assert_type(config, Config)
    options = RunOptions(
        keep=True,
        cleanup_timeout_s=60,
        defaults=TemplateDefaults("registry", "v1"),
        max_failures=FailureBudget.parse("5%"),
    )
    async with LoadGenerator(
        config,
        cluster=ClusterOptions(kubeconfig="kubeconfig", context="staging"),
        run_id="chosen",
        results=sinks[0],
        options=options,
    ) as generator:
        assert_type(generator, LoadGenerator)
        assert_type(await generator.preflight(), Plan)
        following = asyncio.create_task(follow(generator.events()))
        assert_type(generator.snapshot(), RunSnapshot | None)
        result = await generator.run()
        await following
        assert_type(generator.result, RunResult | None)
    return result


async def run_two(first: Config, second: Config) -> tuple[Accounts, Accounts]:
    async with await open_cluster(ClusterOptions()) as cluster:
        assert_type(cluster, Cluster)
        async with (
            LoadGenerator(first, cluster=cluster) as one,
            LoadGenerator(second, cluster=cluster) as two,
        ):
            asyncio.get_running_loop().call_later(60, one.interrupt)
            results = await asyncio.gather(one.run(), two.run())
    assert_type(results, tuple[RunResult, RunResult])
    return results[0].accounts, results[1].accounts


async def run_with_metrics(config: Config) -> bytes:
    async with LoadGenerator(config) as generator, serve_metrics(generator.snapshot) as url:
        assert_type(url, str)
        await generator.run()
        registry = CollectorRegistry()
        registry.register(RunMetrics(generator.snapshot))
        assert_type(RunMetrics(generator.snapshot).text(), bytes)
    return generate_latest(registry)


async def audit(config: Config, result: RunResult) -> RunResult:
    plan = plan_audit(config, "http://localhost:9090")
    assert_type(plan, AuditPlan | None)
    if plan is None:
        return result
    await plan.check()
    record = await plan.audit(result, notify=print)
    assert_type(record, AuditRecord)
    return RunFolder("results").add_audit(result, record)


async def limit(path: Path) -> str:
    found = await find_limit(path, "qps", SearchPlan(5, 200), cluster=ClusterOptions())
    assert_type(found, SearchDocument)
    return "" if found.answer is None else found.answer.text


def readiness(result: RunResult) -> float | None:
    kind = result.workloads[0].kinds["VirtualMachineInstance"]
    assert_type(kind.phases["Ready"].p99, float | None)
    assert_type(result.workloads[0].rate.achieved, float | None)
    return kind.phases["Ready"].p99


def as_json(result: RunResult) -> str:
    document = summarize(result)
    assert_type(document, dict[str, Any])
    return json.dumps(document)


def exit_code(path: Path) -> int:
    try:
        return asyncio.run(run_file(path)).exit_code
    except (ConfigError, TemplateError, PreflightError) as error:
        for problem in error.problems:
            assert_type(problem.line, int | None)
        return error.exit_code
    except (UsageError, ClusterError) as error:
        assert_type(error.hint, str | None)
        return error.exit_code
    except PerfscaleError as error:
        assert_type(error.exit_code, int)
        return error.exit_code

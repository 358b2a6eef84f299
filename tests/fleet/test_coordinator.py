"""Runs of several generators come to what a run of one comes to."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clusters import CONFIGMAPS, VMIS, ClusterUnderTest, MemorySink
from several_generators import coordinator, run
from workloads import config, objects, template, workload

from perfscale.config.labels import SHARD_LABEL
from perfscale.config.sections.metrics import MILESTONES
from perfscale.engine.accounting.budget import FailureBudget
from perfscale.engine.events import GeneratorsProgress, Progress
from perfscale.engine.load.dispatching import Dispatcher
from perfscale.errors import FleetError
from perfscale.results import Accounts, RunFolder, RunOutcome, RunResult, rebuild_results

MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ name }}-{{ replica }}"}
"""
APPEND = "import os, sys; open(sys.argv[1], 'a').write(os.environ['PERFSCALE_HOOK'] + '\\n')"
SEVERAL = pytest.mark.parametrize("generators", [1, 2, 4])


def maps(directory: Path, count: int, name: str = "map", **keys: Any) -> dict[str, Any]:
    spec = objects(template(directory, MAP, "map.yaml"), count, name=name)
    return {**spec, **keys}


def many(directory: Path) -> Any:
    """A load with all that makes objects in other ways than a plain iteration."""
    return config(
        workload(objects(count=7), {**maps(directory, 3, "once"), "once": True}, iterationCount=3),
        workload(
            maps(directory, 10, "churned"),
            name="churning",
            background=True,
            churn={"share": "50%", "rounds": 3, "interval": "10ms"},
        ),
        workload(
            maps(directory, 5, "whole"),
            name="whole",
            namespacedIterations=True,
            iterationCount=4,
            churn={"count": 2, "rounds": 2, "of": "namespaces"},
            iterationCleanup=False,
            iterationDeletionWait=False,
        ),
        cleanup=True,
        seed=7,
    )


def accounts_of(result: RunResult) -> dict[Any, Any]:
    return {
        (each.name, iteration.iteration): iteration.accounts
        for each in result.workloads
        for iteration in each.iterations
    }


@SEVERAL
async def test_a_density_run_comes_to_what_one_generator_comes_to(
    cluster: ClusterUnderTest, generators: int
) -> None:
    sink = MemorySink()
    load = config(workload(objects(count=10), iterationCount=2))
    result = await run(cluster, load, generators, sink=sink)
    assert (result.outcome, result.problems) == (RunOutcome.PASSED, ())
    assert result.accounts == Accounts(requested=20, created=20, ready=20, deleted=20)
    assert await cluster.left_of(result.run_id) == {}
    names = Counter((each.iteration, each.name) for each in sink.objects)
    assert len(names) == 20
    assert set(names.values()) == {1}
    assert len(result.generators) == generators
    kind = result.kinds[VMIS.kind]
    latencies = [
        each.ready_s - each.sent_s
        for each in sink.objects
        if each.ready_s is not None and each.sent_s is not None
    ]
    ready = kind.phases["Ready"]
    assert (ready.p50, ready.p99) == pytest.approx(np.percentile(latencies, [50, 99]))
    assert ready.max == pytest.approx(max(latencies))


@SEVERAL
async def test_churn_background_and_objects_that_are_there_once_add_up_alike(
    cluster: ClusterUnderTest, tmp_path: Path, generators: int
) -> None:
    async with cluster.generator(many(tmp_path)) as alone:
        expected = await alone.run()
    sink = MemorySink()
    result = await run(cluster, many(tmp_path), generators, sink=sink)
    assert (result.outcome, result.problems) == (RunOutcome.PASSED, ())
    assert expected.outcome is RunOutcome.PASSED
    assert result.accounts == expected.accounts
    assert accounts_of(result) == accounts_of(expected)
    assert [each.churn for each in result.info.workloads] != ["", "", ""]
    once = Counter(each.name for each in sink.objects if each.name.startswith("once"))
    assert once == {"once-1": 1, "once-2": 1, "once-3": 1}
    assert await cluster.left_of(result.run_id) == {}


@SEVERAL
async def test_operations_are_done_once_to_each_target(
    cluster: ClusterUnderTest, tmp_path: Path, generators: int
) -> None:
    load = config(
        workload(
            maps(tmp_path, 11), name="maps", iterationCleanup=False, iterationDeletionWait=False
        ),
        {"name": "look", "operation": "get", "targets": {"workload": "maps", "share": "50%"}},
        {
            "name": "clear",
            "operation": "delete",
            "targets": {"workload": "maps"},
            "iterationWait": True,
        },
        cleanup=True,
        seed=3,
    )
    result = await run(cluster, load, generators)
    assert (result.outcome, result.problems) == (RunOutcome.PASSED, ())
    done = {each.operation: each.accounts.done for each in result.operations}
    assert done == {"get": 6, "delete": 11}
    assert result.accounts.deleted == 11


async def test_what_a_folder_holds_is_made_again_from_its_journal(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = RunFolder(tmp_path / "results")
    result = await run(cluster, many(tmp_path), 3, sink=sink)
    assert sink.path is not None
    written = json.loads((sink.path / "summary.json").read_text())
    for name in ("summary.json", "objects.ndjson"):
        (sink.path / name).unlink()
    assert rebuild_results(sink.path).result.accounts == result.accounts
    assert json.loads((sink.path / "summary.json").read_text()) == written


async def test_each_object_has_the_label_of_its_generator_and_replicas_are_contiguous(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = config(workload(maps(tmp_path, 10), iterationCleanup=False, iterationDeletionWait=False))
    result = await run(cluster, load, 3)
    assert result.remains
    assert result.accounts == Accounts(requested=10, created=10, ready=10)
    shares = [
        await cluster.names(CONFIGMAPS, selector=f"{SHARD_LABEL}={index}") for index in range(3)
    ]
    assert sorted(map(len, shares)) == [3, 3, 4]
    assert sorted(chain.from_iterable(shares)) == sorted(f"map-{n}" for n in range(1, 11))
    assert sorted(shares[0]) == [f"map-{n}" for n in range(1, len(shares[0]) + 1)]
    await cluster.empty()


async def test_hooks_run_once_at_the_coordinator(cluster: ClusterUnderTest, tmp_path: Path) -> None:
    moments = ("beforeRun", "beforeIteration", "afterCreation", "afterReady", "beforeCleanup")
    log = tmp_path / "log"
    hooks = [
        {"when": when, "run": [sys.executable, "-c", APPEND, str(log)]}
        for when in (*moments, "afterRun")
    ]
    result = await run(cluster, config(workload(objects(count=4)), hooks=hooks), 2)
    assert result.outcome is RunOutcome.PASSED
    assert log.read_text().split() == [*moments, "afterRun"]
    assert len(result.hooks) == 6


async def test_a_hook_that_aborts_ends_all_generators(cluster: ClusterUnderTest) -> None:
    hooks = [{"when": "afterCreation", "run": ["false"], "onFailure": "abort"}]
    result = await run(cluster, config(workload(objects(count=6)), hooks=hooks), 2)
    assert result.outcome is RunOutcome.FAILED
    assert any("hook afterCreation" in each for each in result.problems)
    assert result.accounts.balanced
    assert await cluster.left_of(result.run_id) == {}


async def test_the_rate_at_the_server_is_even(cluster: ClusterUnderTest, tmp_path: Path) -> None:
    sink = MemorySink()
    load = config(workload(maps(tmp_path, 300), qps=100, burst=1))
    result = await run(cluster, load, 4, sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    due = sorted(each.scheduled_s or 0.0 for each in sink.objects)
    gaps = np.diff(due)
    assert gaps.min() == pytest.approx(0.01, abs=1e-4)
    assert gaps.max() == pytest.approx(0.01, abs=1e-4)
    sent = sorted(each.sent_s or 0.0 for each in sink.objects)
    for at_s in sent:  # never ahead of the schedule, but for a token of each generator
        assert sum(each <= at_s for each in sent) <= 1 + 100 * (at_s - sent[0]) + 4
    assert result.workloads[0].rate.target == 100


async def test_progress_is_that_of_all_generators(cluster: ClusterUnderTest) -> None:
    load = config(workload(objects(count=60), qps=40, burst=1))
    async with coordinator(cluster, load, 2) as running:
        events = running.events()
        await running.run()
        seen = [each async for each in events]
    progress = [each for each in seen if isinstance(each, Progress)]
    assert max(each.created for each in progress) == 60
    assert {each.requested for each in progress if each.created} == {60}
    phases = {phase for each in progress for _, phase in each.phases}
    assert "Running" in phases
    assert phases.isdisjoint(MILESTONES)  # an object is never in one
    states = [each for each in seen if isinstance(each, GeneratorsProgress)]
    assert [each.index for each in states[-1].generators] == [0, 1]
    snapshot = running.snapshot()
    assert snapshot is not None
    assert snapshot.lags.limiter.summarize().count == 60
    assert snapshot.lags.send.summarize().count == 60


async def test_a_failure_budget_is_that_of_the_whole_run(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: 'empty-{{ replica }}'}\nspec: {}\n"
    load = config(workload(objects(template(tmp_path, text), 400), qps=100, burst=1))
    budget = FailureBudget(count=5)
    result = await run(cluster, load, 2, max_failures=budget)
    assert result.outcome is RunOutcome.FAILED
    assert "6 of 400 objects failed, more than --max-failures 5 allows" in result.problems[0]
    assert 6 <= result.accounts.failed < 400
    assert result.accounts.balanced


async def test_a_threshold_that_cannot_be_met_any_more_ends_all_generators(
    cluster: ClusterUnderTest,
) -> None:
    threshold = {"metric": "vmiReady", "max": "1ms", "abortOnFail": True}
    load = config(
        workload(objects(count=200), qps=20, burst=1, thresholds=[{**threshold, "quantile": "p50"}])
    )
    result = await run(cluster, load, 2)
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 3), result.problems
    assert "cannot be met any more" in result.problems[0]
    assert 0 < result.accounts.created < 200
    assert await cluster.left_of(result.run_id) == {}


async def test_a_wait_that_times_out_counts_what_is_missing_of_all(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    never = {**maps(tmp_path, 5), "readyWhen": "condition=Never"}
    result = await run(cluster, config(workload(never, maxWaitTimeout="1s")), 2)
    assert result.accounts.unready == 5
    assert any("waiting for 5 objects to be ready" in each for each in result.problems)
    assert any("5 ConfigMap not ready" in each for each in result.problems)
    assert await cluster.left_of(result.run_id) == {}


async def test_an_interrupt_stops_all_generators_and_cleans_up(cluster: ClusterUnderTest) -> None:
    load = config(workload(objects(count=200), qps=40, burst=1))
    async with coordinator(cluster, load, 2) as running:
        async for event in _during(running):
            if isinstance(event, Progress) and event.created >= 10:
                running.interrupt()
        result = running.result
    assert result is not None
    assert (result.outcome, result.exit_code) == (RunOutcome.INTERRUPTED, 130)
    assert result.accounts.balanced
    assert 10 <= result.accounts.created < 200
    assert result.accounts.deleted == result.accounts.created
    assert await cluster.left_of(result.run_id) == {}


async def test_generators_give_up_on_requests_when_the_coordinator_does(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    graces: list[float] = []
    drain = Dispatcher.drain

    async def observed(dispatcher: Dispatcher, grace_s: float) -> None:
        graces.append(grace_s)
        await drain(dispatcher, grace_s)

    monkeypatch.setattr(Dispatcher, "drain", observed)
    load = config(workload(objects(count=200), qps=40, burst=1))
    async with coordinator(cluster, load, 2, cleanup_timeout_s=40.0) as running:
        async for event in _during(running):
            if isinstance(event, Progress) and event.created >= 10:
                running.interrupt()
    assert graces == [10.0, 10.0, 10.0]


async def _during(running: Any) -> AsyncIterator[Any]:
    events = running.events()
    task = asyncio.create_task(running.run())
    async for event in events:
        yield event
    await task


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (config(workload(), maxInFlight=2), "globalConfig.maxInFlight is 2"),
        (config(workload(maxInFlight=1)), "density: maxInFlight is 1"),
    ],
)
async def test_what_cannot_be_divided_is_refused_by_name_before_anything_is_created(
    cluster: ClusterUnderTest, load: Any, why: str
) -> None:
    with pytest.raises(FleetError, match=why):
        await run(cluster, load, 4)
    assert await cluster.names(VMIS) == []


async def test_templates_that_make_namespaces_are_refused(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    text = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: "ns-{{ replica }}"}\n'
    load = config(workload(objects(template(tmp_path, text), 2)))
    with pytest.raises(FleetError, match="creates namespaces"):
        await run(cluster, load, 2)

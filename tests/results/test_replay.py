"""The journal tells the same story as the run: every count, latency, rate and record."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from workloads import config, objects, template, workload

from perfscale.config import Config
from perfscale.engine import LoadGenerator, RunOptions
from perfscale.engine.events import Stage, StageStarted
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import (
    Accounts,
    ObjectRecord,
    RunFolder,
    RunOutcome,
    RunResult,
    rebuild_results,
)
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults
from perfscale.templates import TemplateDefaults

JSON = dict[str, Any]

REFUSED = "apiVersion: v1\nkind: Pod\nmetadata: {name: 'empty-{{ replica }}'}\nspec: {}\n"
"""A pod without containers."""


class ObservedFolder(RunFolder):
    """A run's folder that also keeps what the run itself says."""

    def __init__(self, parent: Path) -> None:
        super().__init__(parent)
        self.objects: list[ObjectRecord] = []
        self.children: list[ObjectRecord] = []

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        records = list(objects)
        super().record(records, children=children)
        (self.children if children else self.objects).extend(records)


async def run(
    tmp_path: Path, load: Config, *, interrupt_in: Stage | None = None, **faults: Any
) -> tuple[RunResult, ObservedFolder]:
    folder = ObservedFolder(tmp_path / "results")
    async with SimulatedCluster(speed=100, seed=1, faults=Faults.model_validate(faults)) as cluster:
        kubeconfig = tmp_path / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        generator = LoadGenerator(
            load,
            cluster=ClusterOptions(kubeconfig=str(kubeconfig)),
            results=folder,
            options=RunOptions(defaults=TemplateDefaults()),
        )
        async with generator:
            following = asyncio.create_task(interrupt(generator, interrupt_in))
            result = await generator.run()
            await following
    return result, folder


async def interrupt(generator: LoadGenerator, stage: Stage | None) -> None:
    async for event in generator.events():
        if isinstance(event, StageStarted) and event.stage is stage:
            generator.interrupt()


def lines(path: Path) -> list[JSON]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def as_lines(records: Iterable[ObjectRecord]) -> list[JSON]:
    return [json.loads(msgspec.json.encode(record)) for record in records]


def assert_told_the_same(result: RunResult, folder: ObservedFolder) -> None:
    assert folder.path is not None
    assert lines(folder.path / "objects.ndjson") == as_lines(folder.objects)
    assert lines(folder.path / "children.ndjson") == as_lines(folder.children)
    series = lines(folder.path / "timeseries.ndjson")
    assert_adds_up(series, result)
    for name in ("objects.ndjson", "children.ndjson", "summary.json", "timeseries.ndjson"):
        (folder.path / name).unlink(missing_ok=True)
    made = rebuild_results(folder.path).result
    for name in RunResult.__slots__:
        if name not in {"info", "error"}:
            assert getattr(made, name) == getattr(result, name), name
    assert made.info == result.info
    assert lines(folder.path / "objects.ndjson") == as_lines(folder.objects)
    assert lines(folder.path / "timeseries.ndjson") == series


def assert_adds_up(series: list[JSON], result: RunResult) -> None:
    """At every instant each object is in one phase, and in the end all are where they were."""
    for who, accounts in (("objects", result.accounts), ("children", result.children)):
        for point in series:
            phases = point[who]["phases"].values()
            assert sum(sum(each.values()) for each in phases) == point[who]["present"]
        created, deleted = (sum(p[who][name] for p in series) for name in ("created", "deleted"))
        assert (created, deleted) == (accounts.created, accounts.deleted)
        assert series[-1][who]["present"] == created - deleted


async def test_of_owners_children_and_several_iterations(tmp_path: Path) -> None:
    mixed = (
        objects(count=10),
        objects("vm-ephemeral.yaml", 4),
        objects("vmirs-ephemeral.yaml", 2, vmis=3),
        objects("configmap.yaml", 5),
    )
    load = config(
        workload(*mixed, iterationCount=3, namespacedIterations=True, qps=400, burst=3),
        workload(*mixed, name="stays", iterationCleanup=False, iterationDeletionWait=False),
    )
    result, folder = await run(tmp_path, load)
    assert result.problems == ()
    assert result.remains
    assert (result.accounts.ready, result.accounts.deleted) == (84, 63)
    assert result.children.ready == 40
    assert result.workloads[0].rate.achieved is not None
    assert_told_the_same(result, folder)


async def test_of_objects_that_fail_stay_vanish_or_are_held(tmp_path: Path) -> None:
    broken = [
        {"fault": "fails", "phase": "Scheduling", "names": ["*-1"], "message": "no such disk"},
        {"fault": "fails", "phase": "Running", "names": ["*-2"]},
        {"fault": "stuck", "phase": "Scheduling", "names": ["*-3"]},
        {"fault": "vanishes", "phase": "Running", "names": ["*-4"]},
        {"fault": "held", "names": ["*-5"]},
    ]
    pods = objects(template(tmp_path, REFUSED), 2)
    load = config(
        workload(objects(count=9), pods, maxWaitTimeout="4s", iterationCount=2),
        workload(name="never"),
    )
    result, folder = await run(tmp_path, load, objects=broken)
    accounts = result.accounts
    assert accounts.failed >= 4
    assert (accounts.unready, accounts.leftover, accounts.not_attempted) == (1, 1, 11 + 5)
    assert_told_the_same(result, folder)


TROUBLE: JSON = {
    "seed": 3,
    "requests": [
        {"fault": "tooManyRequests", "share": 0.05, "retryAfter": "0s"},
        {"fault": "internalError", "share": 0.05},
        {"fault": "resetAfter", "share": 0.05},
    ],
    "watches": [
        {"fault": "closed", "afterEvents": 60},
        {"fault": "expired", "by": "event", "share": 0.3},
        {"fault": "late", "delay": "5ms", "share": 0.5},
    ],
}


async def test_of_a_control_plane_in_trouble(tmp_path: Path) -> None:
    load = config(workload(objects(count=30), objects("vm-ephemeral.yaml", 5), iterationCount=2))
    result, folder = await run(tmp_path, load, **TROUBLE)
    assert result.requests["retries"] > 0
    assert result.watch.reconnects > 0
    assert_told_the_same(result, folder)


@pytest.mark.parametrize("stage", [Stage.CREATING, Stage.WAITING_READY, Stage.WAITING_GONE])
async def test_of_a_run_that_was_interrupted(stage: Stage, tmp_path: Path) -> None:
    load = config(workload(objects(count=20), objects("vm-ephemeral.yaml", 3), iterationCount=2))
    result, folder = await run(tmp_path, load, interrupt_in=stage)
    assert result.outcome is RunOutcome.INTERRUPTED
    assert_told_the_same(result, folder)


@pytest.mark.parametrize("of", ["objects", "namespaces"])
@pytest.mark.parametrize("stage", [None, Stage.PAUSING])
async def test_of_churn(tmp_path: Path, of: str, stage: Stage | None) -> None:
    churn = {"share": "50%", "rounds": 3, "interval": "10ms", "of": of}
    load = workload(
        objects(count=6),
        objects("vm-ephemeral.yaml", 4),
        iterationCount=2,
        namespacedIterations=True,
        churn=churn,
    )
    del load["iterationCleanup"], load["iterationDeletionWait"]
    result, folder = await run(tmp_path, config(load, seed=1), interrupt_in=stage)
    if stage is None:
        assert result.accounts == Accounts(requested=50, created=50, ready=50, deleted=30)
    assert_told_the_same(result, folder)

"""Churn: what is replaced is counted, measured apart, named anew, and gone at the end."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from clusters import CONFIGMAPS, ClusterUnderTest, MemorySink
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.config import Config
from perfscale.engine import RunOptions
from perfscale.engine.events import RoundStarted, Stage, StageStarted
from perfscale.results import Accounts, RunFolder, RunOutcome, rebuild_results
from perfscale.results.pages import write_page
from perfscale.templates import TemplateDefaults

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: map-{{ iteration }}-{{ replica }}
"""
VMI = "VirtualMachineInstance"
VM = "VirtualMachine"


def churning(rounds: int = 3, **keys: Any) -> Config:
    return config(
        workload(
            objects(count=16),
            objects("vm-ephemeral.yaml", 4),
            churn={"share": "25%", "rounds": rounds, "interval": "10ms"},
            **keys,
        ),
        seed=4,
    )


async def test_each_round_replaces_as_many_as_were_asked_for_and_uses_no_name_again(
    cluster: ClusterUnderTest,
) -> None:
    sink = MemorySink()
    result = await cluster.run(churning(), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.accounts == Accounts(requested=35, created=35, ready=35, deleted=35)
    assert Counter(each.round for each in sink.objects) == {None: 20, 1: 5, 2: 5, 3: 5}
    replaced = Counter(each.replaced_in for each in sink.objects)
    assert replaced == {None: 20, 1: 5, 2: 5, 3: 5}
    for each in sink.objects:
        assert each.round is None or each.replaced_in is None or each.round < each.replaced_in
    names = [(each.kind, each.name) for each in sink.objects]
    assert len(set(names)) == len(names)
    assert len({each.uid for each in sink.objects}) == len(names)
    vms = {each.uid: each for each in sink.objects if each.kind == VM}
    for child in sink.children:
        owner = vms[child.owner_uid]
        assert (child.round, child.replaced_in) == (owner.round, owner.replaced_in)
    assert await cluster.left_of(result.run_id) == {}


async def test_latencies_of_the_first_objects_and_of_churn_stand_apart(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    async with load_generator(
        churning(),
        cluster=simulated.options,
        results=RunFolder(tmp_path / "run"),
        options=RunOptions(defaults=TemplateDefaults()),
    ) as generator:
        result = await generator.run()
    (load,) = result.workloads
    first = {VMI: 16, VM: 4}
    for kind, count in first.items():
        measured = load.kinds[kind]
        assert measured.phases["Ready"].count == count
        churn = measured.churn
        assert churn is not None
        anew = measured.accounts.requested - count
        assert churn.phases["Ready"].count == churn.deletion.count == anew
        assert sum(each.ready.count for each in churn.rounds) == anew
        assert sum(each.deletion.count for each in churn.rounds) == anew
        # The others were deleted by the cleanup.
        assert measured.deletion.count == count
    assert sum(kind.accounts.requested for kind in load.kinds.values()) == 20 + 15
    folder = (tmp_path / "run" / "latest").resolve()
    page = write_page(folder).read_text()
    assert 'id="churn"' in page
    for row in (
        "of the first objects",
        "ready, in round 1<",
        "ready, in round 3<",
        "gone, in round 3",
    ):
        assert row in page
    assert "VirtualMachine by round of churn" in page
    # The journal says the same.
    lines = sorted((folder / "objects.ndjson").read_text().splitlines())
    for name in ("summary.json", "objects.ndjson"):
        (folder / name).unlink()
    rebuilt = rebuild_results(folder).result
    (again,) = rebuilt.workloads
    assert rebuilt.accounts == result.accounts
    assert sorted((folder / "objects.ndjson").read_text().splitlines()) == lines
    for kind in first:
        assert again.kinds[kind].churn == load.kinds[kind].churn
        assert again.kinds[kind].phases == load.kinds[kind].phases


async def test_the_same_seed_replaces_the_same_objects(simulated: ClusterUnderTest) -> None:
    drawn = []
    for _ in range(2):
        sink = MemorySink()
        await simulated.run(churning(2, iterationCount=1), sink=sink)
        drawn.append({(each.name, each.replaced_in) for each in sink.objects})
    assert drawn[0] == drawn[1]


async def test_objects_of_all_iterations_are_replaced_where_they_were(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    maps = template(tmp_path, CONFIGMAP)
    load = workload(
        objects(maps, 3),
        iterationCount=4,
        namespacedIterations=True,
        churn={"count": 6, "rounds": 5},
    )
    del load["iterationCleanup"], load["iterationDeletionWait"]
    sink = MemorySink()
    result = await simulated.run(config(load, seed=1), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.accounts == Accounts(requested=42, created=42, ready=42, deleted=30)
    for each in sink.objects:
        assert each.namespace == f"density-{each.iteration}"
        assert each.name == f"map-{each.iteration}-{each.replica}"
    assert len({(each.namespace, each.name) for each in sink.objects}) == 42
    for iteration in result.workloads[0].iterations:
        assert iteration.accounts.balanced
    assert len((await simulated.left_of(result.run_id))[CONFIGMAPS.plural]) == 12
    await simulated.empty()


async def test_whole_iterations_are_replaced_with_their_namespaces(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    maps = template(tmp_path, CONFIGMAP)
    load = workload(
        objects(maps, 3),
        iterationCount=4,
        namespacedIterations=True,
        churn={"share": "50%", "rounds": 3, "of": "namespaces"},
    )
    del load["iterationCleanup"], load["iterationDeletionWait"]
    sink = MemorySink()
    result = await simulated.run(config(load, seed=1), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.accounts == Accounts(requested=30, created=30, ready=30, deleted=18)
    assert (result.namespaces.created, result.namespaces.deleted) == (10, 6)
    assert Counter(each.round for each in sink.objects) == {None: 12, 1: 6, 2: 6, 3: 6}
    assert len({(each.namespace, each.name) for each in sink.objects}) == 30
    (measured,) = result.workloads[0].kinds.values()
    assert measured.churn is not None
    assert [each.ready.count for each in measured.churn.rounds] == [6, 6, 6]
    assert [each.deletion.count for each in measured.churn.rounds] == [6, 6, 6]
    assert measured.phases["Ready"].count == 12
    await simulated.empty()


@pytest.mark.parametrize(
    ("iterations", "others", "expected", "namespaces"),
    [
        # Groups of 2, each with 2 maps of all iterations and 3 that both share; one in a round.
        (4, True, 4 * 2 + 2 * 3 + 2 * (2 * 2 + 3), 4 + 2 * 2),
        # Of the last iteration no other shares the objects, wherever it is replaced.
        (1, True, 5 + 2 * 5, 1 + 2),
        (4, False, 2 * 3 + 2 * 3, 4 + 2 * 2),
    ],
)
async def test_iterations_that_share_objects_are_replaced_together(
    simulated: ClusterUnderTest,
    tmp_path: Path,
    iterations: int,
    others: bool,
    expected: int,
    namespaces: int,
) -> None:
    shared = template(tmp_path, CONFIGMAP.replace("map-", "shared-"), name="shared.yaml")
    load = workload(
        *([objects(template(tmp_path, CONFIGMAP), 2)] if others else []),
        {**objects(shared, 3), "everyIterations": 2},
        iterationCount=iterations,
        namespacedIterations=True,
        churn={"count": 1, "rounds": 2, "of": "namespaces"},
    )
    del load["iterationCleanup"], load["iterationDeletionWait"]
    sink = MemorySink()
    result = await simulated.run(config(load, seed=1), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.accounts.requested == result.accounts.ready == expected
    assert result.namespaces.created <= namespaces
    numbers = {each.iteration for each in sink.objects if each.name.startswith("shared-")}
    assert all(number % 2 == 1 for number in numbers)
    await simulated.empty()


@pytest.mark.parametrize(
    "stage",
    [
        Stage.DELETING,
        Stage.WAITING_GONE,
        Stage.CREATING,
        Stage.WAITING_READY,
        Stage.PAUSING,
    ],
)
@pytest.mark.parametrize("of", ["objects", "namespaces"])
async def test_an_interrupt_in_a_round_leaves_nothing(
    simulated: ClusterUnderTest, stage: Stage, of: str
) -> None:
    load = workload(
        objects(count=6),
        objects("vm-ephemeral.yaml", 3),
        iterationCount=3,
        namespacedIterations=True,
        churn={"share": "50%", "rounds": 4, "interval": "10ms", "of": of},
    )
    del load["iterationCleanup"], load["iterationDeletionWait"]
    async with simulated.generator(config(load)) as generator:

        async def interrupt() -> None:
            async for event in generator.events():
                if isinstance(event, StageStarted) and (event.stage, event.round) == (stage, 2):
                    generator.interrupt(signal.SIGINT)

        listening = asyncio.create_task(interrupt())
        await asyncio.sleep(0)
        result = await generator.run()
        await listening
    assert result.exit_code == 130
    assert result.accounts.balanced
    assert (result.accounts.failed, result.accounts.leftover) == (0, 0)
    assert result.accounts.deleted == result.accounts.created
    assert await simulated.left_of(result.run_id) == {}


async def test_no_round_follows_one_in_which_an_object_failed(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    maps = template(tmp_path, CONFIGMAP)
    load = workload(
        objects(maps, 8),
        churn={"count": 2, "rounds": 50, "interval": "200ms"},
        maxWaitTimeout="20s",
    )
    async with simulated.generator(config(load, seed=1)) as generator:
        rounds = 0

        async def meddle() -> None:
            nonlocal rounds
            async for event in generator.events():
                if isinstance(event, RoundStarted):
                    rounds = event.round
                if isinstance(event, StageStarted) and event.stage is Stage.PAUSING and rounds == 1:
                    (name, *_) = await simulated.names(CONFIGMAPS, namespace="density-1")
                    await simulated.client.delete(CONFIGMAPS, "density-1", name)

        listening = asyncio.create_task(meddle())
        await asyncio.sleep(0)
        result = await generator.run()
        await listening
    assert result.exit_code == 1
    assert rounds < 10
    assert any("somebody else deleted it" in problem for problem in result.problems)
    assert result.accounts.failed == 1
    assert result.accounts.balanced
    assert await simulated.left_of(result.run_id) == {}


async def test_churn_in_the_background_goes_on_beside_another_load(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    maps = template(tmp_path, CONFIGMAP)
    result = await simulated.run(
        config(
            workload(
                objects(count=10),
                name="steady",
                background=True,
                churn={"count": 2, "rounds": 4},
            ),
            workload(objects(maps, 20), name="maps", iterationCount=2),
            seed=1,
        )
    )
    assert result.outcome is RunOutcome.PASSED, result.problems
    steady, others = result.workloads
    assert steady.accounts == Accounts(requested=18, created=18, ready=18, deleted=18)
    assert others.accounts == Accounts(requested=40, created=40, ready=40, deleted=40)
    assert others.kinds["ConfigMap"].churn is None

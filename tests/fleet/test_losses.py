"""A generator that is lost takes the run with it, and what it has left is counted and deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from clusters import VMIS, ClusterUnderTest
from operation_load import on
from several_generators import coordinator, kill_generator_1, let_generator_1_send
from workloads import config, objects, template, workload

from perfscale.config import Config
from perfscale.config.labels import SHARD_LABEL
from perfscale.engine.events import Progress
from perfscale.engine.sharding.coordination import Moment
from perfscale.fleet.inprocess import InProcess
from perfscale.fleet.messages import Arrived, Published
from perfscale.results import (
    ChangeEntry,
    ObjectEntry,
    OperationAccounts,
    RunFolder,
    RunOutcome,
    Validity,
    rebuild_results,
)


async def test_a_lost_generator_fails_the_run_by_name_and_everything_is_deleted(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    load = config(workload(objects(count=200), qps=40, burst=1))
    transport, sink = InProcess(), RunFolder(tmp_path / "results")
    async with coordinator(cluster, load, 2, sink=sink, transport=transport) as running:
        events = running.events()
        task = asyncio.create_task(running.run())
        lost = False
        async for event in events:
            if isinstance(event, Progress) and event.created >= 10 and not lost:
                lost = True
                transport.kill(1)
        result = await task
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    assert "generator 1 (task 1) was lost: its task was cancelled" in result.problems[0]
    assert result.accounts.balanced
    assert result.accounts.requested == 200
    # What neither its messages nor the cluster have shown was not created; but for a create without
    # an answer.
    assert result.accounts.not_attempted > 100
    assert result.accounts.unknown == result.accounts.failed
    # It is gone, and nobody has seen it go.
    assert result.accounts.leftover == 0
    assert result.accounts.deleted == result.accounts.created
    assert any(each.kind == VMIS.kind for each in result.blind_spans)
    assert result.generator is not None
    assert result.generator.verdict is Validity.GENERATOR_LOST
    assert any("generator 1 (task 1) was lost" in each for each in result.generator.reasons)
    assert await cluster.left_of(result.run_id) == {}
    assert sink.path is not None
    (sink.path / "summary.json").unlink()
    assert rebuild_results(sink.path).result.accounts == result.accounts


async def test_objects_of_which_a_lost_generator_has_said_nothing_are_counted_as_lost(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = config(workload(objects(count=200), qps=40, burst=1))
    transport = InProcess()
    silent = False

    def say_nothing(message: Any) -> Any:
        return None if silent and isinstance(message, Published) else message

    let_generator_1_send(monkeypatch, say_nothing)
    async with coordinator(cluster, load, 2, transport=transport) as running:
        events = running.events()
        task = asyncio.create_task(running.run())
        at_silence = 0
        lost = False
        async for event in events:
            if not isinstance(event, Progress) or lost:
                continue
            if event.created >= 10 and not silent:
                silent, at_silence = True, event.created
            elif silent and event.created >= at_silence + 10:
                lost = True
                transport.kill(1)
        result = await task
    assert result.outcome is RunOutcome.FAILED
    accounts = result.accounts
    assert accounts.balanced
    assert accounts.requested == 200
    assert accounts.lost > 0
    assert await cluster.left_of(result.run_id) == {}


async def test_objects_of_an_iteration_that_a_lost_generator_never_spoke_of_are_lost_too(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    load = config(workload(objects(count=200), qps=40, burst=1))
    transport, sink = InProcess(), RunFolder(tmp_path / "results")
    let_generator_1_send(monkeypatch, lambda each: None if isinstance(each, Published) else each)
    async with coordinator(cluster, load, 2, sink=sink, transport=transport) as running:
        events = running.events()
        task = asyncio.create_task(running.run())
        there: list[str] = []
        async for event in events:
            if isinstance(event, Progress) and event.created >= 10 and not there:
                there = await cluster.names(VMIS, selector=f"{SHARD_LABEL}=1")
                transport.kill(1)
        result = await task
    accounts = result.accounts
    assert accounts.balanced
    assert accounts.requested == 200
    assert accounts.lost >= len(there) > 0
    (iteration,) = result.workloads[0].iterations
    assert iteration.accounts == accounts
    assert await cluster.left_of(result.run_id) == {}
    assert sink.path is not None
    (sink.path / "summary.json").unlink()
    assert rebuild_results(sink.path).result.accounts == accounts


def gets(directory: Path, count: int) -> Config:
    """Objects, and a get of each, at a rate."""
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'map-{{ replica }}'}\n"
    kept = {"iterationCleanup": False, "iterationDeletionWait": False}
    made = workload(objects(template(directory, text), count), name="maps", **kept)
    return config(made, on("maps", "get", qps=40, burst=1), cleanup=True)


async def test_of_operations_only_those_of_the_lost_generator_are_unknown(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    transport, sink = InProcess(), RunFolder(tmp_path / "results")
    load = gets(tmp_path, 200)
    async with coordinator(cluster, load, 2, sink=sink, transport=transport) as running:
        result = await kill_generator_1(running, transport, at=10)
    (operation,) = result.operations
    accounts = operation.accounts
    assert accounts.balanced
    assert accounts.requested == 200
    assert accounts.done >= 10
    # Each of them was to send a hundred, and had sent some; what the other had not it says.
    assert 0 < accounts.unknown < 100 < accounts.not_attempted
    assert sink.path is not None
    (sink.path / "summary.json").unlink()
    assert rebuild_results(sink.path).result.operations == result.operations


async def test_of_operations_that_nobody_could_begin_none_are_unknown(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    transport = InProcess()

    def lose_before_load(message: Any) -> Any:
        if isinstance(message, Arrived) and message.barrier.moment == Moment.LOAD:
            transport.kill(1)
            return None
        return message

    let_generator_1_send(monkeypatch, lose_before_load)
    async with coordinator(cluster, gets(tmp_path, 20), 2, transport=transport) as running:
        result = await running.run()
    (operation,) = result.operations
    assert operation.accounts == OperationAccounts(requested=20, not_attempted=20)
    assert result.exit_code == 1


def _without_answers(entries: list[Any]) -> list[Any]:
    """What a generator says of its objects, as if no create had been answered."""
    kept = ("n", "i", "kind", "namespace", "name", "replica", "scheduled_s", "admitted_s", "sent_s")
    return [
        ObjectEntry(**{name: getattr(each, name) for name in kept})
        if isinstance(each, ObjectEntry)
        else each
        for each in entries
        if isinstance(each, ObjectEntry) or not isinstance(each, ChangeEntry)
    ]


async def test_a_create_without_an_answer_counts_as_created_if_the_object_is_there(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = config(workload(objects(count=200), qps=40, burst=1))
    transport = InProcess()

    def forget_answers(message: Any) -> Any:
        if isinstance(message, Published):
            return Published(_without_answers(message.entries))
        return message

    let_generator_1_send(monkeypatch, forget_answers)
    async with coordinator(cluster, load, 2, transport=transport) as running:
        events = running.events()
        task = asyncio.create_task(running.run())
        async for event in events:
            if isinstance(event, Progress) and event.created >= 10:
                transport.kill(1)
                break
        result = await task
    accounts = result.accounts
    assert accounts.balanced
    assert accounts.failed == accounts.unknown <= 1  # one may be on its way
    assert accounts.leftover == 0
    assert accounts.unready > 0
    assert accounts.deleted == accounts.created
    assert await cluster.left_of(result.run_id) == {}

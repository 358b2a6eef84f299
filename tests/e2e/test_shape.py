"""Loads whose rate moves, that come at random or end by their time: what was due was requested."""

from __future__ import annotations

import asyncio
import random
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest, MemorySink
from faulty_runs import faulty_run
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.engine import RunOptions
from perfscale.engine.events import Progress, Stage
from perfscale.results import (
    Accounts,
    ObjectRecord,
    RunFolder,
    RunOutcome,
    RunResult,
    rebuild_results,
)
from perfscale.templates import TemplateDefaults

pytestmark = pytest.mark.virtual_time

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: map-{{ iteration }}-{{ replica }}-{{ kind }}
"""


@pytest.fixture
def maps(tmp_path: Path) -> str:
    return template(tmp_path, CONFIGMAP)


def of_kind(maps: str, count: int, kind: str = "a", **keys: Any) -> Any:
    return {**objects(maps, count, kind=kind), **keys}


def due_of(sink: MemorySink) -> list[float]:
    """When each was due, counted from the first; none was sent before."""
    times = sorted(check_sent(record) for record in sink.objects)
    return [at_s - times[0] for at_s in times]


def check_sent(record: ObjectRecord) -> float:
    assert record.scheduled_s is not None
    assert record.sent_s is not None
    assert record.sent_s >= record.scheduled_s - 1e-6
    return record.scheduled_s


async def test_stages_request_what_their_line_says_and_no_more(
    cluster: ClusterUnderTest, maps: str
) -> None:
    stages = [{"duration": "1s", "qps": 40}, {"duration": "0.5s", "qps": 40}]
    sink = MemorySink()
    result = await cluster.run(config(workload(of_kind(maps, 1000), stages=stages)), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    # On a busy machine the last may be too late: they are due, and not sent any more.
    missed = result.accounts.not_attempted
    sent = 40 - missed
    assert sent > 1
    assert result.accounts == Accounts(
        requested=40, created=sent, ready=sent, deleted=sent, not_attempted=missed
    )
    due = due_of(sink)
    wanted = [(n / 20) ** 0.5 for n in range(1, 21)] + [1 + n / 40 for n in range(1, 21)]
    assert due == pytest.approx([at_s - wanted[0] for at_s in wanted[:sent]], abs=1e-5)
    rate = result.workloads[0].rate
    assert rate.offered == rate.target == pytest.approx((sent - 1) / due[-1], rel=1e-4)


async def test_random_arrivals_are_those_of_the_seed_which_the_results_name(
    simulated: ClusterUnderTest, maps: str
) -> None:
    sink = MemorySink()
    load = workload(of_kind(maps, 60), qps=60, arrival="poisson")
    result = await simulated.run(config(load, seed=7), sink=sink)
    chance = random.Random("7/density/arrival")
    wanted = list(accumulate(chance.expovariate(1.0) / 60 for _ in range(60)))
    assert due_of(sink) == pytest.approx([at_s - wanted[0] for at_s in wanted], abs=1e-5)
    assert result.info.seed == 7
    assert "seed: 7" in result.info.workload_yaml
    assert result.accounts == Accounts(requested=60, created=60, ready=60, deleted=60)


async def test_without_a_seed_the_results_name_the_one_that_was_drawn(
    simulated: ClusterUnderTest, maps: str
) -> None:
    result = await simulated.run(config(workload(of_kind(maps, 1))))
    assert f"seed: {result.info.seed}\n" in result.info.workload_yaml


async def test_what_a_load_did_not_have_to_request_by_its_end_was_never_requested(
    simulated: ClusterUnderTest, maps: str, tmp_path: Path
) -> None:
    load = workload(
        of_kind(maps, 15),
        of_kind(maps, 1000, "b"),
        qps=20,
        burst=1,
        duration="1s",
        iterationCount=2,
    )
    async with load_generator(
        config(load),
        cluster=simulated.options,
        results=RunFolder(tmp_path / "run"),
        options=RunOptions(defaults=TemplateDefaults()),
    ) as generator:
        plan = await generator.preflight()
        assert plan.workloads[0].objects == {"ConfigMap": 40}
        result = await generator.run()
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.accounts.balanced
    assert result.accounts.requested == result.accounts.deleted
    assert 38 <= result.accounts.requested <= 40  # the second finds the bucket of the first
    assert result.accounts.not_attempted == 0
    folder = (tmp_path / "run" / "latest").resolve()
    for name in ("summary.json", "objects.ndjson"):
        (folder / name).unlink()
    assert rebuild_results(folder).result.accounts == result.accounts


async def test_what_is_published_of_a_load_with_an_end_is_what_it_had_to_request(
    simulated: ClusterUnderTest, maps: str
) -> None:
    load = workload(of_kind(maps, 1000), qps=20, burst=1, duration="1s", workloadCreationWait=True)
    async with simulated.generator(config(load)) as generator:
        events = generator.events()
        result = await generator.run()
        published = [each async for each in events if isinstance(each, Progress)]
    assert result.outcome is RunOutcome.PASSED, result.problems
    before = {each.requested for each in published if each.stage is Stage.PREPARING}
    after = {each.requested for each in published if each.stage is Stage.WAITING_READY}
    assert before == {20}  # so many at most
    assert after == {result.accounts.requested}


async def test_of_a_load_that_is_interrupted_what_was_not_due_by_then_was_never_requested(
    simulated: ClusterUnderTest, maps: str
) -> None:
    load = workload(of_kind(maps, 5000), qps=40, burst=1, duration="60s")
    async with simulated.generator(config(load)) as generator:

        async def interrupt() -> None:
            async for event in generator.events():
                if isinstance(event, Progress) and event.created >= 10:
                    generator.interrupt()
                    return

        interrupting = asyncio.create_task(interrupt())
        await asyncio.sleep(0)
        result = await generator.run()
        await interrupting
    assert result.accounts.balanced
    assert result.accounts.not_attempted == 0
    assert 10 <= result.accounts.requested < 2000
    assert await simulated.left_of(result.run_id) == {}


async def test_objects_come_in_the_iterations_that_the_file_says(
    simulated: ClusterUnderTest, maps: str
) -> None:
    load = workload(
        of_kind(maps, 2),
        of_kind(maps, 3, "once", once=True),
        of_kind(maps, 1, "some", everyIterations=2),
        iterationCount=4,
    )
    result = await simulated.run(config(load))
    check_iterations(result, [6, 2, 3, 2])


def check_iterations(result: RunResult, counts: list[int]) -> None:
    assert result.outcome is RunOutcome.PASSED, result.problems
    (load,) = result.workloads
    assert [each.accounts.requested for each in load.iterations] == counts
    assert result.accounts.requested == result.accounts.deleted == sum(counts)


async def test_no_more_of_a_workload_are_in_flight_than_it_says(
    simulated: ClusterUnderTest, maps: str
) -> None:
    seen: list[int] = []
    async with simulated.generator(
        config(workload(of_kind(maps, 200), maxInFlight=3))
    ) as generator:

        async def listen() -> None:
            events = generator.events()
            seen.extend([each.in_flight async for each in events if isinstance(each, Progress)])

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        result = await generator.run()
        await listening
    assert max(seen) <= 3
    assert result.generator is not None
    assert result.generator.vitals.in_flight.max == 3


async def test_what_a_load_has_missed_is_not_waited_for(
    tmp_path: Path, maps: str, generators: int | None
) -> None:
    each = generators or 1  # so that all of them are held up by one request
    shape: Any = {"qps": 40, "burst": 1, "duration": "300ms", "maxInFlight": each}
    load = workload(of_kind(maps, 20), **shape, iterationCleanup=False)
    del load["iterationDeletionWait"]
    slow = {"fault": "slow", "delay": "2s", "verbs": ["create"], "resources": ["configmaps"]}
    async with faulty_run(tmp_path, config(load), requests=[{**slow, "times": each}]) as run:
        result = run.result
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.accounts.balanced
    assert result.accounts.not_attempted > 0
    assert result.accounts.ready == result.accounts.created > 0

"""A run that is interrupted, cancelled or broken leaves nothing behind."""

import asyncio
import signal
from pathlib import Path

import pytest
from clusters import ClusterUnderTest, MemorySink
from moments import MOMENTS, AtMoment, Moment
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.config.labels import run_labels
from perfscale.engine import RunOptions
from perfscale.engine.events import Stage
from perfscale.errors import PreflightError, TemplateError
from perfscale.kube.resources import NAMESPACES
from perfscale.results import RunFolder, RunOutcome
from perfscale.templates import TemplateDefaults

LOAD = config(
    workload(
        objects(count=20),
        objects("vm-ephemeral.yaml", 5),
        objects("vmirs-ephemeral.yaml", 2, vmis=3),
        qps=200,
        burst=5,
        iterationCount=2,
    )
)


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
async def test_an_interrupt_at_any_moment_leaves_nothing(
    cluster: ClusterUnderTest, moment: Moment, at_moment: AtMoment
) -> None:
    sink = MemorySink()
    async with cluster.generator(LOAD, sink=sink) as generator:
        at_moment(moment, lambda: generator.interrupt(signal.SIGTERM))
        result = await generator.run()
    assert result.outcome is RunOutcome.INTERRUPTED
    assert result.exit_code == 143
    assert await cluster.left_of(result.run_id) == {}
    assert not result.remains
    assert result.accounts.balanced
    assert result.accounts.leftover == 0
    assert result.accounts.deleted == result.accounts.created
    assert sink.result is result


@pytest.mark.parametrize(
    "moment", ["in the middle of the creates", "in the middle of the deletion wait"]
)
async def test_cancellation_cleans_up_and_is_raised(
    cluster: ClusterUnderTest, moment: str, at_moment: AtMoment
) -> None:
    async with cluster.generator(LOAD) as generator:
        running = asyncio.create_task(generator.run())
        at_moment(MOMENTS[moment], running.cancel)
        with pytest.raises(asyncio.CancelledError):
            await running
        assert generator.result is not None
        assert generator.result.outcome is RunOutcome.INTERRUPTED
    assert await cluster.left_of(generator.run_id) == {}


async def test_a_second_cancellation_stops_at_once_and_still_gives_a_result(
    cluster: ClusterUnderTest, at_moment: AtMoment
) -> None:
    async with cluster.generator(LOAD) as generator:
        running = asyncio.create_task(generator.run())
        at_moment(Moment(Stage.CLEANING_UP), running.cancel)
        at_moment(MOMENTS["at the creation wait"], running.cancel)
        with pytest.raises(asyncio.CancelledError):
            await running
        assert generator.result is not None
        assert generator.result.accounts.balanced
        assert generator.result.remains
    await cluster.empty()


async def test_what_is_said_to_have_failed_is_what_the_accounts_count(
    simulated: ClusterUnderTest, at_moment: AtMoment
) -> None:
    """Creates that are in flight at the interrupt are answered after their iteration's end."""
    load = config(workload(objects(count=60)))
    async with simulated.generator(load) as generator:
        at_moment(MOMENTS["in the middle of the creates"], generator.interrupt)
        result = await generator.run()
    assert result.accounts.created > 6
    assert result.accounts.failed == 0
    assert not [problem for problem in result.problems if "failed" in problem]


async def test_with_keep_an_interrupt_deletes_nothing(
    cluster: ClusterUnderTest, at_moment: AtMoment
) -> None:
    options = RunOptions(keep=True, defaults=TemplateDefaults())
    load = config(workload(objects(count=10)))
    async with cluster.generator(load, options=options) as generator:
        at_moment(MOMENTS["at the creation wait"], generator.interrupt)
        result = await generator.run()
    assert result.exit_code == 130
    assert result.remains
    assert len((await cluster.left_of(result.run_id))["virtualmachineinstances"]) == 10


async def test_the_results_of_an_interrupted_run_are_written(
    simulated: ClusterUnderTest, tmp_path: Path, at_moment: AtMoment
) -> None:
    folder = RunFolder(tmp_path / "results")
    async with load_generator(LOAD, cluster=simulated.options, results=folder) as generator:
        at_moment(MOMENTS["at the creation wait"], generator.interrupt)
        await generator.run()
    assert folder.path is not None
    assert {path.name for path in folder.path.iterdir()} >= {
        "run.json", "workload.yaml", "objects.ndjson", "summary.json",
    }  # fmt: skip


async def test_an_interrupt_before_the_run_creates_nothing(simulated: ClusterUnderTest) -> None:
    async with simulated.generator(LOAD) as generator:
        generator.interrupt(signal.SIGTERM)
        result = await generator.run()
    assert result.exit_code == 143
    assert result.accounts.created == 0
    assert not result.remains


async def test_a_namespace_that_another_run_takes_after_the_preflight_ends_the_run(
    simulated: ClusterUnderTest,
) -> None:
    async with simulated.generator(LOAD) as generator:
        await generator.preflight()
        await simulated.create_namespace("density-1", run_labels("another", "density", 1))
        result = await generator.run()
    assert result.exit_code == 2
    assert "belongs to run another" in result.problems[0]
    assert result.accounts.created == 0
    assert "density-1" in await simulated.names(NAMESPACES)


async def test_results_that_cannot_be_written_stop_the_run_before_anything_is_created(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = RunFolder(tmp_path / "file")
    async with load_generator(LOAD, cluster=simulated.options, results=folder) as generator:
        events = generator.events()
        with pytest.raises(PreflightError, match="cannot be written"):
            await generator.run()
        assert [event async for event in events] == []
    assert "density-1" not in await simulated.names(NAMESPACES)


async def test_keep_says_so_where_iterations_would_need_the_cleanup(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\n"
    load = config(workload(objects(template(tmp_path, text), 1), iterationCount=2))
    options = RunOptions(keep=True, defaults=TemplateDefaults())
    with pytest.raises(TemplateError) as caught:
        async with simulated.generator(load, options=options):
            pass
    assert "--keep" in (caught.value.hint or "")

"""Hooks: commands that run at certain moments of a run, and never outlive it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest, MemorySink
from moments import MOMENTS, AtMoment, Moment
from processes import lives, written
from under_test import load_generator
from workloads import config, objects, workload

from perfscale.engine import RunOptions
from perfscale.engine.events import HookFinished, HookStarted
from perfscale.errors import PreflightError
from perfscale.results import RunFolder, RunOutcome, rebuild_results
from perfscale.templates import TemplateDefaults

EVERY = (
    "beforeRun",
    "beforeWorkload",
    "beforeIteration",
    "afterCreation",
    "afterReady",
    "beforeCleanup",
    "afterIteration",
    "afterWorkload",
    "afterRun",
)
APPEND = """
import os, sys
with open(sys.argv[1], "a") as file:
    known = ("HOOK", "WORKLOAD", "ITERATION")
    print(*(os.environ.get(f"PERFSCALE_{name}", "-") for name in known), file=file)
"""


def hook(when: str, *command: str | Path, **keys: Any) -> dict[str, Any]:
    return {"when": when, "run": [str(each) for each in command], **keys}


def noted(when: str, log: Path, **keys: Any) -> dict[str, Any]:
    """A hook that writes down when it ran, and for what."""
    return hook(when, sys.executable, "-c", APPEND, log, **keys)


async def test_every_moment_comes_in_its_turn(simulated: ClusterUnderTest, tmp_path: Path) -> None:
    log = tmp_path / "log"
    hooks = [noted(when, log) for when in EVERY]
    load = config(workload(objects(count=2), iterationCount=2), hooks=hooks)
    result = await simulated.run(load)
    assert result.outcome is RunOutcome.PASSED
    iteration = [f"{when} density {{}}" for when in EVERY[2:7]]
    assert log.read_text().splitlines() == [
        "beforeRun - -",
        "beforeWorkload density -",
        *(line.format(number) for number in (1, 2) for line in iteration),
        "afterWorkload density -",
        "afterRun - -",
    ]


async def test_hooks_of_a_workload_are_inside_of_those_of_the_run(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    own = [hook(when, "sh", "-c", f"echo own {when} >> {log}") for when in EVERY[1:3]]
    own += [hook("afterIteration", "sh", "-c", f"echo own afterIteration >> {log}")]
    everywhere = [
        hook(when, "sh", "-c", f"echo all {when} >> {log}")
        for when in ("beforeWorkload", "afterIteration")
    ]
    await simulated.run(config(workload(objects(count=1), hooks=own), hooks=everywhere))
    assert log.read_text().splitlines() == [
        "all beforeWorkload",
        "own beforeWorkload",
        "own beforeIteration",
        "own afterIteration",
        "all afterIteration",
    ]


async def test_what_hooks_printed_and_when_is_in_the_results(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    hooks = [
        hook("afterReady", "sh", "-c", "echo $PERFSCALE_RUN_ID; head -c 2000000 /dev/zero"),
        hook("afterRun", "sh", "-c", "exit 4", onFailure="warn"),
    ]
    sink = RunFolder(tmp_path / "results")
    load = config(workload(objects(count=1)), hooks=hooks)
    options = RunOptions(defaults=TemplateDefaults())
    async with load_generator(
        load, cluster=simulated.options, results=sink, options=options
    ) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.PASSED
    assert sink.path is not None
    printed = (sink.path / "hooks" / "1-afterReady.log").read_bytes()
    assert printed.startswith(result.run_id.encode())
    assert len(printed) == 2**20
    first, second = json.loads((sink.path / "summary.json").read_text())["hooks"]
    assert (first["exitCode"], first["problem"], first["iteration"]) == (0, None, 1)
    assert first["leftOut"] == 2_000_000 + len(result.run_id) + 1 - 2**20
    assert 0 < first["beganSeconds"] <= first["endedSeconds"] <= result.duration_s
    assert (second["exitCode"], second["problem"]) == (4, "it ended with exit code 4")
    assert rebuild_results(sink.path).result.hooks == result.hooks


async def test_a_hook_that_fails_aborts_the_run_and_everything_is_deleted(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    hooks = [hook("afterReady", "false"), noted("afterRun", log)]
    result = await simulated.run(config(workload(objects(count=3)), hooks=hooks))
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    hook_name = "hook afterReady of density, iteration 1 (false)"
    assert str(result.error) == f"{hook_name}: it ended with exit code 1"
    assert result.accounts.created == result.accounts.deleted == 3
    assert await simulated.left_of(result.run_id) == {}
    assert log.read_text() == "afterRun - -\n"


async def test_a_hook_before_the_run_that_fails_lets_nothing_be_created(
    simulated: ClusterUnderTest,
) -> None:
    hooks = [hook("beforeRun", "sleep", "1000", timeout="100ms")]
    result = await simulated.run(config(hooks=hooks))
    assert result.exit_code == 1
    assert "it was ended after 100ms" in str(result.error)
    assert result.accounts.created == 0


async def test_a_background_hook_that_fails_aborts_the_run(simulated: ClusterUnderTest) -> None:
    hooks = [hook("beforeRun", "false", background=True), hook("afterReady", "sleep", "1000")]
    result = await simulated.run(config(hooks=hooks))
    assert result.exit_code == 1
    assert "beforeRun (false): it ended with exit code 1" in str(result.error)
    assert await simulated.left_of(result.run_id) == {}


async def test_a_background_hook_that_cannot_begin_ends_no_run_before_its_cleanup(
    simulated: ClusterUnderTest,
) -> None:
    hooks = [hook("afterReady", sys.executable, "\0", background=True)]
    load = config(workload(objects(count=2), waitWhenFinished="10m"), hooks=hooks)
    result = await simulated.run(load)
    assert "null byte" in str(result.error)
    assert result.accounts.created == result.accounts.deleted == 2
    assert await simulated.left_of(result.run_id) == {}


async def test_a_background_hook_is_ended_with_the_run_and_that_is_no_failure(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    hooks = [hook("beforeRun", "sh", "-c", f"echo $$ > {pid}; exec sleep 1000", background=True)]
    result = await simulated.run(config(workload(objects(count=1)), hooks=hooks))
    assert result.outcome is RunOutcome.PASSED
    (record,) = result.hooks
    assert record.problem is None
    assert record.ended_s is not None
    assert not lives(int(pid.read_text()))


async def test_a_command_that_is_not_there_is_found_before_anything_is_created(
    simulated: ClusterUnderTest,
) -> None:
    load = config(workload(hooks=[hook("beforeIteration", "no-such-command")]))
    async with simulated.generator(load) as generator:
        with pytest.raises(PreflightError, match="no-such-command is not a command here"):
            await generator.run()


@pytest.mark.parametrize("when", ["beforeRun", *EVERY[2:8]])
async def test_an_interrupt_ends_the_hook_that_goes_on(
    when: str, simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    hooks = [
        hook(when, "sh", "-c", f"echo $$ > {pid}; echo {when}; exec sleep 1000"),
        hook("beforeRun", "sleep", "1000", background=True),
    ]
    sink = MemorySink()
    async with simulated.generator(config(hooks=hooks), sink=sink) as generator:
        task = asyncio.create_task(generator.run())
        number = int(await written(pid))
        generator.interrupt(signal.SIGTERM)
        result = await task
    assert result.exit_code == 143
    assert await simulated.left_of(result.run_id) == {}
    assert not lives(number)
    assert all(each.ended_s is not None for each in result.hooks)


async def test_events_tell_when_each_hook_begins_and_how_it_ends(
    simulated: ClusterUnderTest,
) -> None:
    hooks = [
        hook("beforeRun", "sleep", "1000", background=True),
        hook("afterReady", "sh", "-c", "exit 3", onFailure="warn"),
    ]
    async with simulated.generator(config(workload(objects(count=1)), hooks=hooks)) as generator:
        events = generator.events()
        await generator.run()
        seen = [each async for each in events if isinstance(each, HookStarted | HookFinished)]
    started = [each for each in seen if isinstance(each, HookStarted)]
    assert started == [
        HookStarted(1, "beforeRun", ("sleep", "1000"), background=True),
        HookStarted(2, "afterReady", ("sh", "-c", "exit 3"), "density", 1),
    ]
    ended = {each.number: each for each in seen if isinstance(each, HookFinished)}
    assert (ended[1].exit_code, ended[1].problem) == (None, None)
    assert (ended[2].exit_code, ended[2].problem) == (3, "it ended with exit code 3")
    assert ended[1].took_s > ended[2].took_s > 0


async def test_a_second_cancellation_kills_hooks_that_do_not_listen(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    pids = [tmp_path / "background", tmp_path / "other"]
    stubborn = [
        ["sh", "-c", f"trap '' TERM; echo $$ > {pid}; while :; do sleep 0.1; done"] for pid in pids
    ]
    hooks = [
        hook("beforeRun", *stubborn[0], background=True),
        hook("afterReady", *stubborn[1], timeout="1h"),
    ]
    async with simulated.generator(config(hooks=hooks)) as generator:
        task = asyncio.create_task(generator.run())
        numbers = [int(await written(pid)) for pid in pids]
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not any(map(lives, numbers))


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())
async def test_an_interrupt_at_any_moment_leaves_no_process(
    moment: Moment, simulated: ClusterUnderTest, at_moment: AtMoment
) -> None:
    hooks = [hook("beforeRun", "sleep", "1000", background=True), *(hook(w, "true") for w in EVERY)]
    load = config(workload(objects(count=8), iterationCount=2), hooks=hooks)
    async with simulated.generator(load) as generator:
        at_moment(moment, lambda: generator.interrupt(signal.SIGTERM))
        result = await generator.run()
    assert result.exit_code == 143
    assert await simulated.left_of(result.run_id) == {}
    assert all(each.ended_s is not None for each in result.hooks)

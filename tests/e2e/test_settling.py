"""Writing down tens of thousands of objects: nothing else is held up, and nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clusters import ClusterUnderTest, MemorySink
from workloads import config, objects, template, workload

from perfscale.config import Config
from perfscale.engine import RunOptions
from perfscale.results import Accounts, RunOutcome
from perfscale.templates import TemplateDefaults

COUNT = 500
SOME = 200
"""Records that may be written without giving way."""
ORDERLY = RunOptions(defaults=TemplateDefaults())
KEEP = RunOptions(keep=True, defaults=TemplateDefaults())


CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-{{ replica }}}\n"


def maps(directory: Path, **changes: Any) -> Config:
    """Many objects that cost little."""
    return config(workload(objects(template(directory, CONFIGMAP), COUNT), **changes))


class Noting(MemorySink):
    """Does something whenever records come."""

    def __init__(self, note: Callable[[int], object]) -> None:
        super().__init__()
        self._note = note

    def record(self, objects: Any, *, children: bool = False) -> None:
        super().record(objects, children=children)
        self._note(len(objects))


@pytest.mark.parametrize("options", [ORDERLY, KEEP], ids=["of an iteration", "of a run"])
async def test_while_the_records_are_written_others_have_their_turn(
    simulated: ClusterUnderTest, tmp_path: Path, options: RunOptions, generators: int | None
) -> None:
    turns = 0
    written: list[tuple[int, int]] = []

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(count_turns())
    sink = Noting(lambda count: written.append((turns, count)))
    try:
        result = await simulated.run(maps(tmp_path), sink=sink, options=options)
    finally:
        others.cancel()
    assert result.accounts.ready == len(sink.objects) == COUNT
    assert max(Counter(turn for turn, _ in written).values()) <= (generators or 1)
    assert max(count for _, count in written) <= SOME


async def test_an_interrupt_while_an_iteration_is_written_loses_no_record(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Noting(lambda _: generator.interrupt())
    async with simulated.generator(maps(tmp_path, iterationCount=2), sink=sink) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.INTERRUPTED
    assert result.accounts == Accounts(
        requested=2 * COUNT, created=COUNT, ready=COUNT, not_attempted=COUNT, deleted=COUNT
    )
    assert len({record.uid for record in sink.objects}) == len(sink.objects) == COUNT
    assert not result.remains


async def test_an_interrupt_of_a_run_that_is_over_changes_nothing(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Noting(lambda _: generator.interrupt())
    async with simulated.generator(maps(tmp_path), sink=sink, options=KEEP) as generator:
        result = await generator.run()
    assert (result.outcome, result.problems) == (RunOutcome.PASSED, ())
    assert result.accounts == Accounts(requested=COUNT, created=COUNT, ready=COUNT)
    assert len(sink.objects) == COUNT


async def test_a_cancellation_while_a_run_is_written_loses_no_record(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Noting(lambda _: running.cancel())
    async with simulated.generator(maps(tmp_path), sink=sink, options=KEEP) as generator:
        running = asyncio.create_task(generator.run())
        with pytest.raises(asyncio.CancelledError):
            await running
        result = generator.result
    assert result is not None
    assert result.accounts == Accounts(requested=COUNT, created=COUNT, ready=COUNT)
    assert len({record.uid for record in sink.objects}) == len(sink.objects) == COUNT

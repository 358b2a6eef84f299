"""What a run leaves in the process that it ran in, and what it keeps while it goes on."""

import asyncio
import gc
import signal
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from simulated_process import SimulatedProcess, simulated_process
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.config import Config
from perfscale.engine import LoadGenerator, RunOptions
from perfscale.engine.events import IterationFinished, Stage, StageStarted
from perfscale.engine.tracking.rows import TrackedObject
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import ObjectRecord, RunFolder, RunInfo, RunOutcome, RunResult
from perfscale.templates import TemplateDefaults

ITERATIONS, COUNT = 50, 40
TRACED_FROM, WARM = 5, 10
"""By then, all that a run always needs has been allocated, and once more while it is traced."""
SAMPLES = 22
"""Latencies of a VMI: creation, five phases as the client saw them and as the server
stamped them, four transitions, readiness, three milestones, two bounds on the watch's delay,
deletion."""
ITERATION_BYTES = 16_000
"""What is kept of an iteration, however many objects it had: its accounts, its
percentiles, and how the API server answered."""
REMEMBERED_BYTES = 400_000
"""What is remembered of timestamps and conditions, which many VMIs share: a bounded number of
them, with what was read from each."""
UNDER_WAY_BYTES = 250_000
"""What one of the two looks may find that the other does not: of the iteration that is
just over, its rows and what is not in the journal yet. A leak of rows would be millions."""

REFUSED = "apiVersion: v1\nkind: Pod\nmetadata: {name: empty}\nspec: {}\n"
"""A pod without containers."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[SimulatedProcess]:
    """In a process of its own, so that what it keeps is not in ours."""
    with simulated_process(tmp_path, speed=1000) as running:
        yield running


def generator(cluster: SimulatedProcess, load: Config, folder: Path) -> LoadGenerator:
    return load_generator(
        load,
        cluster=ClusterOptions(kubeconfig=str(cluster.kubeconfig)),
        results=RunFolder(folder),
        options=RunOptions(defaults=TemplateDefaults()),
    )


def tracked() -> Counter[str]:
    """The rows and records that are still there."""
    gc.collect()
    kinds = (TrackedObject, ObjectRecord)
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, kinds))


async def test_memory_does_not_grow_with_the_iterations(
    cluster: SimulatedProcess, tmp_path: Path, generators: int | None
) -> None:
    load = config(workload(objects(count=COUNT), iterationCount=ITERATIONS))
    sizes: dict[int, int] = {}
    async with generator(cluster, load, tmp_path / "results") as run:
        events = run.events()
        running = asyncio.create_task(run.run())
        async for event in events:
            if isinstance(event, IterationFinished):
                if event.iteration == TRACED_FROM:
                    tracemalloc.start()
                elif event.iteration in {WARM, ITERATIONS}:
                    assert tracked()[TrackedObject.__name__] <= COUNT
                    sizes[event.iteration] = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        result = await running
    assert result.accounts.deleted == ITERATIONS * COUNT
    kept = ITERATIONS - WARM
    # The arrays of samples grow by an eighth more than they need.
    samples = kept * COUNT * SAMPLES * 8 * 9 // 8
    holders = 1  # of an iteration; here the coordinator is in one process with its generators
    if generators is not None:
        holders, samples = 1 + generators, 2 * samples
    bound = samples + holders * kept * ITERATION_BYTES + REMEMBERED_BYTES + UNDER_WAY_BYTES
    assert sizes[ITERATIONS] - sizes[WARM] <= bound


def open_files() -> set[str]:
    """The numbers of this process's open files and sockets, with what they are."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that the folder is listed with
            found.add(f"{link.name} {link.readlink()}")
    return found


@pytest.mark.parametrize("end", ["passes", "fails", "interrupted", "cancelled"])
async def test_a_run_leaves_no_task_socket_file_or_row_behind(
    end: str, cluster: SimulatedProcess, tmp_path: Path
) -> None:
    members = [objects(count=30), objects("vm-ephemeral.yaml", 3)]
    if end == "fails":
        members.append(objects(template(tmp_path, REFUSED), 1))
    load = config(workload(*members), maxInFlight=8)
    before: set[str] = set()
    for _ in range(3):
        async with generator(cluster, load, tmp_path / "results") as run:
            events = run.events()
            running = asyncio.create_task(run.run())
            async for event in events:
                if isinstance(event, StageStarted) and event.stage is Stage.WAITING_READY:
                    if end == "interrupted":
                        run.interrupt(signal.SIGINT)
                    elif end == "cancelled":
                        running.cancel()
            await asyncio.wait([running])
        expected = {"passes": RunOutcome.PASSED, "fails": RunOutcome.FAILED}
        assert run.result is not None
        assert run.result.outcome is expected.get(end, RunOutcome.INTERRUPTED)
        del run, running, events, event
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert tracked() == {}
        before = before or open_files()
        assert open_files() == before


class RowCounter:
    """A sink that looks how many rows there are whenever it is given records."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def begin(self, info: RunInfo) -> None:
        """Nothing."""

    def record(
        self,
        objects: Iterable[ObjectRecord],  # noqa: ARG002 -- the protocol's
        *,
        children: bool = False,  # noqa: ARG002 -- the same
    ) -> None:
        self.rows.append(tracked()[TrackedObject.__name__])

    def finish(self, result: RunResult) -> None:
        """Nothing."""


@pytest.mark.one_generator("records of several are made by the coordinator, which has no rows")
async def test_rows_are_let_go_while_their_records_are_made(
    cluster: SimulatedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfscale.engine.accounting.run_accounting._PAGE", 10)
    load = config(workload(objects(count=COUNT)))
    sink = RowCounter()
    async with LoadGenerator(
        load,
        cluster=ClusterOptions(kubeconfig=str(cluster.kubeconfig)),
        results=sink,
        options=RunOptions(defaults=TemplateDefaults()),
    ) as run:
        await run.run()
    assert sink.rows == [COUNT - 10, COUNT - 20, COUNT - 30, 0]

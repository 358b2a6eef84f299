"""A run that is cancelled or interrupted at any of its awaits leaves nothing behind.

The same small run, with all that a run can wait for in it, is stepped through: the first time
it is cancelled at its first suspension, the next time at its second, until one ends before.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from faulty_runs import left_of
from moments import AtMoment, Moment
from patience import PATIENCE_S
from stepping import Steps, run_in_steps
from under_test import load_generator
from workloads import config, objects, workload

from perfscale.engine import LoadGenerator, RunOptions
from perfscale.engine.events import Stage
from perfscale.errors import UnreachableError
from perfscale.kube.cluster import Cluster, ClusterOptions, open_cluster
from perfscale.results import RunOutcome, RunResult
from perfscale.sim.cluster import SimulatedCluster
from perfscale.templates import TemplateDefaults

MOST_ON_THEIR_WAY = 6
"""Requests of tasks that the loop had woken already; a cleanup sends more."""
FEWEST = 60
"""A run suspends more often than this; about 120 times."""


@dataclass
class SteppedRun:
    """One of many runs on the same cluster, each with a namespace to itself."""

    cluster: SimulatedCluster
    generator: LoadGenerator
    steps: Steps
    task: asyncio.Task[RunResult]
    sent_when_stopped: int | None = None
    was_over: bool = False

    @property
    def sent(self) -> int:
        """Requests that it has sent."""
        return self.generator._client.stats.sent

    def stop(self) -> None:
        """Cancel it for the second time."""
        run = self.generator._run
        # Two cancellations between which a task does not get to run arrive as one.
        if run is not None and run._interrupted_by is not None:
            self.sent_when_stopped = self.sent
        self.task.cancel()

    def interrupt(self) -> None:
        """Interrupt it: when all is done, and generators only publish their last, too late."""
        run = self.generator._run
        self.was_over = run is not None and run._over
        self.generator.interrupt()

    @property
    def result(self) -> RunResult | None:
        return self.generator.result

    @property
    def left(self) -> dict[str, list[str]]:
        return left_of(self.cluster, self.generator.run_id)

    async def end(self) -> None:
        """Wait for its end, whatever that is."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([self.task])

    def break_down(self) -> None:
        """Let it have an error that ends it."""
        assert self.generator._run is not None
        self.generator._run._abort(UnreachableError("the cluster is gone"))


class Runs:
    """Starts one small run after the other."""

    def __init__(self, cluster: SimulatedCluster, opened: Cluster) -> None:
        self._cluster = cluster
        self._opened = opened
        self._numbers = count(1)

    @asynccontextmanager
    async def start(self) -> AsyncIterator[SteppedRun]:
        """A run that does not begin before it is waited for."""
        namespace = f"step-{next(self._numbers)}"
        load = config(
            workload(
                objects(count=1, namespace=namespace),
                objects("vm-ephemeral.yaml", 1, namespace=namespace),
                iterationCount=2,
                iterationInterval="1ms",
                waitWhenFinished="1ms",
                qps=1000,
                burst=1,
            )
        )
        options = RunOptions(defaults=TemplateDefaults())
        async with load_generator(load, cluster=self._opened, options=options) as generator:
            steps = Steps()
            task = run_in_steps(generator.run(), steps)
            yield SteppedRun(self._cluster, generator, steps, task)


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedCluster(speed=1000, seed=1) as cluster:
        cluster.write_kubeconfig(tmp_path / "kubeconfig")
        options = ClusterOptions(kubeconfig=str(tmp_path / "kubeconfig"))
        async with await open_cluster(options) as opened:
            yield Runs(cluster, opened)


def numbers(generators: int | None) -> Iterator[int]:
    """Of the suspensions to try: all, or some where several generators suspend more often."""
    return count(1, 1 if generators is None else 11)


def assert_clean(run: SteppedRun) -> None:
    """Nothing of the run is left, and its result says so."""
    assert run.left == {}
    result = run.result
    if result is None:
        return  # it had not begun
    assert result.accounts.balanced
    assert result.accounts.requested == 4
    assert result.accounts.leftover == 0
    assert result.accounts.deleted == result.accounts.created
    assert result.namespaces.created == result.namespaces.deleted
    assert not result.remains


def assert_honest(run: SteppedRun) -> None:
    """It stopped at once, and what is left, if anything, is what the result says may be left."""
    assert run.task.cancelled()
    if run.sent_when_stopped is not None:
        assert run.sent - run.sent_when_stopped <= MOST_ON_THEIR_WAY
    if run.result is not None:
        assert run.result.accounts.balanced
    assert run.left == {} or (run.result is not None and run.result.remains)


async def test_cancellation_at_any_await_cleans_up_and_is_raised(
    runs: Runs, generators: int | None
) -> None:
    for number in numbers(generators):
        async with runs.start() as run:
            run.steps.at(number, run.task.cancel)
            await run.end()
            assert_clean(run)
            if run.steps.count < number:
                break  # it has ended before its turn came
            assert run.task.cancelled()
    assert number > FEWEST


async def test_an_interrupt_at_any_await_cleans_up_and_is_in_the_result(
    runs: Runs, generators: int | None
) -> None:
    for number in numbers(generators):
        async with runs.start() as run:
            run.steps.at(number, run.interrupt)
            await run.end()
            assert_clean(run)
            if run.steps.count < number:
                break
            result = run.task.result()
            interrupted = (RunOutcome.INTERRUPTED, 130)
            expected = (RunOutcome.PASSED, 0) if run.was_over else interrupted
            assert (result.outcome, result.exit_code) == expected
    assert number > FEWEST


async def test_two_cancellations_in_one_breath_at_any_await_leave_nothing_unsaid(
    runs: Runs, generators: int | None
) -> None:
    for number in numbers(generators):
        async with runs.start() as run:
            run.steps.at(number, run.task.cancel)
            run.steps.at(number + 1, run.stop)
            await run.end()
            if run.steps.count < number:
                break
            assert_honest(run)
    assert number > FEWEST


@contextmanager
def at_the_creation_wait(act: Callable[[], object]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        AtMoment(patch)(Moment(Stage.WAITING_READY), act)
        yield


async def test_a_second_cancellation_at_any_await_of_the_cleanup_stops_at_once(
    runs: Runs, generators: int | None
) -> None:
    def cancel_twice(run: SteppedRun, more: int) -> None:
        run.task.cancel()
        run.steps.after(more, run.stop)

    for number in numbers(generators):
        async with runs.start() as run:
            with at_the_creation_wait(partial(cancel_twice, run, number)):
                await run.end()
            assert_honest(run)
            if not run.steps.done:
                break
    assert_clean(run)
    assert number > FEWEST / 3


async def test_a_first_cancellation_at_any_await_of_the_cleanup_lets_it_end(
    runs: Runs, generators: int | None
) -> None:
    def break_and_cancel(run: SteppedRun, more: int) -> None:
        run.break_down()
        run.steps.after(more, run.task.cancel)

    for number in numbers(generators):
        async with runs.start() as run:
            with at_the_creation_wait(partial(break_and_cancel, run, number)):
                await run.end()
            assert_clean(run)
            assert run.result is not None
            assert "the cluster is gone" in " ".join(run.result.problems)
            if not run.steps.done:
                break
            assert run.task.cancelled()
    assert number > FEWEST / 3

"""Clocks of generators: whatever they show, all times of a run are on one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import pytest
from clusters import ClusterUnderTest
from hypothesis import given
from hypothesis import strategies as st
from several_generators import options
from virtual_time import in_virtual_time
from workloads import config, objects, workload

from perfscale.engine.inputs import RunInputs
from perfscale.engine.sharding.shard import Shard
from perfscale.engine.stopwatch import Stopwatch
from perfscale.errors import GeneratorLostError
from perfscale.fleet import generator
from perfscale.fleet.clocks import RoundTrip, bound_clocks
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.generator import GeneratorRun, Link
from perfscale.fleet.inprocess import InProcess
from perfscale.fleet.members import Members
from perfscale.fleet.messages import (
    DISTRIBUTION,
    Clocks,
    Opened,
    Probe,
    Start,
    ToCoordinator,
    ToGenerator,
)
from perfscale.fleet.transport import Connection, GeneratorInputs
from perfscale.results import RunOutcome

LONG_S = 1000.0


class SlowToStart(InProcess):
    """To start a generator takes long, on the clock of the coordinator."""

    def __init__(self) -> None:
        super().__init__()
        self._passed_s = 0.0

    def clock(self) -> float:
        return time.monotonic() + self._passed_s

    def start(self, inputs: GeneratorInputs) -> Connection:
        self._passed_s += LONG_S
        return super().start(inputs)


async def test_a_generator_that_starts_late_knows_when_the_run_has_started(
    cluster: ClusterUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_s: list[float] = []

    class Observed(GeneratorRun):
        def __init__(self, inputs: RunInputs, link: Link) -> None:
            super().__init__(inputs, link)
            wall_s = inputs.info.started_at.timestamp() + inputs.stopwatch.now()
            started_s.append(time.time() - wall_s)

    monkeypatch.setattr(generator, "GeneratorRun", Observed)
    transport = SlowToStart()
    load = config(workload(objects(count=4)))
    async with Coordinator(
        load,
        transport,
        generators=2,
        cluster=cluster.options,
        clock=transport.clock,
        options=options(),
    ) as running:
        result = await running.run()
    assert result.outcome is RunOutcome.PASSED, result.problems
    # What its wall clock shows is its start and what has passed since.
    assert started_s == pytest.approx([0.0, 0.0], abs=LONG_S / 10)


seconds = st.floats(-1e6, 1e6)
delays = st.floats(0.0, 2.0)


@given(seconds, seconds, st.lists(st.tuples(delays, delays), min_size=1, max_size=8))
def test_bounds_of_clocks_hold_however_long_each_way_takes(
    ahead_s: float, wall_ahead_s: float, ways: list[tuple[float, float]]
) -> None:
    trips, now = [], 50.0
    for there_s, back_s in ways:
        answered_s = now + there_s
        answer = Clocks(0, answered_s + ahead_s, answered_s + wall_ahead_s)
        trips.append(RoundTrip(now, now, answered_s + back_s, answer))
        now += there_s + back_s
    bounds = bound_clocks(trips)
    assert bounds.uncertainty_s == pytest.approx(min(there + back for there, back in ways) / 2)
    assert abs(bounds.monotonic_s - ahead_s) <= 2 * bounds.uncertainty_s + 1e-6
    assert bounds.low_s - 1e-6 <= wall_ahead_s <= bounds.high_s + 1e-6


def test_clocks_that_may_be_one_are_one() -> None:
    assert bound_clocks([RoundTrip(1.0, 1.0, 1.2, Clocks(0, 1.05, 5.05))]).monotonic_s == 0.0


class Distant:
    """A generator far away, whose clocks are ahead, and which answers a probe after a while."""

    def __init__(self, index: int, round_trip_s: float) -> None:
        self.name = f"distant {index}"
        self.ahead_s = 1000.0 * (index + 1)
        self.started_s: float | None = None
        self._round_trip_s = round_trip_s
        self._inbox: asyncio.Queue[ToCoordinator] = asyncio.Queue()
        self._inbox.put_nowait(Opened("far", 1, version(DISTRIBUTION)))

    def send(self, message: ToGenerator) -> None:
        loop = asyncio.get_running_loop()
        half_s = self._round_trip_s / 2
        if isinstance(message, Start):
            self.started_s = message.started_s
        elif isinstance(message, Probe):
            ahead_s = loop.time() + half_s + self.ahead_s
            answer = Clocks(message.n, ahead_s, time.time() + self.ahead_s)
            loop.call_later(self._round_trip_s, self._inbox.put_nowait, answer)

    async def receive(self) -> ToCoordinator:
        return await self._inbox.get()

    async def close(self, on_wait: Callable[[float], None]) -> None:
        """Nothing of it is left."""


class FarAway:
    """Starts them; the first never answers if it is ``deaf``."""

    def __init__(self, round_trip_s: float, *, deaf: bool = False) -> None:
        self.started: list[Distant] = []
        self._round_trip_s = round_trip_s
        self._deaf = deaf

    def start(self, inputs: GeneratorInputs) -> Distant:
        index = inputs.shard.index
        never = self._deaf and index == 0
        self.started.append(Distant(index, 1e6 if never else self._round_trip_s))
        return self.started[-1]


class Nobody:
    """Listens to nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def compare(transport: FarAway, count: int) -> tuple[float, Members]:
    """How long it took to let so many generators begin, and what they are."""
    found: list[tuple[float, Members]] = []

    async def start() -> None:
        clock = asyncio.get_running_loop().time
        began_s = clock()
        inputs: Any = [SimpleNamespace(shard=Shard(index, count)) for index in range(count)]
        async with asyncio.TaskGroup() as tasks:
            crew = Members(transport, Nobody(), Stopwatch(clock, began_s), tasks)
            try:
                await crew.start(inputs)
            finally:
                found.append((clock() - began_s, crew))
                await crew.abandon()
                for task in crew._listening:
                    task.cancel()

    in_virtual_time(start)
    return found[0]


def test_clocks_of_a_hundred_distant_generators_are_compared_at_the_same_time() -> None:
    transport = FarAway(0.1)
    took_s, crew = compare(transport, 100)
    one_after_another_s = 100 * 8 * 0.1
    assert took_s < one_after_another_s / 10
    assert len(transport.started) == 100
    for member, distant in zip(crew.all, transport.started, strict=True):
        # No answer has waited for another.
        assert member.record.uncertainty_s == pytest.approx(0.05, abs=1e-3)
        assert member.record.clock_low_s <= distant.ahead_s <= member.record.clock_high_s
        assert distant.started_s == pytest.approx(100.0 + distant.ahead_s, abs=1e-3)


def test_answers_that_come_at_once_do_not_meet() -> None:
    took_s, crew = compare(FarAway(0.002), 10)
    assert took_s == pytest.approx(10 * 8 * 0.002, rel=0.1)
    assert all(each.record.uncertainty_s < 0.0011 for each in crew.all)


def test_none_begins_where_one_does_not_answer() -> None:
    transport = FarAway(0.002, deaf=True)
    with pytest.raises(ExceptionGroup) as caught:
        compare(transport, 3)
    (error,) = caught.value.exceptions
    assert isinstance(error, GeneratorLostError)
    assert "generator 0 (distant 0) was lost before it began" in str(error)
    assert [each.started_s for each in transport.started] == [None, None, None]

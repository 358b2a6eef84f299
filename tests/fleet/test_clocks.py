"""Clocks of generators: whatever they show, all times of a run are on one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clusters import ClusterUnderTest, simulated_cluster
from several_generators import options
from workloads import config, objects, workload

from perfscale.engine.inputs import RunInputs
from perfscale.fleet import generator
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.generator import GeneratorRun, Link
from perfscale.fleet.inprocess import InProcess
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


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[ClusterUnderTest]:
    async with simulated_cluster(tmp_path) as opened:
        yield opened


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

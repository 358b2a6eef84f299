"""A generator that reaches its coordinator, and not the API server any more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from clusters import ClusterUnderTest
from cut_network import CutNetwork, cut_network
from several_generators import options, run
from workloads import config, objects, template, workload

from perfscale.engine.events import Progress, Stage
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.inprocess import InProcess
from perfscale.fleet.transport import Connection, GeneratorInputs
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import RunOutcome, RunResult, Validity

pytestmark = pytest.mark.virtual_time

IDLE_S: Final = 30.0
UNAVAILABLE_S: Final = 10.0
REQUEST_S: Final = 10.0
CLEANUP_S: Final = 600.0
CONFIGMAP: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "map-{{ replica }}"}
"""


class FirstStraight(InProcess):
    """The second generator goes over a network that can be cut."""

    def __init__(self, network: CutNetwork) -> None:
        super().__init__()
        self._network = network

    def start(self, inputs: GeneratorInputs) -> Connection:
        if inputs.shard.index == 1:
            assert isinstance(inputs.cluster, ClusterOptions)
            inputs = replace(inputs, cluster=replace(inputs.cluster, master=self._network.url))
        return super().start(inputs)


async def run_cut(cluster: ClusterUnderTest, stage: Stage, **keys: Any) -> RunResult:
    """A run in which generator 1 is cut off once the run has come to ``stage``."""
    bounds = replace(
        cluster.options,
        request_timeout_s=REQUEST_S,
        max_unavailable_s=UNAVAILABLE_S,
        watch_idle_timeout_s=IDLE_S,
    )
    load = config(workload(objects(count=40), qps=40, burst=1, **keys))
    async with cut_network(cluster.client.server) as network:
        running = Coordinator(
            load,
            FirstStraight(network),
            generators=2,
            cluster=bounds,
            options=options(cleanup_timeout_s=CLEANUP_S),
        )
        async with running:
            events = running.events()
            task = asyncio.create_task(running.run())
            async for event in events:
                if isinstance(event, Progress) and event.stage is stage:
                    network.is_cut = True
            return await task


async def test_its_objects_are_gone_when_the_coordinator_has_read_so_and_nothing_waits_for_it(
    simulated: ClusterUnderTest,
) -> None:
    result = await run_cut(simulated, Stage.WAITING_READY)
    assert result.outcome is RunOutcome.FAILED
    assert "generator 1 (task 1): " in result.problems[0]
    accounts = result.accounts
    assert accounts.balanced
    assert (accounts.created, accounts.deleted, accounts.leftover) == (40, 40, 0)
    assert not result.remains
    assert not any("left over" in each or "did not end" in each for each in result.problems)
    assert await simulated.left_of(result.run_id) == {}
    # Two silences, and what the cleanup itself takes: its bound is not used up for one cut off.
    assert result.duration_s < 2 * IDLE_S + UNAVAILABLE_S + REQUEST_S + 60 < CLEANUP_S


async def test_what_it_has_not_seen_go_in_time_is_not_called_left_over(
    simulated: ClusterUnderTest,
) -> None:
    result = await run_cut(simulated, Stage.WAITING_GONE, maxWaitTimeout="4s")
    assert result.outcome is RunOutcome.FAILED
    text = "\n".join(result.problems)
    assert "timed out after 4s waiting for everything to be gone" in text
    assert "not known to be gone: " in text
    assert "still there" not in text
    accounts = result.accounts
    assert (accounts.created, accounts.deleted, accounts.leftover) == (40, 40, 0)
    assert not result.remains


async def test_what_no_wait_was_for_is_not_read_where_nobody_is_cut_off(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    made = objects(template(tmp_path, CONFIGMAP), 300)
    load = config(workload(made, iterationDeletionWait=False))
    result = await run(simulated, load, 2)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert result.blind_spans == ()
    assert result.generator is not None
    assert result.generator.verdict is Validity.VALID

"""The examples of docs/which-load.md do what they say: as they are, on a faster cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clusters import simulated_cluster
from operation_load import accounts, done

from perfscale.config import load_config
from perfscale.results import Accounts, RunOutcome
from perfscale.templates import packaged_file

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.results import RunResult

SPEED = 20.0


async def run(name: str, directory: Path) -> RunResult:
    config = load_config(packaged_file(f"examples/{name}/{name}.yaml"))
    async with simulated_cluster(directory, speed=SPEED) as cluster:
        return await cluster.run(config)


def created(result: RunResult, workload: int, kind: str) -> Accounts:
    return result.workloads[workload].kinds[kind].accounts


@pytest.mark.parametrize(
    ("name", "count"), [("boot-storm", 50), ("restart-storm", 50), ("migration-storm", 20)]
)
async def test_a_storm_is_over_when_every_operation_is_done(
    tmp_path: Path, name: str, count: int
) -> None:
    result = await run(name, tmp_path)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(count)
    assert all(verdict.value is not None for verdict in result.thresholds)


async def test_readers_are_counted_apart_from_the_creates_beside_them(tmp_path: Path) -> None:
    result = await run("read-load", tmp_path)
    assert result.outcome is RunOutcome.PASSED, result.problems
    lists = accounts(result, 0)
    assert lists.done == lists.requested > 0
    creates = created(result, 1, "VirtualMachineInstance")
    assert creates.ready == creates.deleted == creates.requested == 100
    assert all(verdict.value is not None for verdict in result.thresholds)


async def test_the_ramp_ends_with_its_stages_and_leaves_nothing(tmp_path: Path) -> None:
    result = await run("capacity-ramp", tmp_path)
    assert result.outcome is RunOutcome.PASSED, result.problems
    creates = created(result, 0, "VirtualMachineInstance")
    assert creates.deleted == creates.created
    assert 0 < creates.requested < 1000


async def test_what_churn_replaces_is_all_ready_and_all_gone(tmp_path: Path) -> None:
    result = await run("kubevirt-churn", tmp_path)
    assert result.outcome is RunOutcome.PASSED, result.problems
    objects = created(result, 0, "VirtualMachineInstance")
    assert objects.ready == objects.deleted == objects.requested
    assert objects.requested >= 110  # one round at least, of ten
    assert all(verdict.value is not None for verdict in result.thresholds)

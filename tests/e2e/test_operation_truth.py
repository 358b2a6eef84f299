"""What a run says of operations, beside what the simulated cluster knows of them itself."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from operation_load import OperationSink, done, on
from under_test import load_generator
from workloads import config, objects

from perfscale.engine import RunOptions
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import RunOutcome
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.controllers.kinds import VMI, VMIM
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from perfscale.config import Config
    from perfscale.results import RunResult
    from perfscale.sim.storage.records import StoredChange

pytestmark = pytest.mark.virtual_time

COUNT = 30
PROMPT_S = 0.05
VOLUME: dict[str, Any] = {
    "name": "data",
    "disk": {"disk": {"bus": "scsi"}},
    "volumeSource": {"persistentVolumeClaim": {"claimName": "shared"}},
}
ADD = on("made", "addVolume", volume=VOLUME)


@asynccontextmanager
async def simulated_cluster(
    directory: Path, *, speed: float = 20
) -> AsyncIterator[SimulatedCluster]:
    async with SimulatedCluster(speed=speed, seed=1, clock=time.monotonic) as cluster:
        cluster.write_kubeconfig(directory / "kubeconfig")
        yield cluster


async def run(load: Config, directory: Path, sink: OperationSink) -> RunResult:
    generator = load_generator(
        load,
        cluster=ClusterOptions(kubeconfig=str(directory / "kubeconfig")),
        results=sink,
        options=RunOptions(defaults=TemplateDefaults()),
    )
    async with generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.PASSED, result.problems
    return result


def made(template: str = "vm-ephemeral.yaml", **variables: Any) -> dict[str, Any]:
    return {
        "name": "made",
        "iterationCreationWait": True,
        "objects": [objects(template, COUNT, **variables)],
    }


def check_lateness(late_s: list[float]) -> None:
    """An effect is seen when it is there, not before, and not much later."""
    assert len(late_s) == COUNT
    assert min(late_s) >= 0
    assert max(late_s) <= PROMPT_S


@pytest.mark.parametrize(
    ("before", "operation"),
    [
        ([], on("made", "restart")),
        ([], on("made", "stop")),
        ([on("made", "stop")], on("made", "start")),
        ([], on("made", "pause")),
        ([on("made", "pause")], on("made", "unpause")),
        ([], ADD),
        ([ADD], on("made", "removeVolume", volume={"name": "data"})),
    ],
    ids=lambda each: each["operation"] if isinstance(each, dict) else "",
)
async def test_no_effect_is_seen_before_it_is_there_or_much_later(
    before: list[dict[str, Any]], operation: dict[str, Any], tmp_path: Path
) -> None:
    sink = OperationSink()
    before = [{**each, "name": "before"} for each in before]
    async with simulated_cluster(tmp_path) as cluster:
        result = await run(config(made(), *before, operation), tmp_path, sink)
        # By name: the last operation of each.
        truth = {each.name: each for each in cluster.ground_truth.operations.records}
    assert result.workloads[-1].operations[0].accounts == done(COUNT)
    late_s = []
    for record in sink.operations:
        if record.workload == "before":
            continue
        assert record.name is not None
        assert record.sent_s is not None
        assert record.done_s is not None
        known = truth[record.name].effect_s
        assert known is not None
        # The server has the request a little later than it was sent.
        late_s.append(record.done_s - record.sent_s - known)
        if record.operation == "restart":
            gone_s = record.milestones["Gone"] - record.sent_s
            old_gone_s = truth[record.name].milestones_s["oldGone"]
            assert old_gone_s <= gone_s <= old_gone_s + PROMPT_S
    check_lateness(late_s)


@pytest.mark.parametrize("speed", [20, 50, 100])
@pytest.mark.parametrize(
    ("template", "operation", "keys"),
    [
        ("vmi-ephemeral.yaml", "migrate", {}),
        ("vmirs-ephemeral.yaml", "scale", {"to": 2}),
    ],
)
async def test_neither_migrations_nor_scales_are_done_before_they_are_or_much_later(
    template: str, operation: str, keys: dict[str, Any], speed: float, tmp_path: Path
) -> None:
    sink = OperationSink()
    variables = {"vmis": 1} if operation == "scale" else {}
    load = config(made(template, **variables), on("made", operation, **keys))
    migrated: dict[str, str] = {}

    def note(change: StoredChange) -> None:
        migrated[change.record.name] = change.obj["spec"]["vmiName"]

    async with simulated_cluster(tmp_path, speed=speed) as cluster:
        cluster.store.listen(note, VMIM)
        await run(load, tmp_path, sink)
        records = cluster.ground_truth.operations.records
    of = {
        migrated.get(each.name, each.name): each for each in records if each.operation == operation
    }
    late_s = []
    for record in sink.operations:
        assert record.name is not None
        assert record.done_s is not None
        assert record.sent_s is not None
        known = of[record.name].effect_s
        assert known is not None
        late_s.append(record.done_s - record.sent_s - known)
    check_lateness(late_s)


async def test_neither_readiness_nor_an_end_is_seen_before_it_is_there_or_much_later(
    tmp_path: Path,
) -> None:
    sink = OperationSink()
    moments: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def look(change: StoredChange) -> None:
        of, now = moments[change.record.name], time.monotonic()
        of.setdefault(change.type, now)
        status = change.obj.get("status") or {}
        of.setdefault(str(status.get("phase")), now)
        if change.obj["metadata"].get("deletionTimestamp"):
            of.setdefault("deleting", now)

    async with simulated_cluster(tmp_path) as cluster:
        cluster.store.listen(look, VMI)
        await run(config(made("vmi-ephemeral.yaml"), on("made", "delete")), tmp_path, sink)
    created, deleted = [], []
    for row in sink.objects:
        of = moments[row.name]
        assert row.ready_s is not None
        assert row.sent_s is not None
        created.append(row.ready_s - row.sent_s - (of["Running"] - of["ADDED"]))
    for record in sink.operations:
        assert record.name is not None
        assert record.done_s is not None
        assert record.sent_s is not None
        of = moments[record.name]
        deleted.append(record.done_s - record.sent_s - (of["DELETED"] - of["deleting"]))
    check_lateness(created)
    check_lateness(deleted)

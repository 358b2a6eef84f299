"""What is done to objects: sent, seen, counted and recorded, on the simulated cluster."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusters import CONFIGMAPS, ClusterUnderTest, MemorySink
from pages import list_pages
from workloads import config, objects, template

from perfscale.engine import RunOptions
from perfscale.results import OperationAccounts, OperationOutcome, OperationRecord, RunOutcome
from perfscale.templates import TemplateDefaults

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results import RunResult

COUNT = 20
CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-{{ replica }}}\n"
FOREIGN = RunOptions(defaults=TemplateDefaults(), allow_foreign=True)


class Sink(MemorySink):
    def __init__(self) -> None:
        super().__init__()
        self.operations: list[OperationRecord] = []

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        self.operations += operations


def maps(directory: Path, count: int = COUNT) -> dict[str, Any]:
    made = objects(template(directory, CONFIGMAP, "map.yaml"), count)
    return {"name": "maps", "iterationCreationWait": True, "objects": [made]}


def on(workload: str, operation: str, **keys: Any) -> dict[str, Any]:
    base = {"name": "load", "operation": operation, "targets": {"workload": workload}}
    return {**base, "iterationWait": True, "maxWaitTimeout": "60s", **keys}


def accounts(result: RunResult, workload: int = 1) -> OperationAccounts:
    (operations,) = result.workloads[workload].operations
    assert operations.accounts.balanced
    return operations.accounts


def done(count: int) -> OperationAccounts:
    return OperationAccounts(requested=count, done=count)


async def test_every_object_is_read_once_in_each_iteration(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Sink()
    load = config(maps(tmp_path), on("maps", "get", iterationCount=3))
    result = await simulated.run(load, sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(3 * COUNT)
    names = Counter(record.name for record in sink.operations)
    assert set(names.values()) == {3}
    assert len(names) == COUNT
    for record in sink.operations:
        assert record.operation == "get"
        assert record.sent_s is not None
        assert record.answered_s is not None
        assert record.sent_s < record.answered_s == record.done_s


async def test_a_collection_is_listed_once_for_each_namespace(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Sink()
    made = {**maps(tmp_path, 600), "iterationCount": 2, "namespacedIterations": True}
    result = await simulated.run(config(made, on("maps", "list")), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(2)
    assert [(each.namespace, each.name) for each in sink.operations] == [
        ("density-1", None),
        ("density-2", None),
    ]


async def test_a_patch_is_rendered_for_each_target(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "data: {who: '{{ target.name }}', n: '{{ target.index }}', v: '{{ version }}'}\n"
    patch = {"templateFile": template(tmp_path, text, "p.yaml"), "inputVars": {"version": "two"}}
    load = config(maps(tmp_path), on("maps", "patch", patch=patch))
    result = await simulated.run(load)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    found: dict[str, Any] = {}
    async for items, _ in list_pages(simulated.client, CONFIGMAPS, "density-1"):
        found.update({item["metadata"]["name"]: item["data"] for item in items})
    assert {data["who"] for data in found.values()} == set(found)
    assert {data["n"] for data in found.values()} == {str(n) for n in range(1, COUNT + 1)}
    assert {data["v"] for data in found.values()} == {"two"}


async def test_a_share_of_the_objects_is_deleted_and_the_others_stay(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Sink()
    load = config(
        maps(tmp_path), on("maps", "delete", targets={"workload": "maps", "share": "25%"})
    )
    result = await simulated.run(load, sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(5)
    left = await simulated.names(CONFIGMAPS, namespace="density-1")
    gone = {record.name for record in sink.operations}
    assert len(left) == COUNT - 5
    assert not gone & set(left)
    assert result.workloads[0].accounts.deleted == 5
    assert result.workloads[0].accounts.failed == 0


async def test_one_request_deletes_all_of_a_namespace(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Sink()
    await simulated.create_namespace("density-1")
    await simulated.create_configmap("density-1", "theirs")
    load = config(maps(tmp_path), on("maps", "delete", deleteCollection=True))
    result = await simulated.run(load, sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    assert len({record.sent_s for record in sink.operations}) == 1
    assert await simulated.names(CONFIGMAPS, namespace="density-1") == ["theirs"]


async def test_a_replica_set_is_scaled_until_as_many_are_ready(
    simulated: ClusterUnderTest,
) -> None:
    sink = Sink()
    sets = {
        "name": "sets",
        "iterationCreationWait": True,
        "objects": [objects("vmirs-ephemeral.yaml", 3, vmis=1)],
    }
    up, down = on("sets", "scale", to=4), {**on("sets", "scale", to=1), "name": "down"}
    result = await simulated.run(config(sets, up, down), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 1) == accounts(result, 2) == done(3)
    for record in sink.operations:
        assert record.answered_s is not None
        assert record.done_s is not None


async def test_scaling_to_what_is_there_is_done_at_once(simulated: ClusterUnderTest) -> None:
    sets = {
        "name": "sets",
        "iterationCreationWait": True,
        "objects": [objects("vmirs-ephemeral.yaml", 2, vmis=2)],
    }
    result = await simulated.run(config(sets, on("sets", "scale", to=2)))
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(2)


async def test_a_target_that_is_gone_when_its_turn_comes_is_a_failure(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Sink()
    pods = {"kind": "ConfigMap", "apiVersion": "v1", "namespace": "theirs"}
    await simulated.create_namespace("theirs")
    for n in range(3):
        await simulated.create_configmap("theirs", f"map-{n}")
    twice = {**on("maps", "delete", targets=pods), "iterationCount": 2}
    result = await simulated.run(config(maps(tmp_path, 1), twice), sink=sink, options=FOREIGN)
    assert result.exit_code == 1
    assert accounts(result) == OperationAccounts(requested=6, done=3, failed=3)
    failed = [each for each in sink.operations if each.outcome is OperationOutcome.FAILED]
    assert all(
        (each.error or "").startswith("it was gone when its turn came: NotFound") for each in failed
    )
    assert any("failed to delete" in problem for problem in result.problems)


async def test_a_load_with_an_end_goes_round_its_targets_until_then(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = Sink()
    load = on("maps", "get", qps=100, burst=1, duration="1s")
    result = await simulated.run(config(maps(tmp_path, 5), load), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(100)
    assert set(Counter(record.name for record in sink.operations).values()) == {20}

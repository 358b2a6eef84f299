"""What is done to objects: sent, seen, counted and recorded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from clusters import CONFIGMAPS, ClusterUnderTest
from operation_load import OperationSink, accounts, done, on
from pages import list_pages
from workloads import config, objects, template

from perfscale.engine import RunOptions
from perfscale.engine.events import (
    ObjectFailed,
    OperationFailed,
    Progress,
    Stage,
    StillWaiting,
    WorkloadStarted,
)
from perfscale.engine.flow import operations
from perfscale.errors import PreflightError, TemplateError
from perfscale.results import (
    OperationAccounts,
    OperationEntry,
    OperationOutcome,
    RunFolder,
    RunOutcome,
    rebuild_results,
)
from perfscale.templates import TemplateDefaults

pytestmark = pytest.mark.virtual_time

if TYPE_CHECKING:
    from perfscale.results import Entry, RunInfo

COUNT = 20
CONFIGMAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-{{ replica }}}\n"
FOREIGN = RunOptions(defaults=TemplateDefaults(), allow_foreign=True)


def maps(directory: Path, count: int = COUNT) -> dict[str, Any]:
    made = objects(template(directory, CONFIGMAP, "map.yaml"), count)
    return {"name": "maps", "iterationCreationWait": True, "objects": [made]}


async def test_every_object_is_read_once_in_each_iteration(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    load = config(maps(tmp_path), on("maps", "get", iterationCount=3))
    result = await cluster.run(load, sink=sink)
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
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    made = {**maps(tmp_path, 600), "iterationCount": 2, "namespacedIterations": True}
    result = await cluster.run(config(made, on("maps", "list")), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(2)
    assert sorted((each.namespace, str(each.name)) for each in sink.operations) == [
        ("density-1", "None"),
        ("density-2", "None"),
    ]


async def test_a_patch_is_rendered_for_each_target(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    text = "data: {who: '{{ target.name }}', n: '{{ target.index }}', v: '{{ version }}'}\n"
    patch = {"templateFile": template(tmp_path, text, "p.yaml"), "inputVars": {"version": "two"}}
    load = config(maps(tmp_path), on("maps", "patch", patch=patch))
    result = await cluster.run(load)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    found: dict[str, Any] = {}
    async for items, _ in list_pages(cluster.client, CONFIGMAPS, "density-1"):
        found.update({item["metadata"]["name"]: item["data"] for item in items})
    assert {data["who"] for data in found.values()} == set(found)
    assert {data["n"] for data in found.values()} == {str(n) for n in range(1, COUNT + 1)}
    assert {data["v"] for data in found.values()} == {"two"}


async def test_a_target_that_the_template_fails_for_is_that_targets_failure(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    text = "data: {tier: '{{ target.labels.tier }}'}\n"
    patch = {"templateFile": template(tmp_path, text, "p.yaml")}
    targets = await theirs(simulated)
    await simulated.create_configmap("theirs", "bare")
    load = config(on("", "patch", targets=targets, patch=patch))
    result = await simulated.run(load, sink=sink, options=FOREIGN)
    assert result.exit_code == 1
    assert accounts(result, 0) == OperationAccounts(requested=4, done=3, failed=1)
    (failed,) = [each for each in sink.operations if each.error is not None]
    assert failed.name == "bare"
    assert failed.sent_s is None
    assert "tier" in (failed.error or "")


async def test_a_share_of_the_objects_is_deleted_and_the_others_stay(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    load = config(
        maps(tmp_path), on("maps", "delete", targets={"workload": "maps", "share": "25%"})
    )
    result = await cluster.run(load, sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(5)
    left = await cluster.names(CONFIGMAPS, namespace="density-1")
    gone = {record.name for record in sink.operations}
    assert len(left) == COUNT - 5
    assert not gone & set(left)
    assert result.workloads[0].accounts.deleted == 5
    assert result.workloads[0].accounts.failed == 0


async def test_one_request_of_each_generator_deletes_all_of_a_namespace(
    cluster: ClusterUnderTest, tmp_path: Path, generators: int | None
) -> None:
    sink = OperationSink()
    await cluster.create_namespace("density-1")
    await cluster.create_configmap("density-1", "theirs")
    load = config(maps(tmp_path), on("maps", "delete", deleteCollection=True))
    result = await cluster.run(load, sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(COUNT)
    assert len({record.sent_s for record in sink.operations}) == (generators or 1)
    assert await cluster.names(CONFIGMAPS, namespace="density-1") == ["theirs"]


async def test_a_target_that_is_gone_when_its_turn_comes_is_a_failure(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
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
    sink = OperationSink()
    load = on("maps", "get", qps=100, burst=1, duration="1s")
    result = await simulated.run(config(maps(tmp_path, 10), load), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(100)
    assert set(Counter(record.name for record in sink.operations).values()) == {10}


async def theirs(cluster: ClusterUnderTest, count: int = 3) -> dict[str, Any]:
    """Objects that no run made; returns how a workload names them."""
    await cluster.create_namespace("theirs")
    for n in range(count):
        labels = {"tier": "web" if n % 2 else "data"}
        await cluster.create_configmap("theirs", f"map-{n}", labels)
    return {"kind": "ConfigMap", "apiVersion": "v1", "namespace": "theirs"}


async def test_what_others_made_is_not_changed_without_leave(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    targets = await theirs(simulated)
    with pytest.raises(PreflightError, match=r"delete would change 3 ConfigMap \(theirs: 3\)"):
        await simulated.run(config(maps(tmp_path), on("maps", "delete", targets=targets)))
    assert len(await simulated.names(CONFIGMAPS, namespace="theirs")) == 3
    assert not await simulated.names(CONFIGMAPS, namespace="density-1")


async def test_what_others_made_may_be_read(simulated: ClusterUnderTest) -> None:
    sink = OperationSink()
    targets = {**await theirs(simulated, 4), "labelSelector": "tier in (web)"}
    result = await simulated.run(config(on("", "get", targets=targets)), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 0) == done(2)
    assert {record.name for record in sink.operations} == {"map-1", "map-3"}
    assert not result.remains


async def test_targets_that_match_nothing_are_an_error_of_the_run(
    simulated: ClusterUnderTest,
) -> None:
    targets = {**await theirs(simulated), "labelSelector": "tier=none"}
    result = await simulated.run(config(on("", "get", targets=targets)))
    assert result.exit_code == 1
    assert "there is no ConfigMap in namespace theirs with tier=none" in result.problems[0]


async def test_the_same_seed_draws_the_same_objects(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    drawn = []
    for _ in range(2):
        sink = OperationSink()
        load = on("maps", "get", targets={"workload": "maps", "count": 4})
        result = await cluster.run(config(maps(tmp_path), load, seed=7), sink=sink)
        assert accounts(result) == done(4)
        drawn.append({record.name for record in sink.operations})
        await cluster.empty()
    assert drawn[0] == drawn[1]


async def test_an_operation_that_no_version_serves_is_an_error_before_the_run(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    with pytest.raises(PreflightError, match="the cluster does not serve configmaps/scale"):
        await simulated.run(config(maps(tmp_path), on("maps", "scale", to=2)))
    with pytest.raises(TemplateError, match="restart can be done to VirtualMachine"):
        await simulated.run(config(maps(tmp_path), on("maps", "restart")))
    assert not await simulated.names(CONFIGMAPS, namespace="density-1")


@pytest.mark.parametrize("at", [0, 1, 5, COUNT - 1])
async def test_an_interrupt_leaves_nothing_and_counts_everything(
    simulated: ClusterUnderTest, at: int
) -> None:
    sets = {
        "name": "sets",
        "iterationCreationWait": True,
        "objects": [objects("vmirs-ephemeral.yaml", COUNT, vmis=1)],
    }

    class Interrupting(OperationSink):
        def begin(self, info: RunInfo) -> None:
            super().begin(info)
            self.seen = 0

        def note(self, entry: Entry) -> None:
            if isinstance(entry, OperationEntry):
                self.seen += 1
                if self.seen > at:
                    generator.interrupt()

    sink = Interrupting()
    load = on("sets", "scale", to=2, qps=20, burst=1, iterationCount=2)
    async with simulated.generator(config(sets, load), sink=sink) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.INTERRUPTED
    counted = accounts(result)
    assert counted.requested == 2 * COUNT
    assert counted.failed == 0
    assert counted.done + counted.unfinished == len(
        [each for each in sink.operations if each.sent_s is not None]
    )
    assert not result.remains
    assert await simulated.left_of(result.run_id) == {}


async def test_a_journal_gives_the_same_operations_as_the_run(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "results")
    patch = {"templateFile": template(tmp_path, "data: {a: b}\n", "patch.yaml")}
    load = config(
        maps(tmp_path, 500), on("maps", "patch", patch=patch), {**on("maps", "delete"), "name": "x"}
    )
    async with simulated.generator(load, sink=folder) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert folder.path is not None
    path = folder.path / "operations.ndjson"
    written = sorted(path.read_text().splitlines())
    assert len(written) == 1000
    path.unlink()
    rebuilt = rebuild_results(folder.path).result
    assert sorted(path.read_text().splitlines()) == written
    for before, after in zip(result.workloads, rebuilt.workloads, strict=True):
        assert [(each.operation, each.accounts) for each in before.operations] == [
            (each.operation, each.accounts) for each in after.operations
        ]


async def test_a_journal_knows_the_versions_of_kinds_that_only_others_made(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "results")
    load = config(on("", "get", targets=await theirs(simulated)))
    async with simulated.generator(load, sink=folder) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert folder.path is not None
    written = (folder.path / "summary.json").read_text()
    assert '"apiVersion": "v1"' in written
    (folder.path / "summary.json").unlink()
    rebuild_results(folder.path)
    assert (folder.path / "summary.json").read_text() == written


async def test_operations_that_are_spread_and_all_refused_have_no_rate(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    twice = on("maps", "delete", spread="100ms", iterationCount=2)
    result = await simulated.run(config(maps(tmp_path), twice))
    assert result.exit_code == 1, result.error
    assert accounts(result) == OperationAccounts(requested=2 * COUNT, done=COUNT, failed=COUNT)


async def test_streams_stay_open_for_as_long_as_the_load_lasts_and_are_counted(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    load = on("maps", "watch", streams=5, duration="300ms")
    result = await cluster.run(config(maps(tmp_path), load), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result) == done(5)
    for record in sink.operations:
        assert record.counts["events"] >= COUNT
        assert record.counts["bytes"] > 0
        assert (record.namespace, record.name) == ("density-1", None)
    iteration = result.workloads[1].iterations[0]
    assert iteration.finished_s - iteration.started_s >= 0.3


async def test_reads_in_the_background_end_when_no_other_workload_is_left(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = OperationSink()
    lists = {**on("maps", "list", background=True, qps=50), "name": "lists"}
    watches = {**on("maps", "watch", background=True, streams=3), "name": "watches"}
    reads = on("maps", "get", qps=100, burst=1, duration="500ms")
    result = await cluster.run(config(maps(tmp_path), lists, watches, reads), sink=sink)
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert accounts(result, 1).done == accounts(result, 1).requested > 5
    assert accounts(result, 2) == done(3)
    assert accounts(result, 3) == done(50)
    assert all(each.counts for each in sink.operations if each.operation == "watch")


async def test_a_run_ends_as_soon_as_a_threshold_of_an_operation_is_lost(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    limit = {"metric": "getResponse", "quantile": "p99", "max": "1ns", "abortOnFail": True}
    load = on("maps", "get", qps=20, burst=1, iterationCount=1000, thresholds=[limit])
    result = await simulated.run(config(maps(tmp_path), load))
    assert result.outcome is RunOutcome.FAILED
    assert result.exit_code == 3
    assert any(
        "load: getResponse p99 cannot be met any more" in problem
        and f"of {1000 * COUNT} have taken longer than 1ns" in problem
        for problem in result.problems
    )
    counted = accounts(result)
    assert counted.requested == 1000 * COUNT
    assert counted.not_attempted > 0


async def test_a_share_of_operations_may_fail_before_a_run_is_ended(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    limit = {"metric": "failed", "max": "10%", "abortOnFail": True}
    op = "{{ 'remove' if target.index == 1 else 'add' }}"  # there is nothing to remove
    text = f"- {{op: {op}, path: /data, value: {{a: b}}}}\n"
    patch = {"type": "json", "templateFile": template(tmp_path, text, "patch.yaml")}
    load = on("maps", "patch", patch=patch, thresholds=[limit])
    result = await simulated.run(config(maps(tmp_path), load))
    assert accounts(result) == OperationAccounts(requested=COUNT, done=COUNT - 1, failed=1)
    (verdict,) = result.thresholds
    assert (verdict.passed, verdict.value) == (True, 5.0)


async def test_a_patch_is_done_when_its_object_is_as_done_when_says(
    cluster: ClusterUnderTest, tmp_path: Path
) -> None:
    sets = {
        "name": "sets",
        "iterationCreationWait": True,
        "objects": [objects("vmirs-ephemeral.yaml", 3, vmis=1)],
    }
    patch = {"templateFile": template(tmp_path, "spec: {replicas: 3}\n", "p.yaml")}
    ready = "jsonpath={.status.readyReplicas}=3"
    never = "jsonpath={.status.readyReplicas}=9"
    first = on("sets", "patch", patch=patch, doneWhen=ready)
    second = on("sets", "patch", patch=patch, doneWhen=[ready, never], maxWaitTimeout="200ms")
    sink = OperationSink()
    load = config(sets, first, {**second, "name": "second"})
    result = await cluster.run(load, sink=sink)
    assert accounts(result, 1) == done(3)
    assert accounts(result, 2) == OperationAccounts(requested=3, unfinished=3)
    assert result.exit_code == 1
    unfinished = [each for each in sink.operations if each.error is not None]
    assert all('is "3", not "9"' in (each.error or "") for each in unfinished)


async def test_a_program_hears_of_operations_and_counts_them_at_any_moment(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    op = "{{ 'remove' if target.index == 1 else 'add' }}"  # there is nothing to remove
    text = f"- {{op: {op}, path: /data, value: {{a: b}}}}\n"
    patch = {"type": "json", "templateFile": template(tmp_path, text, "patch.yaml")}
    async with simulated.generator(config(maps(tmp_path), on("maps", "patch", patch=patch))) as run:
        await run.preflight()
        events = run.events()
        await run.run()
        snapshot = run.snapshot()
        heard = [event async for event in events]
    (failed,) = [event for event in heard if isinstance(event, OperationFailed)]
    assert (failed.workload, failed.operation, failed.kind) == ("load", "patch", "ConfigMap")
    assert (failed.namespace, failed.name is None, bool(failed.error)) == ("density-1", False, True)
    assert not [event for event in heard if isinstance(event, ObjectFailed)]
    begun = [(each.workload, each.operation) for each in heard if isinstance(each, WorkloadStarted)]
    assert begun == [("maps", "create"), ("load", "patch")]
    assert snapshot is not None
    (counts,) = snapshot.operations
    assert (counts.workload, counts.operation, counts.kind) == ("load", "patch", "ConfigMap")
    assert (counts.sent, counts.accepted) == (COUNT, COUNT - 1)
    assert (counts.done, counts.failed) == (COUNT - 1, 1)
    assert counts.effect.summarize().count == counts.response.summarize().count == COUNT - 1
    assert "load" in snapshot.targets


async def test_how_many_operations_wait_for_their_effect_is_published(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    patch = {"templateFile": template(tmp_path, "data: {a: b}\n", "patch.yaml")}
    never = {"doneWhen": ["jsonpath={.data.never}=so"], "maxWaitTimeout": "15s"}
    load = config(maps(tmp_path), on("maps", "patch", patch=patch, **never))
    async with simulated.generator(load) as run:
        events = run.events()
        await run.run()
        heard = [event async for event in events]
    published = [each for each in heard if isinstance(each, Progress)]
    waiting = [each.open for each in published if each.stage is Stage.WAITING_DONE]
    assert set(waiting) - {0} == {COUNT}  # none any more when the wait is over
    (still,) = [each for each in heard if isinstance(each, StillWaiting)]
    assert (still.stage, still.missing) == (Stage.WAITING_DONE, COUNT)
    assert len(still.slowest) == 3


async def test_patches_whose_effect_never_comes_do_not_pile_up(
    simulated: ClusterUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST_WAITING", 30)
    most = 0
    give_up = operations.OperationRunner._give_up

    def noting(runner: Any, iteration: Any, *rest: Any) -> None:
        nonlocal most
        most = max(most, len(iteration.open_operations))
        give_up(runner, iteration, *rest)

    monkeypatch.setattr(operations.OperationRunner, "_give_up", noting)
    text = template(tmp_path, "data: {a: '{{ iteration }}'}\n", "patch.yaml")
    never = {"doneWhen": ["jsonpath={.data.never}=so"], "maxWaitTimeout": "300ms"}
    load = on(
        "maps", "patch", patch={"templateFile": text}, qps=200, burst=1, duration="1s", **never
    )
    folder = RunFolder(tmp_path / "results")
    result = await simulated.run(config(maps(tmp_path), load), sink=folder)
    assert result.exit_code == 1
    assert accounts(result).unfinished == accounts(result).requested == 200
    assert 30 < most < 60
    assert any("more than 30 operations waited" in each for each in result.problems)
    assert folder.path is not None
    (folder.path / "summary.json").unlink()
    assert rebuild_results(folder.path).result.operations == result.operations

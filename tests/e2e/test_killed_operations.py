"""Operations of a run that was killed, from its journal: what they were when it went on."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from operation_load import on
from workloads import config, objects, template

from perfscale.engine.context import RunContext
from perfscale.engine.tracking.operations.effects import Effects
from perfscale.results import OperationAccounts, RunFolder, RunOutcome, rebuild_results

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from clusters import ClusterUnderTest

    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.results import RunResult

COUNT = 150
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-{{ replica }}}\n"
DECIDED = {"done", "failed"}


def loads(directory: Path) -> list[dict[str, Any]]:
    """Creates, then patches of which one fails in the end, beside lists that end by their time."""
    made = objects(template(directory, MAP, "map.yaml"), COUNT)
    path = "{{ '/nowhere/a' if target.index == 1 and iteration == 3 else '/data' }}"
    patch = template(directory, f"- {{op: add, path: {path}, value: {{a: b}}}}\n", "patch.yaml")
    lists = {**on("maps", "list", background=True, qps=50, duration="200ms"), "name": "lists"}
    patches = on("maps", "patch", patch={"type": "json", "templateFile": patch}, iterationCount=3)
    return [{"name": "maps", "iterationCreationWait": True, "objects": [made]}, lists, patches]


def lines(folder: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The records of operations, by what tells them apart."""
    path = folder / "operations.ndjson"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    keys = ("workload", "iteration", "operation", "name", "scheduled_s", "sent_s")
    return {tuple(record[key] for key in keys): record for record in records}


def cut(folder: Path, target: Path, share: float) -> RunResult:
    """The report on the run as if it had been killed after that share of its journal."""
    shutil.copytree(folder, target)
    journal = (folder / "journal.ndjson").read_bytes().splitlines(keepends=True)
    (target / "journal.ndjson").write_bytes(b"".join(journal[: int(share * len(journal))]))
    for name in ("summary.json", "operations.ndjson"):
        (target / name).unlink()
    return rebuild_results(target).result


async def test_a_report_on_a_killed_run_has_the_operations_that_its_journal_has(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = RunFolder(tmp_path / "results")
    load = config(*loads(tmp_path))
    async with simulated.generator(load, sink=sink) as generator:
        whole = await generator.run()
    assert sink.path is not None
    every = lines(sink.path)
    assert len([each for each in every.values() if each["operation"] == "patch"]) == 3 * COUNT
    known = []
    for share in (0.2, 0.4, 0.6, 0.8, 0.95):
        folder = tmp_path / f"killed-{share}"
        result = cut(sink.path, folder, share)
        assert result.outcome is RunOutcome.KILLED
        found = lines(folder)
        decided = {key for key, each in found.items() if each["outcome"] in DECIDED}
        assert [(found[key], every[key]) for key in decided if found[key] != every[key]] == []
        assert found.keys() <= every.keys()
        known.append(len(decided))
        for workload in result.workloads:
            assert all(each.accounts.balanced for each in workload.operations)
        for operation in result.operations:
            accounts = operation.accounts
            assert operation.effect.count == accounts.done
            if operation.operation == "patch":
                assert accounts.requested == 3 * COUNT
    assert known == sorted(known)
    assert known[-1] > known[0]
    (sink.path / "summary.json").unlink()
    rebuilt = rebuild_results(sink.path).result
    assert rebuilt.operations == whole.operations
    assert [each.rate for each in rebuilt.workloads] == [each.rate for each in whole.workloads]


async def test_a_report_forgets_operations_that_are_done_and_knows_them_all(
    simulated: ClusterUnderTest, tmp_path: Path, generators: int | None
) -> None:
    sink = RunFolder(tmp_path / "results")
    made = objects(template(tmp_path, MAP, "map.yaml"), 1500)
    maps = {"name": "maps", "iterationCreationWait": True, "objects": [made]}
    load = config(maps, on("maps", "get", maxInFlight=generators or 1))
    async with simulated.generator(load, sink=sink) as generator:
        whole = await generator.run()
    assert sink.path is not None
    (sink.path / "summary.json").unlink()
    rebuilt = rebuild_results(sink.path).result
    assert rebuilt.operations == whole.operations
    (operation,) = rebuilt.operations
    assert operation.accounts.done == 1500


async def test_of_loads_that_end_by_their_time_a_killed_run_has_an_account_of_the_last_second(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    sink = RunFolder(tmp_path / "results")
    made = objects(template(tmp_path, MAP, "map.yaml"), 1000)
    maps = {"name": "maps", "qps": 100, "burst": 1, "duration": "2s", "objects": [made]}
    gets = on("maps", "get", qps=100, burst=1, duration="2s")
    async with simulated.generator(config(maps, gets), sink=sink) as generator:
        await generator.run()
    assert sink.path is not None
    for name in ("objects", "operations"):
        path = sink.path / f"{name}.ndjson"
        records = [json.loads(line) for line in path.read_text().splitlines()]
        for share in (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9):
            result = cut(sink.path, tmp_path / f"{name}-{share}", share)
            sent = sum(each["sent_s"] < result.duration_s + 1.0 for each in records)
            accounts = result.accounts if name == "objects" else _operations(result)
            assert accounts.balanced
            assert accounts.requested - accounts.unknown <= sent
            if accounts.requested:
                assert accounts.requested >= sent


async def test_what_a_load_that_ends_by_its_time_asks_for_is_on_disk_before_its_first_request(
    simulated: ClusterUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = RunFolder(tmp_path / "results")
    text = MAP.replace("map-{{", "map-{{ iteration }}-{{")
    made = objects(template(tmp_path, text, "map.yaml"), 1000)
    rate = {"qps": 50, "burst": 1, "duration": "100ms", "iterationCount": 3}
    maps = {"name": "maps", "iterationCreationWait": True, "objects": [made], **rate}
    first: dict[tuple[str, int], set[tuple[str, int]]] = {}

    def look(scope: IterationScope) -> None:
        where = (scope.workload, scope.iteration)
        if where not in first:
            assert sink.path is not None
            journal = (sink.path / "journal.ndjson").read_bytes().splitlines()
            entries = [json.loads(line) for line in journal]
            begun = {each["i"]: each for each in entries if each["e"] == "iteration"}
            due = [begun[each["i"]] for each in entries if each["e"] == "due"]
            first[where] = {(each["workload"], each["iteration"]) for each in due}

    send_object, send_operation = RunContext.send, Effects.send

    def create(context: RunContext, row: TrackedObject, instant: float) -> None:
        look(row.scope)
        send_object(context, row, instant)

    def operate(effects: Effects, operation: TrackedOperation, now: float) -> None:
        look(operation.scope)
        send_operation(effects, operation, now)

    monkeypatch.setattr(RunContext, "send", create)
    monkeypatch.setattr(Effects, "send", operate)
    load = config(maps, on("maps", "get", **rate))
    async with simulated.generator(load, sink=sink) as generator:
        await generator.run()
    assert set(first) == {(name, number) for name in ("maps", "load") for number in (1, 2, 3)}
    assert all(where in known for where, known in first.items())


def _operations(result: RunResult) -> OperationAccounts:
    return sum((each.accounts for each in result.operations), OperationAccounts())

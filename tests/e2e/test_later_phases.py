"""What creation came to, and what operations did later to the same objects, stand apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from operation_load import accounts, done, on
from workloads import config, objects, template

from perfscale.engine import RunOptions
from perfscale.results import REPLACEMENT, RunFolder, RunOutcome, rebuild_results
from perfscale.results.documents import write_documents
from perfscale.templates import TemplateDefaults, packaged_file

if TYPE_CHECKING:
    from pathlib import Path

    from clusters import ClusterUnderTest

    from perfscale.config import Config
    from perfscale.results import KindResult, RunResult

COUNT = 8
FOREIGN = RunOptions(defaults=TemplateDefaults(), allow_foreign=True)
VM = "VirtualMachine"
VMI = "VirtualMachineInstance"
STOPPED_VM = """
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: "vm-{{ replica }}", namespace: density-1}
spec:
  runStrategy: Halted
  template:
    spec: {domain: {devices: {}, resources: {requests: {memory: 64Mi}}}}
"""
POOL = """
apiVersion: pool.kubevirt.io/v1beta1
kind: VirtualMachinePool
metadata: {name: "pool-{{ replica }}", namespace: density-1}
spec:
  replicas: 1
  selector: {matchLabels: {pool: "pool-{{ replica }}"}}
  virtualMachineTemplate:
    metadata: {labels: {pool: "pool-{{ replica }}"}}
    spec:
      runStrategy: Always
      template:
        metadata: {labels: {pool: "pool-{{ replica }}"}}
        spec: {domain: {devices: {}, resources: {requests: {memory: 64Mi}}}}
"""


def made(template_file: str, count: int = COUNT, **keys: Any) -> dict[str, Any]:
    variables = keys.pop("variables", {})
    load = {**objects(template_file, count, **variables), **keys}
    return {"name": "made", "iterationCreationWait": True, "objects": [load]}


async def run(
    cluster: ClusterUnderTest, directory: Path, load: Config, options: RunOptions | None = None
) -> tuple[RunResult, Path]:
    """Run it; what its journal makes of it has to be the same."""
    sink = RunFolder(directory / "results")
    async with cluster.generator(load, sink=sink, options=options) as generator:
        result = await generator.run()
    assert result.outcome is RunOutcome.PASSED, result.problems
    assert sink.path is not None
    records = {name: lines(sink.path, name) for name in ("objects", "children")}
    (sink.path / "summary.json").unlink()
    rebuilt = rebuild_results(sink.path).result
    for whole, again in zip(result.workloads, rebuilt.workloads, strict=True):
        assert again.kinds == whole.kinds
        assert again.child_kinds == whole.child_kinds
    assert {name: lines(sink.path, name) for name in records} == records
    return result, sink.path


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    path = folder / f"{name}.ndjson"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return sorted(records, key=lambda record: str(record["uid"]))


def counts(kind: KindResult) -> dict[str, tuple[int, int]]:
    """How many were seen in each phase, and how many are missing."""
    return {name: (each.count, each.missing) for name, each in kind.phases.items()}


async def test_phases_that_come_with_a_start_are_no_part_of_the_creation(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    stopped = made(template(tmp_path, STOPPED_VM, "vm.yaml"))
    result, folder = await run(simulated, tmp_path, config(stopped, on("made", "start")))
    assert accounts(result) == done(COUNT)
    created = result.workloads[0]
    assert counts(created.kinds[VM]) == {"Stopped": (COUNT, 0), "Ready": (COUNT, 0)}
    assert created.kinds[VM].transitions == ()
    for record in lines(folder, "objects"):
        assert list(record["phases_s"]) == ["Stopped"]
        assert all(at_s > record["ready_s"] for at_s in record["later_phases_s"].values())
    instances = created.child_kinds[VMI]
    assert instances.accounts.ready == COUNT
    assert instances.made_by == {"start": COUNT}
    assert not any(latency.count for latency in instances.phases.values())


async def test_instances_of_a_restart_do_not_make_creation_slower(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    loads = [on("made", "restart"), {**on("made", "restart"), "name": "again"}]
    result, folder = await run(simulated, tmp_path, config(made("vm-ephemeral.yaml"), *loads))
    assert accounts(result, 1) == accounts(result, 2) == done(COUNT)
    machines, instances = (
        kinds[name]
        for kinds, name in ((result.workloads[0].kinds, VM), (result.workloads[0].child_kinds, VMI))
    )
    ready = machines.phases["Ready"]
    assert ready.max is not None
    for latency in (*machines.phases.values(), instances.phases["Running"]):
        assert latency.max is not None
        assert latency.max <= ready.max
        assert latency.missing == 0
    assert instances.phases["Running"].count == COUNT
    assert instances.accounts.ready == 3 * COUNT
    assert instances.made_by == {"restart": 2 * COUNT}
    for record in lines(folder, "objects"):
        assert max(record["phases_s"].values()) <= record["ready_s"]
        assert min(record["later_phases_s"].values()) > record["ready_s"]
    written = vmi_latencies(folder)
    assert len(written) == COUNT
    assert all(each["vmiRunningLatency"] <= 1000 * ready.max + 1 for each in written)


def vmi_latencies(folder: Path) -> list[dict[str, Any]]:
    (path,) = write_documents(folder).glob("vmiLatencyMeasurement-*.json")
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("kind", ["VirtualMachineInstanceReplicaSet", "VirtualMachinePool"])
async def test_what_a_scale_has_made_is_no_part_of_the_creation(
    simulated: ClusterUnderTest, tmp_path: Path, kind: str
) -> None:
    sets = made("vmirs-ephemeral.yaml", 2, variables={"vmis": 1})
    if kind == "VirtualMachinePool":
        sets = made(template(tmp_path, POOL, "pool.yaml"), 2)
    result, _ = await run(simulated, tmp_path, config(sets, on("made", "scale", to=3)))
    assert accounts(result) == done(2)
    for child in result.workloads[0].child_kinds.values():
        if child.accounts.requested:
            assert child.accounts.ready == 6
            assert child.made_by == {"scale": 4}
            assert child.phases["Ready"].count == 2


async def test_the_pods_that_migrations_go_to_are_no_part_of_the_creation(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    # Pods of instances are seen where a workload makes pods of its own, and so watches them.
    pods = {**made("pod.yaml", 1), "name": "pods"}
    instances = made(str(packaged_file("examples/migration-storm/templates/migratable-vmi.yaml")))
    load = config(pods, instances, on("made", "migrate"))
    result, folder = await run(simulated, tmp_path, load)
    assert accounts(result, 2) == done(COUNT)
    launchers = result.workloads[1].child_kinds["Pod"]
    assert launchers.made_by == {"migrate": COUNT}
    assert launchers.phases["Ready"].count == COUNT
    assert len([each for each in lines(folder, "children") if each["made_by"]]) == COUNT


async def test_an_instance_in_the_place_of_one_that_somebody_deleted_is_a_replacement(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    gone = {
        **on("made", "delete"),
        "targets": {"apiVersion": "kubevirt.io/v1", "kind": VMI, "namespace": "density-1"},
    }
    wait = {**on("made", "get", qps=20, duration="1s"), "name": "later"}
    load = config(made("vm-ephemeral.yaml"), gone, wait)
    result, _ = await run(simulated, tmp_path, load, FOREIGN)
    instances = result.workloads[0].child_kinds[VMI]
    assert instances.made_by == {REPLACEMENT: COUNT}
    assert instances.phases["Running"].count == COUNT


async def test_what_is_ready_by_being_created_has_its_phases_all_the_same(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    created = made("vmi-ephemeral.yaml", readyWhen="create")
    paused = on("made", "get", qps=20, duration="1s")
    result, _ = await run(simulated, tmp_path, config(created, paused))
    assert counts(result.workloads[0].kinds[VMI])["Running"] == (COUNT, 0)


async def test_instances_of_vms_that_churn_replaces_are_those_of_their_creation(
    simulated: ClusterUnderTest, tmp_path: Path
) -> None:
    load = {
        **made("vm-ephemeral.yaml"),
        "churn": {"count": 2, "interval": "100ms", "rounds": 3},
    }
    result, _ = await run(simulated, tmp_path, config(load))
    instances = result.workloads[0].child_kinds[VMI]
    assert instances.made_by == {}
    assert instances.churn is not None
    assert instances.churn.phases["Ready"].count == 6

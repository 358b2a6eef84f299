"""Two kinds of one name in different API groups are two kinds everywhere."""

import json
from pathlib import Path

from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.config import Config
from perfscale.engine import RunOptions
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import Accounts, RunFolder, RunResult, rebuild_results, summarize
from perfscale.results.pages import write_page
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.storage.catalogue import Catalogue
from perfscale.sim.storage.kinds import KINDS
from perfscale.sim.storage.resources import Kind
from perfscale.sim.storage.store import Store
from perfscale.templates import TemplateDefaults

GROUPS = ("one.example.com", "two.example.com")
WIDGETS = tuple(
    Kind(group, ("v1",), "widgets", "Widget", generation=True, builtin=False) for group in GROUPS
)
MACHINES = Kind("other.example.com", ("v1",), "virtualmachineinstances", "VirtualMachineInstance")


def widgets(directory: Path, group: str, count: int) -> dict[str, object]:
    text = f'apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: "widget-{{{{ replica }}}}"}}\n'
    return objects(template(directory, text, f"{group}.yaml"), count)  # type: ignore[no-any-return]


async def run(load: Config, *kinds: Kind, folder: Path) -> tuple[RunResult, Path]:
    store = Store(catalogue=Catalogue((*KINDS, *kinds)))
    async with SimulatedCluster(speed=100.0, seed=1, store=store) as cluster:
        kubeconfig = folder / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        sink = RunFolder(folder / "results")
        options = RunOptions(defaults=TemplateDefaults())
        async with load_generator(
            load, cluster=ClusterOptions(kubeconfig=str(kubeconfig)), results=sink, options=options
        ) as generator:
            result = await generator.run()
    assert sink.path is not None
    return result, sink.path


async def test_kinds_of_one_name_have_accounts_of_their_own(tmp_path: Path) -> None:
    load = config(workload(*(widgets(tmp_path, group, 2 + i) for i, group in enumerate(GROUPS))))
    result, folder = await run(load, *WIDGETS, folder=tmp_path)
    assert result.problems == ()
    expected = {
        f"Widget.{group}": Accounts(requested=n, created=n, ready=n, deleted=n)
        for n, group in enumerate(GROUPS, start=2)
    }
    assert {kind: each.accounts for kind, each in result.kinds.items()} == expected
    told = json.loads((folder / "summary.json").read_text())["kinds"]
    assert {kind: each["apiVersion"] for kind, each in told.items()} == {
        f"Widget.{group}": f"{group}/v1" for group in GROUPS
    }
    records = [json.loads(line) for line in (folder / "objects.ndjson").read_text().splitlines()]
    assert {(each["kind"], each["api_version"]) for each in records} == {
        (f"Widget.{group}", f"{group}/v1") for group in GROUPS
    }
    page = write_page(folder).read_text()
    assert all(f"density: Widget.{group}" in page for group in GROUPS)
    # The journal tells the same, rates included.
    before, after = summarize(result), summarize(rebuild_results(folder).result)
    assert (after["kinds"], after["workloads"]) == (before["kinds"], before["workloads"])


async def test_a_kind_that_is_the_only_one_of_its_name_has_no_more_than_its_name(
    tmp_path: Path,
) -> None:
    load = config(workload(widgets(tmp_path, GROUPS[0], 1)))
    result, _ = await run(load, *WIDGETS, folder=tmp_path)
    assert list(result.kinds) == ["Widget"]
    assert result.kinds["Widget"].api_version == "one.example.com/v1"


async def test_thresholds_and_readiness_are_of_the_kind_in_its_own_group(tmp_path: Path) -> None:
    text = (
        "apiVersion: other.example.com/v1\nkind: VirtualMachineInstance\nmetadata: {name: x}\n"
        "spec: {domain: {devices: {}}}\n"
    )
    threshold = {"metric": "vmiRunning", "quantile": "max", "max": "1h"}
    load = config(
        workload(objects(count=2), objects(template(tmp_path, text), 1), thresholds=[threshold])
    )
    result, _ = await run(load, MACHINES, folder=tmp_path)
    assert result.problems == ()
    kinds = result.kinds
    assert kinds["VirtualMachineInstance.kubevirt.io"].path[-1] == "Running"
    assert kinds["VirtualMachineInstance.other.example.com"].path == ()
    assert [each.passed for each in result.thresholds] == [True]

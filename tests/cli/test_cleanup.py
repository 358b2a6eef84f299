"""`perfscale cleanup`: what a killed run left goes, and nothing else."""

import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from clusters import CONFIGMAPS, VMIS
from command_line import CommandLine
from simulated_api import Api, manifest, serving
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

from perfscale.config.labels import RUN_LABEL, run_labels
from perfscale.kube.resources import NAMESPACES
from perfscale.sim.storage.store import Store


@pytest.mark.parametrize("results", ["results", "elsewhere"])
def test_what_a_killed_run_left_goes_with_or_without_its_results(
    results: str, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    namespace = f"killed-{results}"
    at = ("--kubeconfig", simulated.kubeconfig)
    workload = write_workload(
        perfscale.folder,
        entry("vmi-ephemeral.yaml", 2, namespace),
        entry("vm-ephemeral.yaml", 2, namespace),
        entry("vmirs-ephemeral.yaml", 1, namespace, vmis=2),
        iterationCount=2,
        namespacedIterations=True,
        iterationCleanup=False,
        iterationDeletionWait=False,
        waitWhenFinished="10m",
    )
    with perfscale.start("run", workload, *at) as run:
        run.says("iteration 2")
        run.reaches(lambda: simulated.has(NAMESPACES, f"{namespace}-2"), "the second namespace")
        run.signal(signal.SIGKILL)
        run_id = run.ends().run_id
    simulated.create_namespace(f"{namespace}-foreign", run_labels(f"another-{results}", "w", 1))
    simulated.create(CONFIGMAPS, "theirs", "default", metadata={"labels": {"of": namespace}})
    (folder,) = perfscale.results
    assert folder.name.endswith(run_id)
    cleaned = perfscale("cleanup", "--run-id", run_id, *at, "--results-dir", results)
    assert cleaned.code == 0, cleaned.err
    assert "VirtualMachineInstance" in cleaned.out
    assert f"run {run_id}: removed" in cleaned.out
    assert simulated.left_of(run_id) == {}
    assert not [item for item in simulated.objects(VMIS) if namespace in str(item)]
    assert simulated.has(NAMESPACES, f"{namespace}-foreign")
    assert simulated.has(CONFIGMAPS, "theirs", "default")
    simulated.request("DELETE", CONFIGMAPS.path("default", "theirs"))


def test_a_run_that_nobody_knows_is_an_error(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    ended = perfscale("cleanup", "--run-id", "unheard-of", "--kubeconfig", simulated.kubeconfig)
    assert ended.code == 1
    assert "run unheard-of not found" in ended.err
    assert "nothing to remove" not in ended.out


@pytest.mark.parametrize(
    "arguments",
    [(), ("--all", "--run-id", "some"), ("--run-id", "some", "--force"), ("--run-id", "a,b=c")],
)
def test_a_command_line_that_does_not_say_what_to_remove_is_refused(
    arguments: tuple[str, ...], perfscale: CommandLine
) -> None:
    ended = perfscale("cleanup", *arguments)
    assert ended.code == 2
    assert "error: " in ended.err


OLD, YOUNG = "0000001d-0000-4000-8000-000000000001", "00000009-0000-4000-8000-000000000002"
OF_OLD, OF_YOUNG = f"of-{OLD}", f"of-{YOUNG}"


class Past:
    """A store whose clock a test sets."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.store = Store(now=lambda: self.now)

    def leave(self, run_id: str, *, hours: float) -> None:
        """Have a run leave a namespace and an object in it some hours ago."""
        self.now = datetime.now(UTC) - timedelta(hours=hours)
        labels = run_labels(run_id, "density", 1)
        metadata = {"name": f"of-{run_id}", "labels": labels}
        self.store.create(NAMESPACES, {"metadata": metadata})
        here = {"namespace": f"of-{run_id}", "labels": labels}
        self.store.create(CONFIGMAPS, manifest(CONFIGMAPS, "map", metadata=here))
        self.now = datetime.now(UTC)


@pytest.fixture
def past() -> Past:
    return Past()


def kubeconfig_of(api: Api, folder: Path) -> Path:
    path = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "past",
        "contexts": [{"name": "past", "context": {"cluster": "past"}}],
        "clusters": [{"name": "past", "cluster": {"server": api.url}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


async def test_all_lists_the_runs_and_leaves_out_those_that_may_be_going_on(
    past: Past, perfscale: CommandLine
) -> None:
    past.leave(OLD, hours=26)
    past.leave(YOUNG, hours=0.5)
    past.store.create(NAMESPACES, {"metadata": {"name": "theirs"}})

    def namespaces() -> set[str]:
        names = {record.name for record in past.store.records(NAMESPACES)}
        return names & {OF_OLD, OF_YOUNG, "theirs"}

    async with serving(past.store) as api:
        command = ("cleanup", "--all", "--kubeconfig", kubeconfig_of(api, perfscale.folder))
        unasked = await perfscale.beside(*command)
        assert unasked.code == 1
        assert "--yes" in unasked.err
        assert namespaces() == {OF_OLD, OF_YOUNG, "theirs"}
        old, young = (line for line in unasked.out.splitlines() if line.startswith((OLD, YOUNG)))
        assert re.match(rf"{OLD} +2 +26h\S* ", old)
        assert re.match(rf"{YOUNG} +2 +30m\S* ", young)
        assert "left alone" in young
        assert "left alone" not in old

        calm = await perfscale.beside(*command, "--yes")
        assert calm.code == 0, calm.err
        assert f"run {OLD}: removed" in calm.out
        assert namespaces() == {OF_YOUNG, "theirs"}

        forced = await perfscale.beside(*command, "--yes", "--force")
        assert forced.code == 0, forced.err
        assert namespaces() == {"theirs"}

        nothing = await perfscale.beside(*command)
        assert nothing.code == 0
        assert "nothing to remove" in nothing.out


async def test_all_leaves_alone_what_only_carries_the_same_label(
    past: Past, perfscale: CommandLine
) -> None:
    past.leave("production", hours=26)
    past.leave(OLD, hours=26)
    theirs = {"name": "theirs", "namespace": f"of-{OLD}", "labels": {RUN_LABEL: YOUNG}}
    past.store.create(NAMESPACES, {"metadata": {"name": "legacy", "labels": {RUN_LABEL: YOUNG}}})
    past.store.create(
        CONFIGMAPS, manifest(CONFIGMAPS, "map", metadata={**theirs, "namespace": "legacy"})
    )
    async with serving(past.store) as api:
        command = ("cleanup", "--all", "--yes", "--force")
        kubeconfig = kubeconfig_of(api, perfscale.folder)
        ended = await perfscale.beside(*command, "--kubeconfig", kubeconfig)
        assert ended.code == 0, ended.err
        assert f"run {OLD}: removed" in ended.out
        label = f"with {RUN_LABEL}="
        assert f"left alone: 1 ConfigMap {label}production, not made by perfscale" in ended.out
        assert f"left alone: 1 Namespace {label}{YOUNG}, not made by perfscale" in ended.out
        left = {record.name for record in past.store.records(NAMESPACES)}
        assert {"of-production", "legacy"} <= left
        assert OF_OLD not in left

        named = ("cleanup", "--run-id", YOUNG, "--kubeconfig", kubeconfig)
        ended = await perfscale.beside(*named)
        assert ended.code == 0, ended.err
        assert "legacy" not in {record.name for record in past.store.records(NAMESPACES)}


ABROAD = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: abroad-{{ replica }}
  namespace: default
"""


def test_what_the_run_made_goes_also_where_somebody_took_its_label(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    at = ("--kubeconfig", simulated.kubeconfig)
    (perfscale.folder / "abroad.yaml").write_text(ABROAD)
    workload = write_workload(
        perfscale.folder,
        entry("abroad.yaml", 3, "abroad"),
        iterationCleanup=False,
        iterationDeletionWait=False,
    )
    ran = perfscale("run", workload, *at)
    assert ran.code == 0, ran.err
    labels = {"metadata": {"labels": {RUN_LABEL: None}}}
    simulated.request("PATCH", CONFIGMAPS.path("default", "abroad-1"), labels)
    simulated.request("DELETE", CONFIGMAPS.path("default", "abroad-2"))
    simulated.create(CONFIGMAPS, "abroad-2", "default")
    cleaned = perfscale("cleanup", "--run-id", ran.run_id, *at)
    assert cleaned.code == 0, cleaned.err
    assert "1 ConfigMap that the run made, without its label" in cleaned.out
    assert not simulated.has(CONFIGMAPS, "abroad-1", "default")
    assert simulated.has(CONFIGMAPS, "abroad-2", "default"), "it is another by now"
    assert not simulated.has(CONFIGMAPS, "abroad-3", "default")
    simulated.request("DELETE", CONFIGMAPS.path("default", "abroad-2"))


def test_nothing_needs_a_standard_input(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    run_id = "0000000c-0000-4000-8000-000000000003"
    simulated.create(
        CONFIGMAPS, "closed", "default", metadata={"labels": run_labels(run_id, "w", 1)}
    )
    cleanup = f"{perfscale.program} cleanup --kubeconfig {simulated.kubeconfig}"
    asked = perfscale.shell(f"{cleanup} --all --force <&-")
    assert asked.code == 1
    assert "Not without a terminal: say --yes." in asked.err
    ended = perfscale.shell(f"{cleanup} --run-id {run_id} <&-")
    assert ended.code == 0, ended.err
    assert not simulated.has(CONFIGMAPS, "closed", "default")


@pytest.mark.parametrize("content", ["{}", "not JSON", '{"runId": "%s", "kinds": 5}'])
def test_a_damaged_folder_of_the_run_is_named_and_does_not_stop_the_cleanup(
    content: str, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    run_id = "0000000d-0000-4000-8000-000000000004"
    folder = perfscale.folder / "results" / f"density-20260102T030405Z-{run_id}"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(content.replace("%s", run_id))
    simulated.create(
        CONFIGMAPS, "damaged", "default", metadata={"labels": run_labels(run_id, "w", 1)}
    )
    ended = perfscale("cleanup", "--run-id", run_id, "--kubeconfig", simulated.kubeconfig)
    assert ended.code == 0, ended.err
    assert f"{folder.name}/run.json: it does not describe a run" in ended.err
    assert not simulated.has(CONFIGMAPS, "damaged", "default")

"""`perfscale run` as a script uses it: exit codes, results, and what goes to which stream."""

import json
import os
import platform
import re
from typing import Any

import pytest
import yaml
from command_line import CommandLine, Ended
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

from perfscale.config import load_config
from perfscale.kube.resources import NAMESPACES

ACCOUNTS = {
    "requested", "created", "ready", "failed", "unready", "notAttempted", "deleted", "leftover",
    "unknown",
    "lost",
}  # fmt: skip
STATISTICS = {"count", "min", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"}
RECORD = {
    "kind", "namespace", "name", "uid", "workload", "iteration", "replica", "outcome", "error",
    "scheduled_s", "admitted_s", "sent_s", "created_s", "phases_s", "ready_s",
    "delete_requested_s", "deleted_s",
}  # fmt: skip
FAST = ("--simulate", "--speed", "50")


def balanced(accounts: dict[str, int]) -> bool:
    parts = ("ready", "failed", "unready", "notAttempted")
    return accounts["requested"] == sum(accounts[part] for part in parts)


def test_the_packaged_workload_runs_and_its_results_say_all_and_run_again(
    perfscale: CommandLine,
) -> None:
    ended = perfscale("run", *FAST, "--replicas", "5", "--output", "json")
    assert ended.code == 0, ended.err
    (folder,) = perfscale.results
    assert re.fullmatch(rf"kubevirt-density-\d{{8}}T\d{{6}}Z-{ended.run_id}", folder.name)
    summary = json.loads((folder / "summary.json").read_text())
    assert json.loads(ended.out) == summary
    check_summary(summary, ended.run_id)
    check_run_file(json.loads((folder / "run.json").read_text()), ended.run_id)
    check_objects((folder / "objects.ndjson").read_text())
    resolved = folder / "workload.yaml"
    (workload,) = load_config(resolved).workloads
    assert (workload.qps, workload.objects[0].replicas) == (20, 5)
    again = perfscale("run", resolved, *FAST, "--qps", "7", "--burst", "3")
    assert again.code == 0, again.err
    assert "5 VirtualMachineInstance, at 7/s, 3 at once" in again.err


OPERATIONS = """\
workloads:
  - name: maps
    iterationCreationWait: true
    objects: [{templateFile: configmap.yaml, replicas: 20}]
  - name: lists
    operation: list
    background: true
    qps: 50
    targets: {workload: maps}
  - name: patches
    operation: patch
    qps: 100
    burst: 1
    iterationCount: 2
    thresholds: [{metric: patchResponse, quantile: max, max: 1ns}, {metric: unfinished, max: 0}]
    targets: {workload: maps}
    patch: {templateFile: patch.yaml}
"""


def test_operations_stand_in_the_results_as_creates_do(perfscale: CommandLine) -> None:
    (perfscale.folder / "three.yaml").write_text(OPERATIONS)
    (perfscale.folder / "patch.yaml").write_text("data: {a: b}\n")
    ended = perfscale("run", "three.yaml", *FAST)
    assert ended.code == 3, ended.err
    assert "✗ patches: patchResponse max is " in ended.out
    assert "✓ patches: unfinished is 0; at most 0 is wanted" in ended.out
    assert re.search(r"^lists  in the background$", ended.out, re.MULTILINE)
    said = r"patches  2 iterations\n +\S+ patch requests a second accepted, of 100 wanted"
    assert re.search(said, ended.out)
    assert re.search(r"patch of ConfigMap\n +40 requested, 40 done\n", ended.out)
    assert re.search(r"^response +40 +0 ", ended.out, re.MULTILINE)
    (folder,) = perfscale.results
    summary = json.loads((folder / "summary.json").read_text())
    patches = summary["workloads"][2]
    assert (patches["operation"], patches["background"]) == ("patch", False)
    (patch,) = patches["operations"]
    assert patch["operations"] == {
        "requested": 40, "done": 40, "failed": 0, "unfinished": 0, "notAttempted": 0,
        "unknown": 0,
    }  # fmt: skip
    assert patch["response"].keys() >= STATISTICS
    assert patch["effect"]["count"] == 40
    assert patches["rate"]["sent"] == 40
    assert summary["workloads"][1]["background"]
    lines = (folder / "operations.ndjson").read_text().splitlines()
    assert len([line for line in lines if json.loads(line)["operation"] == "patch"]) == 40
    assert '<testcase name="patchResponse max at most 1ns"' in (folder / "junit.xml").read_text()
    assert perfscale("compare", folder, folder).code == 0
    again = perfscale("report", folder.relative_to(perfscale.folder))
    assert again.out == ended.out


def check_summary(summary: dict[str, Any], run_id: str) -> None:
    assert summary["schemaVersion"] == 2
    assert summary["runId"] == run_id
    assert summary["startedAt"] < summary["finishedAt"]
    assert (summary["outcome"], summary["exitCode"]) == ("passed", 0)
    assert summary["watch"].keys() == {"reconnects", "relists"}
    (workload,) = summary["workloads"]
    (iteration,) = workload["iterations"]
    for part in (summary, workload, iteration):
        assert part["objects"].keys() == part["children"].keys() == ACCOUNTS
        assert balanced(part["objects"])
    for part in (workload, iteration):
        assert part["rate"]["targetQps"] == 20
        assert "achievedQps" in part["rate"]
        phases = part["kinds"]["VirtualMachineInstance"]["phases"]
        assert {"Pending", "Scheduling", "Scheduled", "Running"} <= phases.keys()
        assert all(phase.keys() >= STATISTICS for phase in phases.values())
        assert phases["Running"]["count"] == 5
        assert 0 < phases["Running"]["min"] <= phases["Running"]["p50"] <= phases["Running"]["max"]
    assert summary["objects"]["requested"] == summary["objects"]["deleted"] == 5


def check_run_file(document: dict[str, Any], run_id: str) -> None:
    assert document["runId"] == run_id
    assert document["cluster"]["server"].startswith("http://127.0.0.1:")
    assert {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance"} in document["kinds"]
    assert document["namespaces"] == ["kubevirt-density-1"]
    assert document["command"][1:3] == ["run", "--simulate"]
    assert document["cluster"]["nodes"] == 10  # as many as are simulated where nobody says
    assert document["client"]["python"] == platform.python_version()
    assert document["client"]["cpus"] == os.cpu_count()


def check_objects(text: str) -> None:
    records = [json.loads(line) for line in text.splitlines()]
    assert [record["replica"] for record in records] == [1, 2, 3, 4, 5]
    for record in records:
        assert record.keys() >= RECORD
        assert record["phases_s"]["Running"] <= record["ready_s"] < record["deleted_s"]


def test_the_header_says_what_is_about_to_happen_where_and_the_end_what_has(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(
        perfscale.folder,
        entry("vmi-ephemeral.yaml", 2, "header"),
        entry("configmap.yaml", 3, "header"),
        qps=40,
        burst=8,
        iterationCount=2,
        namespacedIterations=True,
    )
    at = ("--kubeconfig", simulated.kubeconfig)
    ended = perfscale("run", workload, *at, TERM="xterm-256color")
    assert ended.code == 0, ended.err
    header = ended.err[: ended.err.index("iteration 1")]
    for told in (
        ended.run_id,
        f"context simulated, {simulated.server}",
        "header-1, header-2",
        "4 VirtualMachineInstance, 6 ConfigMap in 2 iterations, at 40/s, 8 at once",
        "once created: ConfigMap (see readyWhen)",
    ):
        assert told in header
    assert simulated.left_of(ended.run_id) == {}
    (folder,) = perfscale.results
    for told in ("PASSED", "4 requested, 4 created, 4 ready, 4 deleted", f"results/{folder.name}"):
        assert told in ended.out
    assert "waiting until ready" in ended.err
    assert "waiting until ready" not in ended.out
    # Piped, as here, it is plain text.
    assert "\x1b" not in ended.out + ended.err


@pytest.mark.parametrize("output", ["text", "json"])
def test_what_keep_leaves_goes_with_the_command_that_is_printed(
    output: str, perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 2, f"keep-{output}"))
    at = ("--kubeconfig", simulated.kubeconfig, "--results-dir", "here and there")
    ended = perfscale("run", workload, "--keep", "--output", output, *at)
    assert ended.code == 0, ended.err
    # The launcher pod of a VMI has the VMI's labels, the run's among them.
    left = {"virtualmachineinstances": 2, "pods": 2, "namespaces": 1}
    assert simulated.left_of(ended.run_id) == left
    told = ended.out if output == "text" else ended.err
    (command,) = re.findall(r"^ *(perfscale cleanup .*)$", told, re.MULTILINE)
    if output == "json":
        assert json.loads(ended.out)["objects"]["ready"] == 2
    cleaned = perfscale.shell(command)
    assert cleaned.code == 0, cleaned.err
    assert f"run {ended.run_id}: removed" in cleaned.out
    assert simulated.left_of(ended.run_id) == {}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--set", "workloads[0].qsp=50"), "workloads[0].qsp"),
        (("--set", "workloads[7].qps=50"), "index 7"),
        (("--set", "workloads[0].qps=fast"), "fast"),
        (("--replicas", "0"), "replicas"),
        (("--kubeconfig", "some.file"), "--kubeconfig"),
        (("--speed", "inf"), "--speed"),
        (("--cleanup-timeout", "5"), "--cleanup-timeout"),
        (("--output", "xml"), "--output"),
        (("missing.yaml",), "missing.yaml"),
    ],
)
def test_a_wrong_command_line_is_refused_before_there_is_a_cluster(
    arguments: tuple[str, ...], told: str, perfscale: CommandLine
) -> None:
    refused(perfscale("run", "--simulate", *arguments), told)
    assert perfscale.results == []


def refused(ended: Ended, *told: str) -> None:
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    for text in told:
        assert text in ended.err


def test_a_results_folder_that_cannot_be_written_is_found_before_anything_is_created(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    (perfscale.folder / "file").touch()
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 2, "unwritable"))
    at = ("--kubeconfig", simulated.kubeconfig, "--results-dir", "file/results")
    refused(perfscale("run", workload, *at), "file/results", "--results-dir")
    assert "unwritable-1" not in simulated.names(NAMESPACES)


def test_a_kind_that_is_not_installed_is_refused_before_anything_is_created(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    manifest = {"apiVersion": "example.org/v1", "kind": "Widget"}
    text = yaml.safe_dump({**manifest, "metadata": {"name": "widget-{{ replica }}"}})
    (perfscale.folder / "widget.yaml").write_text(text)
    workload = write_workload(
        perfscale.folder,
        entry("vmi-ephemeral.yaml", 1, "uninstalled"),
        entry("widget.yaml", 1, "uninstalled"),
    )
    ended = perfscale("run", workload, "--kubeconfig", simulated.kubeconfig)
    refused(ended, "example.org is not installed on this cluster", f"{workload}:")
    assert "uninstalled-1" not in simulated.names(NAMESPACES)
    assert perfscale.results == []


def test_an_object_that_is_refused_gives_exit_code_1_and_is_named(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: 'empty-{{ replica }}'}\nspec: {}\n"
    (perfscale.folder / "pod.yaml").write_text(pod)
    workload = write_workload(perfscale.folder, entry("pod.yaml", 2, "refused"))
    ended = perfscale("run", workload, "--kubeconfig", simulated.kubeconfig)
    assert ended.code == 1
    assert "FAILED" in ended.out
    assert "failed: Pod refused-1/empty-1: " in ended.err
    assert simulated.left_of(ended.run_id) == {}


def test_stages_are_logged_on_request(perfscale: CommandLine) -> None:
    ended = perfscale("run", "-v", *FAST, "--replicas", "1", "--keep")
    assert ended.code == 0
    assert " INFO perfscale." in ended.err
    assert "DEBUG" not in ended.err
    # What is kept goes with its cluster, so there is nothing to clean up.
    assert "cleanup" not in ended.out


def test_a_run_ends_with_a_report_and_names_it(perfscale: CommandLine) -> None:
    ended = perfscale("run", *FAST, "--replicas", "2")
    assert ended.code == 0, ended.err
    (folder,) = perfscale.results
    assert f"report:  results/{folder.name}/report.html" in ended.out.splitlines()
    page = (folder / "report.html").read_text()
    assert ended.run_id in page
    assert "VirtualMachineInstance by phase" in page
    (folder / "report.html").unlink()
    again = perfscale("report", folder)
    assert again.code == 0
    assert (folder / "report.html").read_text() == page


def test_a_run_that_is_to_write_no_report_writes_none(perfscale: CommandLine) -> None:
    ended = perfscale("run", *FAST, "--replicas", "2", "--no-report")
    assert ended.code == 0, ended.err
    (folder,) = perfscale.results
    assert not (folder / "report.html").exists()
    assert "report.html" not in ended.out


def test_objects_that_nothing_waits_for_are_said_to_be_so_and_how_to_wait(
    perfscale: CommandLine,
) -> None:
    workload = write_workload(
        perfscale.folder,
        entry("vmi-ephemeral.yaml", 3, "minimal"),
        iterationCreationWait=False,
        iterationCleanup=False,
        iterationDeletionWait=False,
    )
    ended = perfscale("run", workload, "--simulate", "--speed", "0.1")
    said = "3 unready objects were not waited for: with iterationCreationWait: true"
    assert ended.code == 0, ended.err
    assert said in ended.out
    (folder,) = perfscale.results
    assert said in (folder / "report.html").read_text()
    [told] = json.loads((folder / "summary.json").read_text())["workloads"]
    assert told["notWaitedFor"].startswith(said)


@pytest.mark.parametrize("load", [{}, {"duration": "1s"}])
def test_an_operation_that_finds_no_object_is_noted_wherever_the_run_ends(
    perfscale: CommandLine, load: dict[str, str]
) -> None:
    targets = {"kind": "ConfigMap", "apiVersion": "v1", "labelSelector": "tier=web"}
    workload = {"name": "reads", "operation": "get", "targets": {**targets, "optional": True}}
    (perfscale.folder / "nothing.yaml").write_text(json.dumps({"workloads": [workload | load]}))
    ended = perfscale("run", "nothing.yaml", "--simulate")
    assert ended.code == 0, ended.err
    said = "no object matched its selector (ConfigMap with tier=web): there was nothing to do"
    assert said in ended.out
    (folder,) = perfscale.results
    assert f"reads: {said}" in (folder / "report.html").read_text()
    [noted] = json.loads((folder / "summary.json").read_text())["workloads"]
    assert noted["matchedNothing"] == said


def test_a_quiet_run_says_only_how_it_ended(perfscale: CommandLine) -> None:
    ended = perfscale("run", *FAST, "--replicas", "2", "--quiet")
    assert (ended.code, ended.err) == (0, "")
    assert "PASSED" in ended.out


def test_a_quiet_run_still_tells_what_is_wrong(perfscale: CommandLine) -> None:
    (perfscale.folder / "faults.yaml").write_text("objects: [{fault: fails, phase: Scheduling}]")
    command = ("run", *FAST, "--faults", "faults.yaml", "--replicas", "1", "--quiet")
    ended = perfscale(*command)
    assert ended.code == 1
    assert "failed: VirtualMachineInstance" in ended.err
    assert "creating" not in ended.err
    assert perfscale("-v", *command, "-v").code == 2


def test_speed_is_for_simulations(perfscale: CommandLine) -> None:
    ended = perfscale("run", "--speed", "2")
    assert ended.code == 2
    assert "--speed is for --simulate" in ended.err


def test_the_header_says_how_long_reads_go_on(perfscale: CommandLine) -> None:
    content = """workloads:
  - name: lists
    operation: list
    qps: 20
    duration: 100ms
    targets: {apiVersion: v1, kind: ConfigMap}
"""
    (perfscale.folder / "lists.yaml").write_text(content)
    ended = perfscale("run", "lists.yaml", *FAST)
    assert ended.code == 0, ended.err
    assert (
        "workload lists  list ConfigMap in every namespace, 21 requests, 20/s, for 100ms"
        in ended.err
    )


def test_iterations_that_churn_adds_are_not_counted_among_those_of_the_file(
    perfscale: CommandLine,
) -> None:
    entries = entry("configmap.yaml", 1, "churned")
    workload = write_workload(
        perfscale.folder,
        entries,
        iterationCount=2,
        namespacedIterations=True,
        iterationCreationWait=True,
        iterationCleanup=False,
        iterationDeletionWait=False,
        churn={"count": 1, "rounds": 3, "of": "namespaces"},
    )
    ended = perfscale("run", workload, *FAST)
    assert ended.code == 0, ended.err
    said = "2 iterations, and 3 that churn put in their place"
    assert said in ended.out
    (folder,) = perfscale.results
    assert said in (folder / "report.html").read_text()

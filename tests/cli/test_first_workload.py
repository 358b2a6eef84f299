"""The way to a first workload: `init`, `examples`, and packaged workloads by name."""

import json

import pytest
import yaml
from command_line import CommandLine
from terminal import Terminal

from perfscale.templates.packaged import packaged_workloads

KINDS = {
    "vmi": "VirtualMachineInstance",
    "vm": "VirtualMachine",
    "vmirs": "VirtualMachineInstanceReplicaSet",
    "pod": "Pod",
    "configmap": "ConfigMap",
}


@pytest.mark.parametrize(("short", "kind"), KINDS.items())
def test_what_is_written_is_valid_and_has_a_comment_for_every_key(
    short: str, kind: str, perfscale: CommandLine
) -> None:
    bound = () if short == "configmap" else ("--ready-within", "1m30s")
    chosen = ("--kind", short, "--replicas", "7", "--qps", "2.5", "--iterations", "3", *bound)
    assert perfscale("init", "load.yaml", *chosen).code == 0
    checked = perfscale("validate", "load.yaml")
    assert checked.code == 0, checked.err
    assert f"21 {kind} in 3 iterations, at 2.5/s" in checked.out
    text = (perfscale.folder / "load.yaml").read_text(encoding="utf-8")
    keys = text.partition("workloads:\n")[2].partition("    objects:\n")[0].splitlines()
    assert all("# " in line for line in keys if not line.strip().startswith(("thresholds", "- {")))


def test_a_first_workload_runs(perfscale: CommandLine) -> None:
    assert perfscale("init").code == 0
    ended = perfscale("run", "workload.yaml", "--simulate", "--speed", "50", "--replicas", "3")
    assert ended.code == 0, ended.err


def test_a_file_that_is_there_is_kept_unless_it_is_to_be_written_over(
    perfscale: CommandLine,
) -> None:
    (perfscale.folder / "workload.yaml").write_text("mine", encoding="utf-8")
    refused = perfscale("init")
    assert refused.code == 2
    assert "is there already; --force writes over it" in refused.err
    assert (perfscale.folder / "workload.yaml").read_text(encoding="utf-8") == "mine"
    assert perfscale("init", "--force").code == 0


def test_a_bound_for_what_is_ready_at_once_is_refused(perfscale: CommandLine) -> None:
    refused = perfscale("init", "--kind", "configmap", "--ready-within", "1m")
    assert refused.code == 2
    assert list(perfscale.folder.glob("*.yaml")) == []


def test_a_file_that_cannot_be_written_is_an_error_with_the_reason(perfscale: CommandLine) -> None:
    refused = perfscale("init", "missing/workload.yaml")
    assert refused.code == 2
    assert "missing/workload.yaml: it cannot be written: No such file or directory" in refused.err


def test_on_a_terminal_it_asks_for_what_the_command_line_does_not_say(
    perfscale: CommandLine,
) -> None:
    command = [perfscale.program, "init", "asked.yaml", "--qps", "9"]
    with Terminal(command, perfscale.folder, perfscale.environment) as it:
        it.shows("What to create?")
        it.types("nothing\n")
        it.shows("one of vmi, vm, vmirs, pod, configmap")
        it.types("pod\n")
        it.shows("How many? [20]")
        it.types("12\n")
        it.shows("How often? [1]")
        it.types("\n")
        it.shows("99 of 100 ready within")
        it.types("45s\n")
        assert it.ends() == 0
        assert "How many a second" not in it.shown
    text = (perfscale.folder / "asked.yaml").read_text(encoding="utf-8")
    [workload] = yaml.safe_load(text)["workloads"]
    assert (workload["qps"], workload["iterationCount"]) == (9, 1)
    assert workload["objects"] == [{"templateFile": "templates/pod.yaml", "replicas": 12}]
    assert workload["thresholds"] == [{"metric": "podReady", "quantile": "p99", "max": "45s"}]


def test_the_packaged_workloads_are_listed_with_what_they_are(perfscale: CommandLine) -> None:
    ended = perfscale("examples")
    assert ended.code == 0
    for name in packaged_workloads():
        assert f"\n{name} " in f"\n{ended.out}"
    assert "One hundred virtual machines, created at 20 a second." in ended.out


def test_a_packaged_workload_is_printed_to_begin_with(perfscale: CommandLine) -> None:
    ended = perfscale("examples", "vm-density")
    assert ended.out == packaged_workloads()["vm-density"].read_text(encoding="utf-8")


def test_a_packaged_workload_runs_by_its_name(perfscale: CommandLine) -> None:
    options = ("--simulate", "--speed", "50", "--replicas", "3", "--output", "json")
    ended = perfscale("run", "vm-density", *options)
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["workloads"][0]["name"] == "vm-density-100"


@pytest.mark.parametrize("name", packaged_workloads())
def test_every_packaged_workload_is_valid_by_its_name(name: str, perfscale: CommandLine) -> None:
    ended = perfscale("validate", name)
    assert ended.code == 0, ended.err


def test_a_file_of_the_same_name_goes_first(perfscale: CommandLine) -> None:
    perfscale("init", "vm-density", "--kind", "pod")
    assert "Pod" in perfscale("validate", "vm-density").out


def test_a_folder_of_the_same_name_does_not(perfscale: CommandLine) -> None:
    (perfscale.folder / "vm-density").mkdir()
    assert perfscale("validate", "vm-density").code == 0


def test_a_name_that_is_none_gets_the_one_that_may_have_been_meant(perfscale: CommandLine) -> None:
    ended = perfscale("run", "vm-densty", "--simulate")
    assert ended.code == 2
    assert ended.err == (
        "error: vm-densty: there is no such file, and no packaged workload of that name\n"
        "hint: did you mean vm-density? perfscale examples lists those that are packaged\n"
    )


def completed(perfscale: CommandLine, line: str, **environment: str) -> list[str]:
    """What bash is offered at the end of a line."""
    words = line.split(" ")
    asked = {
        "_PERFSCALE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    ended = perfscale(**asked, **environment)
    assert ended.err == ""
    return ended.out.split()


def test_contexts_of_the_kubeconfig_are_completed(perfscale: CommandLine) -> None:
    place = {"cluster": "a", "user": "b"}
    contexts = [{"name": name, "context": place} for name in ("staging", "prod", "stage-2")]
    file = perfscale.folder / "kubeconfig"
    file.write_text(yaml.safe_dump({"contexts": contexts}), encoding="utf-8")
    line = "perfscale run --context sta"
    assert completed(perfscale, line, KUBECONFIG=str(file)) == ["stage-2", "staging"]
    assert completed(perfscale, line, KUBECONFIG=str(file.with_name("missing"))) == []


def test_workloads_are_completed_from_files_and_packaged_ones(perfscale: CommandLine) -> None:
    for name in ("vm-mine.yaml", "vm-notes.txt", "loads/one.yml"):
        path = perfscale.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("", encoding="utf-8")
    found = completed(perfscale, "perfscale run vm-")
    assert found == ["vm-mine.yaml", "vm-density"]
    assert completed(perfscale, "perfscale validate loads/") == ["loads/one.yml"]
    assert "loads/" in completed(perfscale, "perfscale run l")


def test_runs_are_completed_by_their_names(perfscale: CommandLine) -> None:
    options = ("--simulate", "--speed", "50", "--replicas", "1", "--tag", "build=7")
    run_id = perfscale("run", "vm-density", *options).run_id
    assert completed(perfscale, "perfscale report la") == ["latest"]
    assert completed(perfscale, f"perfscale compare {run_id[:4]}") == [run_id[:8]]
    assert completed(perfscale, "perfscale report bui") == ["build=7"]
    assert completed(perfscale, "perfscale report la", PERFSCALE_RESULTS_DIR="none") == []


def test_the_terminal_has_a_line_for_each_iteration(perfscale: CommandLine) -> None:
    options = ("--simulate", "--speed", "50", "--replicas", "1", "--iterations", "12")
    ended = perfscale("run", "kubevirt-density-warmup", *options)
    assert ended.code == 0, ended.err
    lines = [line.split() for line in ended.out.splitlines()]
    first = lines.index(["iteration", "seconds", "ready", "not", "ready", "p50", "p99"])
    rows = [line for line in lines[first + 1 : first + 12] if line]
    assert [row[0] for row in rows] == [
        "1", "2", "3", "4", "5", "...", "8", "9", "10", "11", "12",
    ]  # fmt: skip
    assert all(row[2:4] == ["1", "0"] for row in rows if row != ["..."])
    assert "2 more iterations are in the summary" in ended.out


def test_a_rate_that_no_workload_file_may_have_is_refused(perfscale: CommandLine) -> None:
    ended = perfscale("init", "fast.yaml", "--qps", "inf")
    assert ended.code == 2
    assert "--qps" in ended.err
    assert not (perfscale.folder / "fast.yaml").exists()

"""`perfscale search` as people use it, also after Ctrl-C and SIGKILL."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from clusters import CONFIGMAPS
from command_line import CommandLine, Ended
from simulated_process import SimulatedProcess

from perfscale import ClusterOptions, SearchPlan, find_limit
from perfscale.kube.resources import NAMESPACES

TEMPLATE: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: "load-{{ replica }}"
data:
  state: "{{ 'good' if size <= 20 else 'bad' }}"
"""
VARIED: Final = "workloads[0].objects[0].inputVars.size"
RANGE: Final = (
    "--vary", VARIED, "--from", "4", "--to", "64", "--tolerance", "30%", "--repeat", "1",
    "--settle", "0s",
)  # fmt: skip
ANSWER: Final = "holds at size=20 (1 of 1), lost at size=25 (0 of 1)"


def write_limited(folder: Path, **keys: Any) -> Path:
    """A workload whose cluster loses its threshold above a size of 20, whatever the machine does.

    It cleans nothing up, so that this is left to the search.
    """
    (folder / "map.yaml").write_text(TEMPLATE, encoding="utf-8")
    entry = {
        "templateFile": "map.yaml",
        "replicas": 3,
        "readyWhen": "jsonpath={.data.state}=good",
        "failedWhen": "jsonpath={.data.state}=bad",
        "inputVars": {"size": 1},
    }
    workload = {
        "name": "maps",
        "iterationCreationWait": True,
        "thresholds": [{"metric": "failed", "max": 0}],
        "objects": [entry],
        **keys,
    }
    path = folder / "maps.yaml"
    path.write_text(yaml.safe_dump({"workloads": [workload]}), encoding="utf-8")
    return path


def folder_of(perfscale: CommandLine) -> Path:
    (folder,) = (perfscale.folder / "results").glob("maps-search-*")
    return folder


def document_in(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "search.json").read_text(encoding="utf-8"))
    return document


def assert_nothing_is_left(cluster: SimulatedProcess, folder: Path) -> None:
    for step in document_in(folder)["steps"]:
        assert cluster.left_of(step["runId"]) == {}, step
        assert not step["remains"]


def searched(perfscale: CommandLine, cluster: SimulatedProcess) -> tuple[Path, dict[str, Any]]:
    """The folder of a search that has come to its end, and its document."""
    file = write_limited(perfscale.folder)
    ended = perfscale("search", file, *RANGE, "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 0, ended.err
    folder = folder_of(perfscale)
    return folder, document_in(folder)


def test_it_finds_the_limit_and_cleans_up_after_each_step(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    file = write_limited(perfscale.folder)
    ended = perfscale("search", file, *RANGE, "--kubeconfig", simulated.kubeconfig)
    assert ended.code == 0, ended.err
    assert ANSWER in ended.out
    assert "failed is 3, 3 more than 0" in ended.out
    folder = folder_of(perfscale)
    assert_nothing_is_left(simulated, folder)
    page = (folder / "search.html").read_text(encoding="utf-8")
    for step in document_in(folder)["steps"]:
        assert (folder / step["folder"] / "report.html").exists()
        assert f'href="{step["folder"]}/report.html"' in page


async def test_a_program_finds_the_same_limit(tmp_path: Path, simulated: SimulatedProcess) -> None:
    found = await find_limit(
        write_limited(tmp_path),
        VARIED,
        SearchPlan(4, 64, tolerance=0.3, repeat=1),
        cluster=ClusterOptions(kubeconfig=str(simulated.kubeconfig)),
        results=tmp_path / "results",
        settle_s=0.0,
    )
    assert found.answer is not None
    assert found.answer.text == ANSWER
    assert all(simulated.left_of(step.run_id) == {} for step in found.steps)


def test_a_search_is_not_gone_on_with_on_another_cluster(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    folder, document = searched(perfscale, simulated)
    document["steps"].pop()
    document["cluster"]["server"] = "https://staging.example:6443"
    (folder / "search.json").write_text(json.dumps(document), encoding="utf-8")
    resumed = perfscale("search", "--resume", folder, "--kubeconfig", simulated.kubeconfig)
    assert resumed.code == 2
    assert "the search began on https://staging.example:6443" in resumed.err


def test_what_a_step_left_on_another_cluster_is_not_taken_to_be_gone(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    folder, document = searched(perfscale, simulated)
    document["steps"][0]["remains"] = True
    (folder / "search.json").write_text(json.dumps(document), encoding="utf-8")
    run_json = folder / document["steps"][0]["folder"] / "run.json"
    run = json.loads(run_json.read_text(encoding="utf-8"))
    run["cluster"] |= {"server": "https://staging.example:6443", "version": "v1.34.0"}
    run_json.write_text(json.dumps(run), encoding="utf-8")
    resumed = perfscale("search", "--resume", folder, "--kubeconfig", simulated.kubeconfig)
    assert resumed.code == 2
    assert "the search began on https://staging.example:6443" in resumed.err
    assert document_in(folder)["steps"][0]["remains"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_in_the_middle_of_a_step_it_goes_on_to_the_same_answer(
    perfscale: CommandLine, simulated: SimulatedProcess, signum: signal.Signals
) -> None:
    file = write_limited(perfscale.folder)
    line = ("search", file, *RANGE, "--set", "workloads[0].waitWhenFinished=11m")
    with perfscale.start(*line, "--kubeconfig", simulated.kubeconfig) as running:
        running.says("pausing")
        folder = folder_of(perfscale)
        (step,) = document_in(folder)["steps"]
        assert len(simulated.objects(CONFIGMAPS, step["runId"])) == 3
        running.signal(signum)
        ended = running.ends()
    assert ended.code == (-signum if signum == signal.SIGKILL else 128 + signum)
    if signum != signal.SIGKILL:
        assert f"perfscale search --resume {Path('results') / folder.name}" in ended.err
        assert_nothing_is_left(simulated, folder)
    resumed = resume_without_pauses(perfscale, folder, simulated)
    assert resumed.code == 0, resumed.err
    assert ANSWER in resumed.out
    assert_nothing_is_left(simulated, folder)
    assert not any(
        namespace["metadata"]["name"].startswith("maps-")
        for namespace in simulated.objects(NAMESPACES)
    )
    assert document_in(folder)["steps"][0]["verdict"] is None


def resume_without_pauses(perfscale: CommandLine, folder: Path, cluster: SimulatedProcess) -> Ended:
    """Go on, without the eleven minutes in which the first step was caught."""
    for name in ("search.json", "workload.yaml"):
        path = folder / name
        path.write_text(path.read_text().replace("11m", "0s"), encoding="utf-8")
    return perfscale("search", "--resume", folder, "--kubeconfig", cluster.kubeconfig)


def test_a_limit_that_is_not_what_was_expected_exits_with_3(perfscale: CommandLine) -> None:
    file = write_limited(perfscale.folder)
    ended = perfscale("search", file, *RANGE, "--simulate", "--expect", ">=30", "--output", "json")
    assert ended.code == 3, ended.err
    document = json.loads(ended.out)
    assert document["answer"]["text"] == ANSWER
    assert document["expectation"] == {"text": ">=30", "met": False}


def test_a_curve_is_measured_on_both_sides_of_the_limit(perfscale: CommandLine) -> None:
    file = write_limited(perfscale.folder)
    line = ("search", file, "--vary", VARIED, "--from", "10", "--to", "40", "--strategy", "steps")
    ended = perfscale(*line, "--steps", "3", "--settle", "0s", "--simulate")
    assert ended.code == 0, ended.err
    verdicts = {
        step["value"]: step["verdict"] for step in document_in(folder_of(perfscale))["steps"]
    }
    assert verdicts == {10: "holds", 20: "holds", 40: "lost"}


def test_a_workload_file_without_thresholds_is_refused_with_an_example(
    perfscale: CommandLine,
) -> None:
    file = write_limited(perfscale.folder, thresholds=[])
    ended = perfscale("search", file, *RANGE, "--simulate")
    assert ended.code == 2
    assert "it has no thresholds" in ended.err
    assert "- {metric: vmiReady, quantile: p99, max: 30s}" in ended.err
    assert not (perfscale.folder / "results").exists()


def test_a_rate_that_is_never_offered_is_not_counted_and_ends_the_search(
    perfscale: CommandLine,
) -> None:
    file = write_limited(perfscale.folder)
    many = ("--set", "workloads[0].objects[0].replicas=15")
    line = ("search", file, *many, "--vary", "qps", "--from", "4", "--tolerance", "100%")
    ended = perfscale(*line, "--repeat", "1", "--settle", "0s", "--simulate")
    assert ended.code == 1, ended.err
    said = ended.out.replace("\n", " ")
    assert "holds at 4/s (1 of 1); 8/s cannot be judged: the rate is hardly offered" in said
    assert "7 of its requests come after its burst, 8 at once" in said
    assert "set burst: 1" in said
    steps = document_in(folder_of(perfscale))["steps"]
    assert [(step["value"], step["verdict"]) for step in steps] == [
        (4, "holds"),
        (8, "notCounted"),
        (8, "notCounted"),
    ]
    refused = perfscale(*line, "--to", "16", "--simulate")
    assert refused.code == 2
    assert "replicas: at 16/s the rate is never offered" in refused.err
    assert len(list((perfscale.folder / "results").glob("maps-search-*"))) == 1


def test_a_limit_of_the_run_above_the_rates_of_its_workloads_is_refused(
    perfscale: CommandLine,
) -> None:
    file = write_limited(perfscale.folder, qps=20, burst=1)
    line = ("search", file, "--vary", "globalConfig.qps", "--from", "1", "--to", "40")
    many = ("--set", "workloads[0].objects[0].replicas=100")
    refused = perfscale(*line, *many, "--simulate")
    assert refused.code == 2
    assert "maps.yaml:" in refused.err
    assert "workloads[0].qps: at qps=40 the limit holds nothing back" in refused.err
    assert "hint: vary qps" in refused.err
    assert not (perfscale.folder / "results").exists()


def test_a_file_that_has_changed_meanwhile_is_not_gone_on_with(perfscale: CommandLine) -> None:
    file = write_limited(perfscale.folder)
    with perfscale.start("search", file, *RANGE, "--simulate") as running:
        running.says("step 1")
        running.signal(signal.SIGINT)
        stopped = running.ends()
    folder = Path("results") / folder_of(perfscale).name
    assert f"perfscale search --resume {folder} --simulate" in stopped.err
    write_limited(perfscale.folder, maxWaitTimeout="7m")
    ended = perfscale("search", "--resume", folder_of(perfscale), "--simulate")
    assert ended.code == 2
    assert "it has changed since the search began" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a workload file, what to vary and from where on"),
        (("maps.yaml", "--vary", "qps", "--from", "5", "--to", "4"), "more than --from"),
        (("maps.yaml", "--vary", "qps", "--from", "5", "--tolerance", "5"), "is no share"),
        (("maps.yaml", "--vary", "qps", "--from", "5", "--strategy", "jump"), "bisect or steps"),
        (("maps.yaml", "--vary", "qps", "--from", "5", "--steps", "3"), "--strategy steps"),
        (("maps.yaml", "--vary", "qps", "--from", "5", "--expect", "40"), "as in '>=40'"),
        (("maps.yaml", "--vary", "qsp", "--from", "5"), "--vary"),
        (("maps.yaml", "--resume", "results"), "leave out the workload file"),
        (("--resume", "results"), "search.json: it cannot be read"),
        (("maps.yaml", "--vary", "qps", "--from", "5", "--context", "c"), "leave out --kubeconfig"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(
    perfscale: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    write_limited(perfscale.folder)
    ended = perfscale("search", *arguments, "--simulate")
    assert ended.code == 2, ended.err
    assert message in ended.err.replace("\n", " ")


def test_speed_is_for_simulated_clusters(perfscale: CommandLine) -> None:
    write_limited(perfscale.folder)
    ended = perfscale("search", "maps.yaml", "--vary", "qps", "--from", "5", "--speed", "2")
    assert ended.code == 2, ended.err
    assert "--speed is for --simulate" in ended.err

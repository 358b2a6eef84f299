"""What endpoints of a configuration of kube-burner ask and send, in runs."""

import json
from collections.abc import AsyncIterator

import pytest
import yaml
from command_line import CommandLine
from scripted_prometheus import ScriptedPrometheus, line, scripted_prometheus
from search_engine import SearchEngine
from simulated_process import SimulatedProcess

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: "a-{{.Iteration}}"}
spec: {containers: [{name: a, image: x}]}
"""
METRICS = "- {query: 'rate(cpu{job=\"{{ .JOB }}\"}[1m])', metricName: cpu}\n"
ALERTS = '- {expr: slow > 1, description: "it took {{$value}} s", severity: error}\n'
RUN = ("--simulate", "--speed", "50", "--quiet", "--no-report", "--allow-env")


@pytest.fixture
async def prometheus() -> AsyncIterator[ScriptedPrometheus]:
    async with scripted_prometheus() as started:
        yield started


@pytest.fixture
def written(perfscale: CommandLine, engine: SearchEngine, prometheus: ScriptedPrometheus) -> None:
    indexer = {"type": "opensearch", "esServers": [engine.url], "defaultIndex": "kube-burner"}
    job = {"name": "density", "namespace": "density", "preLoadImages": False}
    watchers = [{"kind": "Pod", "labelSelector": {"a": "b"}}]
    document = {
        "metricsEndpoints": [
            {"endpoint": prometheus.url, "alerts": ["alerts.yml"], "step": "1s"},
            {"indexer": {"type": "local"}},
            {"endpoint": prometheus.url, "metrics": ["m.yml"], "step": "1s", "indexer": indexer},
        ],
        "jobs": [{**job, "watchers": watchers, "objects": [{"objectTemplate": "pod.yml"}]}],
    }
    files = {"kb.yml": yaml.safe_dump(document), "pod.yml": POD, "m.yml": METRICS}
    for name, text in {**files, "alerts.yml": ALERTS}.items():
        (perfscale.folder / name).write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("written")
async def test_a_converted_file_asks_judges_writes_and_sends(
    perfscale: CommandLine,
    engine: SearchEngine,
    prometheus: ScriptedPrometheus,
    simulated: SimulatedProcess,
) -> None:
    prometheus.gives('rate(cpu{job="etcd"}[1m])', line((0, 0.5)))
    prometheus.gives("slow > 1", line((0, 2)))
    options = ("--allow-env", "--allow-foreign")  # so that there are workloads that help the job
    ended = await perfscale.beside("convert", "kb.yml", "--out", "ours", *options)
    assert ended.code == 0, ended.err
    cluster = ("--kubeconfig", str(simulated.kubeconfig), "--yes", *RUN[3:])
    ended = await perfscale.beside("run", "ours/kb.yml", *cluster, *options[1:], JOB="etcd")
    assert ended.code == 3, ended.err
    (folder,) = perfscale.results
    found = json.loads((folder / "summary.json").read_text())["problems"]
    assert found == ["audit: density: alert (error): it took 2 s"]
    (collected,) = folder.glob("collected-metrics-*")
    names = {path.stem for path in collected.iterdir()}
    assert {"cpu", "alert", "jobSummary"} <= names
    for metric in ("jobSummary", "cpu", "alert"):
        assert len(json.loads((collected / f"{metric}.json").read_text())) == 1, metric
    (summary,) = json.loads((collected / "jobSummary.json").read_text())
    assert summary["jobConfig"]["name"] == "density"
    assert {"cpu", "alert", "jobSummary"} <= {
        each["metricName"] for each in engine.documents.values()
    }


@pytest.mark.usefixtures("written")
async def test_on_a_simulated_cluster_nothing_is_asked_or_sent_unless_an_option_says_so(
    perfscale: CommandLine, engine: SearchEngine, prometheus: ScriptedPrometheus
) -> None:
    ended = await perfscale.beside("convert", "kb.yml", "--out", "ours")
    assert ended.code == 0, ended.err
    ended = await perfscale.beside("run", "ours/kb.yml", *RUN, "--results-dir", "apart")
    assert ended.code == 0, ended.err
    ended = await perfscale.beside("run", "kb.yml", *RUN)
    assert ended.code == 0, ended.err
    assert "their Prometheus is not asked" in ended.err
    assert "not sent to their indexer" in ended.err
    assert (engine.headers, prometheus.server.requests) == ([], [])
    (folder,) = perfscale.results
    assert list(folder.glob("collected-metrics-*"))


@pytest.mark.usefixtures("written")
def test_a_list_of_its_own_stands_in_the_place_of_the_files_endpoints(
    perfscale: CommandLine,
) -> None:
    endpoints = "- endpoint: http://{{ .HOST }}:9090\n  alerts: [none.yml]\n- {endpont: x}\n"
    (perfscale.folder / "e.yml").write_text(endpoints, encoding="utf-8")
    ended = perfscale("validate", "kb.yml", "-e", "e.yml", "--allow-env", HOST="here")
    assert ended.code == 2
    assert "e.yml:2:12: metricsEndpoints[0].alerts[0]: there is no file none.yml" in ended.err or (
        "e.yml:3" in ended.err and "endpont" in ended.err
    )
    (perfscale.folder / "e.yml").write_text("- endpoint: http://{{ .HOST }}:9090\n")
    ended = perfscale("validate", "kb.yml", "--metrics-endpoint", "e.yml", "--allow-env", HOST="h")
    assert ended.code == 0, ended.err
    (perfscale.folder / "ours.yml").write_text("workloads: []\n")
    ended = perfscale("validate", "ours.yml", "-e", "e.yml")
    assert "a list of endpoints goes with a configuration of kube-burner" in ended.err


@pytest.mark.usefixtures("written")
def test_validate_reads_the_profiles(perfscale: CommandLine) -> None:
    ended = perfscale("validate", "kb.yml")
    assert ended.code == 2
    assert "m.yml:1:11: metrics[0].query: the variable JOB is not defined" in ended.err

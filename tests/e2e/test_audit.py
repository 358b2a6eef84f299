"""A real Prometheus that scrapes the simulated cluster agrees with what a run has measured.

It takes over a minute: counts by `increase()` are extrapolated, the less the longer the time.
"""

from __future__ import annotations

import bisect
import json
import statistics
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from command_line import CommandLine, until
from exposition import Page
from patience import PATIENCE_S
from real_prometheus import needs_prometheus, real_prometheus
from simulated_process import SimulatedProcess, simulated_process
from workload_file import WAITING, entry

from perfscale.audit import load_profile

BOUNDS_S: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0)
VMIS: Final = "virtualmachineinstances"
OWN_PROFILE: Final = f"""
variables: {{what: resource="{VMIS}"}}
queries:
  - name: creates
    query: >-
      increase(apiserver_request_total{{verb="POST", code="201", $what}}[$range] offset $offset)
  - name: updates
    query: >-
      increase(kubevirt_rest_client_requests_total{{verb="UPDATE", $what}}[$range] offset $offset)
    threshold: {{metric: creates, ratio: 9}}
"""


def write_workload(folder: Path, url: str) -> None:
    template = "vmi-ephemeral.yaml"
    limits = {"vmiCreationToRunningSecondsP99": 60}
    audit = {"prometheusURL": url, "scrapeInterval": "1s", "thresholds": limits}
    gone = {**WAITING, "qps": 20, "waitWhenFinished": "20s"}
    stays = {"iterationCreationWait": True, "waitWhenFinished": "20s"}
    document = {
        "globalConfig": {"audit": audit},
        "workloads": [
            {"name": "gone", **gone, "objects": [entry(template, 190, "gone")]},
            {"name": "stays", **stays, "objects": [entry(template, 10, "stays")]},
        ],
    }
    (folder / "w.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def run_to_its_end(perfscale: CommandLine, cluster: SimulatedProcess) -> Path:
    with perfscale.start("run", "w.yaml", "--kubeconfig", cluster.kubeconfig) as it:
        ended = it.ends(patience_s=180)
    assert ended.code == 0, ended.err
    assert "✓" in ended.out
    return perfscale.results[0]


def scrape(cluster: SimulatedProcess) -> Page:
    with urllib.request.urlopen(f"{cluster.server}/metrics", timeout=PATIENCE_S) as answer:  # noqa: S310
        return Page(answer.read().decode())


def is_scraped(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/api/v1/query?query=up", timeout=PATIENCE_S) as answer:  # noqa: S310
        return bool(json.load(answer)["data"]["result"])


def bucket_of(seconds: float) -> tuple[float, float]:
    above = bisect.bisect_left(BOUNDS_S, seconds)
    return BOUNDS_S[above - 1], BOUNDS_S[above]


@needs_prometheus
def test_what_prometheus_knows_of_a_run_is_what_the_run_has_measured(tmp_path: Path) -> None:
    perfscale = CommandLine(tmp_path)
    with (
        simulated_process(tmp_path, speed=1) as cluster,
        real_prometheus(tmp_path, cluster.server.removeprefix("http://")) as url,
    ):
        until(lambda: is_scraped(url), "the first scrape")
        write_workload(tmp_path, url)
        folder = run_to_its_end(perfscale, cluster)
        page = scrape(cluster)
        (tmp_path / "own.yaml").write_text(OWN_PROFILE, encoding="utf-8")
        file = folder / "perf-audit-input.json"
        ended = perfscale("audit", "--config-file", file, "--profile", "own.yaml")
        whole = perfscale("audit", "--config-file", file, "--profile", "kubernetes")

    assert ended.code == 0, ended.err
    updates = page.value("kubevirt_rest_client_requests_total", verb="UPDATE", resource=VMIS)
    counted = {name: each["value"] for name, each in json.loads(ended.out)["Values"].items()}
    assert counted["creates"] == pytest.approx(200, rel=0.02)
    assert counted["updates"] == pytest.approx(updates, rel=0.02)

    assert whole.code in (0, 3), whole.err  # a busy machine misses objectives
    told = json.loads(whole.out)["Values"]
    assert told[f"POST-{VMIS}-latencySecondsP99"]["value"] > 0
    assert told["apiserverRequestRate-201"]["value"] > 1

    summary = json.loads((folder / "summary.json").read_text())
    values = {name: each["value"] for name, each in summary["audit"]["total"]["values"].items()}
    assert summary["durationSeconds"] > 60
    assert summary["audit"]["dataUntil"] > summary["finishedAt"]
    assert values[f"UPDATE-{VMIS}-count"] == pytest.approx(updates, rel=0.02)
    assert values["running-phase-count"] == 10
    named = {query.name for query in load_profile("kubevirt").queries if "{" not in query.name}
    assert named <= values.keys()
    assert_percentiles_agree(folder, values)
    used = {name: value for name, value in values.items() if "Usage" in name}
    for name, value in used.items():
        if name.startswith("min") and "CPU" in name:
            # While nothing happens, the kernel's clock may not tick once for a process.
            assert 0 <= value <= used[name.replace("min", "avg", 1)]
        else:
            assert value > 0

    gone, stays = summary["audit"]["workloads"]
    assert gone["values"]["vmiDeletionToSucceededSecondsP50"]["value"] > 0
    assert stays["values"]["vmiDeletionToSucceededSecondsP50"]["value"] == 0
    series = json.loads((folder / "audit.json").read_text())["series"]
    drawn = {each["name"]: [point[1] for point in each["points"]] for each in series}
    assert max(drawn["VMIs running"]) > 100
    assert {"API requests POST", "API latency p99 POST", "virt-controller CPU"} <= drawn.keys()


def assert_percentiles_agree(folder: Path, values: dict[str, Any]) -> None:
    lines = (folder / "objects.ndjson").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    own = statistics.quantiles(
        (record["phases_s"]["Running"] - record["sent_s"] for record in records), n=100
    )
    for percent in (50, 95, 99):
        low, high = bucket_of(own[percent - 1])
        told = values[f"vmiCreationToRunningSecondsP{percent}"]
        assert told == pytest.approx(own[percent - 1], abs=high - low)

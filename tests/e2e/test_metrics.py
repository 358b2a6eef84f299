"""A real Prometheus scrapes a run, and the dashboard finds what it asks for."""

from __future__ import annotations

import json
import signal
import time
import urllib.parse
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from command_line import CommandLine, until
from patience import PATIENCE_S
from real_prometheus import needs_prometheus, real_prometheus
from run_metrics import dashboard_queries, metrics_address
from under_test import worker_options
from workload_file import WAITING, entry

CREATED: Final = 'perfscale_objects_created_total{kind="VirtualMachineInstance"}'


def series_of(url: str, query: str, since: float) -> list[Any]:
    """What a dashboard gets for a query, over all the time since then."""
    for variable, value in (("$__rate_interval", "4s"), ("$instance", ".+")):
        query = query.replace(variable, value)
    asked = urllib.parse.urlencode(
        {"query": query, "start": since, "end": time.time(), "step": "1s"}
    )
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{asked}", timeout=PATIENCE_S) as answer:  # noqa: S310
        found: list[Any] = json.load(answer)["data"]["result"]
    return found


def has_data(url: str, query: str, since: float) -> bool:
    return bool(series_of(url, query, since))


@needs_prometheus
def test_every_query_of_the_dashboard_finds_what_a_prometheus_has_scraped_of_a_run(
    tmp_path: Path,
) -> None:
    perfscale = CommandLine(tmp_path)
    # It goes on until the dashboard has seen enough, and is interrupted.
    machines = {"name": "machines", "objects": [entry("vm-ephemeral.yaml", 2, "scraped")]}
    restarts = {"name": "restarts", "operation": "restart", "targets": {"workload": "machines"}}
    on_and_on = {"iterationCount": 1000, "iterationWait": True, "background": True, "qps": 5}
    instances = {"name": "density", "objects": [entry("vmi-ephemeral.yaml", 3, "scraped")]}
    workload = tmp_path / "workload.yaml"
    document = {
        "workloads": [
            {**machines, "iterationCreationWait": True},
            {**restarts, **on_and_on},
            {**instances, **WAITING, "iterationCount": 1000, "qps": 20},
        ]
    }
    workload.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    since = time.time()
    simulated = ("--simulate", "--speed", "20", *worker_options())
    with perfscale.start("run", workload, *simulated, "--metrics-port", "0") as run:
        target = metrics_address(run).removeprefix("http://").removesuffix("/metrics")
        with real_prometheus(tmp_path, target) as url:
            for title, query in dashboard_queries().items():
                until(partial(has_data, url, query, since), title)
            (created,) = series_of(url, CREATED, since)
            run.signal(signal.SIGINT)
            ended = run.ends()
    assert ended.code == 130
    seen = [float(value) for _, value in created["values"]]
    assert seen == sorted(seen)
    summary = json.loads((perfscale.results[0] / "summary.json").read_text())
    assert (
        0
        < seen[-1]
        <= sum(
            each["objects"]["created"] for each in summary["workloads"] if each["name"] == "density"
        )
    )

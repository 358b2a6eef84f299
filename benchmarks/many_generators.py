"""What two generators create in the time of one, on a machine with two cores.

The API server is the simulated one, with nginx in front: that answers the creates of the load at
once (`return 201`), counts them, and passes everything else on. So what is measured is the
generators' work alone: templates, rate limit, requests, tracker, journal, and what the coordinator
merges. One in this process, then one and two in processes of their own, in turns.

Creates a second say something where the machine has nothing else to do; the CPU that a create
costs each of the processes does so on a busy one, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
import urllib.request
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml
from creates import ANSWER, RUN, VMIS, sink
from figures import Row, report

from perfscale import ClusterOptions, LoadGenerator, RunFolder, eventloop, load_config
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.dask.transport import DaskTransport
from perfscale.fleet.dask.workers import FleetOptions, connected_workers
from perfscale.sim.process import simulated_cluster_process

if TYPE_CHECKING:
    from typing import TypeAlias

    from perfscale import Config

    Figures: TypeAlias = dict[str, float]

NAMESPACE: Final = "generators"
LOCATIONS: Final = """
    location = /status {{ stub_status; }}
    location ~ ^{path}$ {{
      if ($request_method = POST) {{ return 201 '{answer}'; }}
      proxy_pass {upstream};
    }}
    location ~ ^/ {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
"""
CONTESTANTS: Final = {"one, in this process": 0, "one process": 1, "two processes": 2}
PROCESSES: Final = {
    "generators µs": "perfscale.fleet.processes.child",
    "this process µs": None,
    "workers µs": "spawn_main",
    "nginx µs": "nginx: worker",
}
"""A part of their command lines; None for this one."""
TICKS: Final = os.sysconf("SC_CLK_TCK")
GOES_ON: Final = 2000
"""Requests after which the load surely goes on."""


def workload(folder: Path) -> Config:
    """More than can be created; whoever measures interrupts it."""
    entry = {
        "templateFile": "vmi-ephemeral.yaml",
        "replicas": 900_000,
        "inputVars": {"namespace": NAMESPACE, "containerImg": "cirros"},
    }
    path = folder / "workload.yaml"
    document = {"workloads": [{"name": "density", "qps": 0, "objects": [entry]}]}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_config(path)


def answered(server: str) -> int:
    """How many requests nginx has answered."""
    with urllib.request.urlopen(f"{server}/status", timeout=60) as page:  # noqa: S310 -- http
        text: str = page.read().decode()
    found = re.search(r"\n *\d+ +\d+ +(\d+)", text)
    if found is None:
        sys.exit(f"nginx says: {text}")
    return int(found[1])


async def measure(count: int, server: str, config: Config, seconds: float) -> Figures:
    """For so many generators; 0: in this process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(json.dumps(_kubeconfig(server)), encoding="utf-8")
        cluster = ClusterOptions(kubeconfig=str(kubeconfig))
        results = RunFolder(folder / "results")
        async with AsyncExitStack() as stack:
            if count:
                workers = await stack.enter_async_context(connected_workers(FleetOptions(count)))
                generator: LoadGenerator = Coordinator(
                    config,
                    DaskTransport(workers),
                    generators=count,
                    cluster=cluster,
                    run_id=RUN,
                    results=results,
                )
            else:
                generator = LoadGenerator(config, cluster=cluster, run_id=RUN, results=results)
            await stack.enter_async_context(generator)
            running = asyncio.create_task(generator.run())
            try:
                return await _measure(server, seconds)
            finally:
                generator.interrupt()
                await running


async def _measure(server: str, seconds: float) -> Figures:
    begun = await asyncio.to_thread(answered, server)
    while (count := await asyncio.to_thread(answered, server)) < begun + GOES_ON:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    since_s, before = time.monotonic(), cpu_seconds()
    await asyncio.sleep(seconds)
    created = await asyncio.to_thread(answered, server) - count
    took_s, after = time.monotonic() - since_s, cpu_seconds()
    costs = {name: (after[name] - before[name]) / created * 1e6 for name in after}
    return {"a second": created / took_s, **costs}


def cpu_seconds() -> Figures:
    """What the processes have taken so far: this one, generators, Dask's workers, and nginx."""
    found = dict.fromkeys(PROCESSES, 0.0)
    for path in Path("/proc").glob("[0-9]*"):
        try:
            times = (path / "stat").read_text().rpartition(")")[2].split()[11:13]
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        for name, part in PROCESSES.items():
            if path.name == str(os.getpid()) if part is None else part in command:
                found[name] += sum(map(int, times)) / TICKS
                break
    return found


def _kubeconfig(server: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sink", "cluster": {"server": server}}],
        "users": [{"name": "sink", "user": {"token": "none"}}],
        "contexts": [{"name": "sink", "context": {"cluster": "sink", "user": "sink"}}],
        "current-context": "sink",
    }


async def rounds(number: int, seconds: float) -> list[dict[str, Figures]]:
    """All contestants in turns."""
    async with simulated_cluster_process(speed=100) as simulated:
        upstream = yaml.safe_load(simulated.read_text())["clusters"][0]["cluster"]["server"]
        locations = LOCATIONS.format(path=VMIS.path("[^/]+"), answer=ANSWER, upstream=upstream)
        with sink(locations) as server, tempfile.TemporaryDirectory() as folder:
            config = workload(Path(folder))
            return [
                {
                    name: await measure(count, server, config, seconds)
                    for name, count in CONTESTANTS.items()
                }
                for _ in range(number)
            ]


def main() -> None:
    """Measure, and compare with one process in the same round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each in a round")
    parser.add_argument("--least", type=float, metavar="RATIO", help="of two; less is an error")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    found = eventloop.run(rounds(options.rounds, options.seconds))
    report([_row(name, found) for name in CONTESTANTS], options.json)
    ratio = statistics.median(_ratio(each, "two processes") for each in found)
    if options.least is not None and ratio < options.least:
        sys.exit(
            f"two generators create {ratio:.2f} times as much as one, less than {options.least}"
        )


def _row(name: str, found: list[dict[str, Figures]]) -> Row:
    figures = {
        figure: statistics.median(each[name][figure] for each in found)
        for figure in ("a second", *PROCESSES)
    }
    ratio = statistics.median(_ratio(each, name) for each in found)
    return {"generators": name, "of one process": ratio, **figures}


def _ratio(found: dict[str, Figures], name: str) -> float:
    return found[name]["a second"] / found["one process"]["a second"]


if __name__ == "__main__":
    main()

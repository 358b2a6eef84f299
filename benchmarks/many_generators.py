"""What two generators create in the time of one, on a machine with two cores.

The API server is the simulated one, with nginx in front: that answers the creates of the load at
once (`return 201`), counts them, and passes everything else on. So what is measured is the
generators' work alone: templates, rate limit, requests, tracker, journal, and what the coordinator
merges. One in this process, then one and two in processes of their own, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
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
    from perfscale import Config

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


async def creates_a_second(count: int, server: str, config: Config, seconds: float) -> float:
    """Creates a second that nginx has answered, for so many generators; 0: in this process."""
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


async def _measure(server: str, seconds: float) -> float:
    begun = await asyncio.to_thread(answered, server)
    while (count := await asyncio.to_thread(answered, server)) < begun + GOES_ON:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    since_s = time.monotonic()
    await asyncio.sleep(seconds)
    created = await asyncio.to_thread(answered, server) - count
    return created / (time.monotonic() - since_s)


def _kubeconfig(server: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sink", "cluster": {"server": server}}],
        "users": [{"name": "sink", "user": {"token": "none"}}],
        "contexts": [{"name": "sink", "context": {"cluster": "sink", "user": "sink"}}],
        "current-context": "sink",
    }


async def rounds(number: int, seconds: float) -> list[dict[str, float]]:
    """All contestants in turns."""
    async with simulated_cluster_process(speed=100) as simulated:
        upstream = yaml.safe_load(simulated.read_text())["clusters"][0]["cluster"]["server"]
        locations = LOCATIONS.format(path=VMIS.path("[^/]+"), answer=ANSWER, upstream=upstream)
        with sink(locations) as server, tempfile.TemporaryDirectory() as folder:
            config = workload(Path(folder))
            return [
                {
                    name: await creates_a_second(count, server, config, seconds)
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
    ratio = statistics.median(each["two processes"] / each["one process"] for each in found)
    if options.least is not None and ratio < options.least:
        sys.exit(
            f"two generators create {ratio:.2f} times as much as one, less than {options.least}"
        )


def _row(name: str, found: list[dict[str, float]]) -> Row:
    return {
        "generators": name,
        "a second": statistics.median(each[name] for each in found),
        "of one process": statistics.median(each[name] / each["one process"] for each in found),
    }


if __name__ == "__main__":
    main()

"""What several generators create in the time of one.

The API server is the simulated one, with nginx in front: that answers the creates of the load at
once (`return 201`), counts them, and passes everything else on. So what is measured is the
generators' work alone: templates, rate limit, requests, tracker, journal, and what the coordinator
merges. One in this process, then one and more in processes of their own, in turns.

On one machine they share its cores with nginx and the coordinator. With ``--quota``, each has a
machine of its own, stood in for by a share of a core that Linux does not let it exceed.

Creates a second say something where the machine has nothing else to do; the CPU that a create
costs each of the processes does so on a busy one, too.
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml
from creates import RUN, VMIS, answer, kubeconfig_of, sink
from figures import Row, report
from machines import cpu_seconds, machine_of

from perfscale import ClusterOptions, LoadGenerator, RunFolder, eventloop, load_config
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.dask.transport import DaskTransport
from perfscale.fleet.dask.workers import FleetOptions, connected_workers
from perfscale.sim.process import simulated_cluster_process

if TYPE_CHECKING:
    from typing import TypeAlias

    from perfscale import Config
    from perfscale.fleet.transport import Connection, GeneratorInputs, Transport

    Figures: TypeAlias = dict[str, float]

WORKLOAD: Final = "density"
NAMESPACE: Final = "generators"
STATUS: Final = "\n location = /status { stub_status; }"
LOCATIONS: Final = """
    location = /{name}{path} {{
      if ($request_method = POST) {{ return 201 '{answer}'; }}
      proxy_pass {upstream}{path};
    }}
    location /{name}/ {{
      proxy_pass {upstream}/;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
"""
ALL: Final = "all"
"""Where one generator and the coordinator find the cluster; generators of many, under their index:
what their objects carry differs, and nginx sees only the path."""
COSTS: Final = {
    "generators µs": "perfscale.fleet.processes.child",
    "this process µs": None,
    "workers µs": "spawn_main",
    "nginx µs": "nginx: worker",
    "simulated µs": "perfscale.sim.process",
}
"""A part of their command lines; None for this one."""
GOES_ON: Final = 2000
"""Requests after which the load surely goes on."""
OTHERS: Final = 100
"""Requests in a run, besides creates, that cost nothing to speak of."""


@dataclass(frozen=True)
class Contest:
    """What is the same for all.

    Attributes:
        server: Nginx.
        config: The workload.
        seconds: For how long each is measured in a round.
        quota: Cores that each generator has, with its worker; None for no limit.
    """

    server: str
    config: Config
    seconds: float
    quota: float | None


class EachItsPath:
    """Starts generators that each find the cluster under the path of their index.

    Args:
        transport: What starts them.
        kubeconfigs: One for each.
    """

    def __init__(self, transport: Transport, kubeconfigs: list[str]) -> None:
        self._transport = transport
        self._kubeconfigs = kubeconfigs

    def start(self, inputs: GeneratorInputs) -> Connection:
        """Start one generator."""
        cluster = ClusterOptions(kubeconfig=self._kubeconfigs[inputs.shard.index])
        return self._transport.start(replace(inputs, cluster=cluster))


def workload(folder: Path) -> Config:
    """More than can be created; whoever measures interrupts it."""
    entry = {
        "templateFile": "vmi-ephemeral.yaml",
        "replicas": 900_000,
        "inputVars": {"namespace": NAMESPACE, "containerImg": "cirros"},
    }
    path = folder / "workload.yaml"
    document = {"workloads": [{"name": WORKLOAD, "qps": 0, "objects": [entry]}]}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_config(path)


def locations(upstream: str, most: int) -> str:
    """Those of nginx, for so many generators at most."""
    path = VMIS.path(f"{NAMESPACE}-1")
    shards = {ALL: None, **{str(index): index for index in range(most)}}
    return STATUS + "".join(
        LOCATIONS.format(name=name, path=path, answer=answer(WORKLOAD, shard), upstream=upstream)
        for name, shard in shards.items()
    )


def answered(server: str) -> int:
    """How many requests nginx has answered."""
    with urllib.request.urlopen(f"{server}/status", timeout=60) as page:  # noqa: S310 -- http
        text: str = page.read().decode()
    found = re.search(r"\n *\d+ +\d+ +(\d+)", text)
    if found is None:
        sys.exit(f"nginx says: {text}")
    return int(found[1])


async def measure(count: int, contest: Contest) -> Figures:
    """For so many generators; 0: in this process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cluster = ClusterOptions(kubeconfig=_kubeconfig(contest, ALL, folder))
        results = RunFolder(folder / "results")
        async with AsyncExitStack() as stack:
            if count:
                workers = await stack.enter_async_context(connected_workers(FleetOptions(count)))
                if contest.quota is not None:
                    for pid in workers.pids.values():
                        stack.enter_context(machine_of(pid, contest.quota))
                kubeconfigs = [_kubeconfig(contest, str(index), folder) for index in range(count)]
                generator: LoadGenerator = Coordinator(
                    contest.config,
                    EachItsPath(DaskTransport(workers), kubeconfigs),
                    generators=count,
                    cluster=cluster,
                    run_id=RUN,
                    results=results,
                )
            else:
                generator = LoadGenerator(
                    contest.config, cluster=cluster, run_id=RUN, results=results
                )
            await stack.enter_async_context(generator)
            return await _measure(generator, contest)


async def _measure(generator: LoadGenerator, contest: Contest) -> Figures:
    server = contest.server
    running = asyncio.create_task(generator.run())
    begun = await asyncio.to_thread(answered, server)
    try:
        while (since := await asyncio.to_thread(answered, server)) < begun + GOES_ON:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        since_s, before = time.monotonic(), cpu_seconds(COSTS)
        await asyncio.sleep(contest.seconds)
        created = await asyncio.to_thread(answered, server) - since
        took_s, after = time.monotonic() - since_s, cpu_seconds(COSTS)
    finally:
        generator.interrupt()
        result = await running
    others = await asyncio.to_thread(answered, server) - begun - result.accounts.created
    if others > OTHERS:
        sys.exit(f"{others} requests were no creates: this is not about creates")
    costs = {name: (after[name] - before[name]) / created * 1e6 for name in after}
    return {"a second": created / took_s, **costs}


def _kubeconfig(contest: Contest, name: str, folder: Path) -> str:
    """A file of that name in the folder, which leads to the path of that name."""
    path = folder / name
    path.write_text(json.dumps(kubeconfig_of(f"{contest.server}/{name}")), encoding="utf-8")
    return str(path)


async def rounds(counts: list[int], options: argparse.Namespace) -> list[dict[int, Figures]]:
    """All contestants in turns."""
    async with simulated_cluster_process(speed=100) as simulated:
        upstream = yaml.safe_load(simulated.read_text())["clusters"][0]["cluster"]["server"]
        with (
            sink(locations(upstream, max(counts))) as server,
            tempfile.TemporaryDirectory() as folder,
        ):
            contest = Contest(server, workload(Path(folder)), options.seconds, options.quota)
            return [
                {count: await measure(count, contest) for count in counts}
                for _ in range(options.rounds)
            ]


def main() -> None:
    """Measure, and compare with one process in the same round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each in a round")
    parser.add_argument(
        "--generators", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="0: no process"
    )
    parser.add_argument(
        "--quota",
        type=float,
        metavar="CORES",
        help="of each generator in a process, as if on a machine of its own; needs root, and "
        "the cpu controller of cgroups (version 1)",
    )
    parser.add_argument("--least", type=float, metavar="RATIO", help="of two; less is an error")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    counts = sorted({1, *options.generators})
    found = eventloop.run(rounds(counts, options))
    report([_row(count, found, options.quota) for count in counts], options.json)
    if options.least is not None:
        ratio = statistics.median(_ratio(each, 2) for each in found)
        if ratio < options.least:
            sys.exit(f"two generators create {ratio:.2f} times as much as one")


def _row(count: int, found: list[dict[int, Figures]], quota: float | None) -> Row:
    figures = {
        figure: statistics.median(each[count][figure] for each in found)
        for figure in ("a second", *COSTS)
    }
    ratio = statistics.median(_ratio(each, count) for each in found)
    return {"generators": _name(count, quota), "of one process": ratio, **figures}


def _name(count: int, quota: float | None) -> str:
    if count == 0:
        return "one, in this process"
    name = "one process" if count == 1 else f"{count} processes"
    return name if quota is None else f"{name}, {quota:g} of a core each"


def _ratio(found: dict[int, Figures], count: int) -> float:
    return found[count]["a second"] / found[1]["a second"]


if __name__ == "__main__":
    main()

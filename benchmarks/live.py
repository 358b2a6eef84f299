"""What the page of a run that goes on costs the run: `perfscale run` with and without `--web`.

In turns, on the same simulated cluster: nobody serves a page; a page is served and nobody reads
it; five readers read it, and a sixth that stops reading. Processor time is that of the run's own
process. Ends with exit code 1 if the page with its readers costs more than a tenth of a run
without one, or if a reader that reads did not get the report at the end.

    python benchmarks/live.py --replicas 2000 --qps 60 --rounds 3
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
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
from figures import Row, report

from perfscale.sim.process import simulated_cluster_process

_LIMIT: Final = 1.10
_READERS: Final = 5
WORKLOAD: Final = """
workloads:
  - name: page
    iterationCreationWait: true
    iterationCleanup: true
    iterationDeletionWait: true
    objects:
      - templateFile: templates/vmi-ephemeral.yaml
        inputVars: {containerImg: cirros-container-disk-demo}
"""


class Way(NamedTuple):
    """A way to run: whether the page is served, and whether it is read."""

    name: str
    served: bool
    read: bool


WAYS: Final = (Way("no page", False, False), Way("nobody reads", True, False),
               Way(f"{_READERS} read, one stalls", True, True))  # fmt: skip


class Pass(NamedTuple):
    """One run: its processor time, and what it measured in seconds."""

    cpu_s: float
    create_p99: float
    ready_p99: float
    loop_lag_p99: float
    updates: int


async def read(url: str) -> tuple[int, bool]:
    """Read the page to its end: how many updates came, and whether the report did."""
    updates, ended = 0, False
    async with aiohttp.ClientSession(read_bufsize=2**24) as session:
        async with session.get(url) as page:
            await page.read()
        timeout = aiohttp.ClientTimeout(total=None)
        async with session.get(f"{url}events", timeout=timeout) as events:
            async for line in events.content:
                updates += line.startswith(b"event: parts")
                ended = ended or line.startswith(b"event: report")
    return updates, ended


async def stall(url: str) -> None:
    """Ask for the updates, and read none."""
    host, port = re.findall(r"http://([^:/]+):(\d+)/", url)[0]
    _, writer = await asyncio.open_connection(host, int(port), limit=1)
    writer.write(f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    try:
        await asyncio.Event().wait()
    finally:
        writer.transport.abort()


async def run(way: Way, kubeconfig: Path, directory: Path, options: argparse.Namespace) -> Pass:
    """One run."""
    workload = directory / "page.yaml"
    workload.write_text(WORKLOAD, encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=directory) as results:
        command = [str(Path(sys.executable).with_name("perfscale")), "run"]
        command += ["--web"] if way.served else []
        command += [str(workload), f"--kubeconfig={kubeconfig}", f"--results-dir={results}"]
        command += [f"--replicas={options.replicas}", f"--qps={options.qps}"]
        before = os.times()
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        updates = await follow(process, read_it=way.read)
        if await process.wait():
            sys.exit(f"{' '.join(command)} ended with {process.returncode}")
        after = os.times()
        summary = summary_in(Path(results))
    cpu_s = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    [kind] = summary["kinds"].values()
    return Pass(cpu_s, kind["creation"]["p99"], kind["phases"]["Ready"]["p99"],
                summary["generator"]["loopLag"]["p99"], updates)  # fmt: skip


def summary_in(results: Path) -> Any:  # noqa: ANN401 -- JSON
    """The summary of the one run there."""
    return json.loads((results / "latest" / "summary.json").read_text(encoding="utf-8"))


async def follow(process: asyncio.subprocess.Process, *, read_it: bool) -> int:
    """Read the run's standard error, and its page if there are to be readers."""
    assert process.stderr is not None  # noqa: S101 -- it is a pipe
    readers: list[asyncio.Task[tuple[int, bool]]] = []
    stalled: asyncio.Task[None] | None = None
    async for line in process.stderr:
        found = re.match(rb"page\s+(\S+)", line)
        if found and read_it:
            url = found[1].decode()
            readers = [asyncio.create_task(read(url)) for _ in range(_READERS)]
            stalled = asyncio.create_task(stall(url))
    counts = await asyncio.gather(*readers)
    if stalled is not None:
        stalled.cancel()
    if not all(ended for _, ended in counts):
        sys.exit("a reader did not get the report")
    return min((updates for updates, _ in counts), default=0)


async def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=2000)
    parser.add_argument("--qps", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    passes: dict[Way, list[Pass]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(options.rounds):
            for way in WAYS:
                async with simulated_cluster_process() as kubeconfig:
                    found = await run(way, kubeconfig, Path(directory), options)
                passes[way].append(found)
                sys.stderr.write(f"{way.name}: {found}\n")
    report(list(rows(passes)), options.json)
    first, *_, last = (cpu_of(passes[way]) for way in WAYS)
    if last > _LIMIT * first:
        sys.exit(f"the page costs {last / first - 1:.0%} of a run")


def cpu_of(passes: list[Pass]) -> float:
    """The median of the processor time."""
    return statistics.median(each.cpu_s for each in passes)


def rows(passes: dict[Way, list[Pass]]) -> list[Row]:
    """A row for each way."""
    base = cpu_of(passes[WAYS[0]])
    return [
        {
            "page": way.name,
            "CPU, s": cpu_of(every),
            "of without": cpu_of(every) / base,
            "create p99, s": statistics.median(each.create_p99 for each in every),
            "ready p99, s": statistics.median(each.ready_p99 for each in every),
            "loop lag p99, s": statistics.median(each.loop_lag_p99 for each in every),
            "updates": statistics.median(each.updates for each in every),
        }
        for way, every in passes.items()
    ]


if __name__ == "__main__":
    asyncio.run(main())

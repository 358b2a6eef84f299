"""What an event costs: read off the watch, decoded, tracked, told to the journal.

A child process streams the lives of VMIs (`stream.py`): first as fast as it is read, for the CPU
of an event; then at a fixed rate, for how long the event loop is kept from anything else meanwhile.
Memory is that of an object which is there: what Python has allocated for it, in a run of its own
that is traced, and by how much the process has grown, buffers included.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from creates import VMIS, cluster_at, fail, inputs_of
from figures import Row, report
from stream import NAMESPACE, PHASES, name_of, uid_of

from perfscale import Plan, RunFolder, eventloop, load_config
from perfscale.config.labels import run_labels
from perfscale.engine.accounting.load_progress import PERIOD_S
from perfscale.engine.context import RunContext
from perfscale.engine.removal.namespaces import RunNamespaces
from perfscale.engine.sharding.portion import Requested
from perfscale.engine.tracking.observer import Observer
from perfscale.engine.tracking.readiness import Metadata
from perfscale.kube.resources import Place
from perfscale.templates import default_workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.engine.tracking.rows import IterationScope

RUN: Final = "benchmark"
EVENTS: Final = len(PHASES) + 2
"""Of each VMI."""
_LOOK_S: Final = 0.005
_WRITTEN_S: Final = 1.0
"""By then the journal holds all that there was to tell."""


@dataclass
class Cost:
    """What it took to follow all of them."""

    cpu_s: float
    elapsed_s: float
    resident_each: float
    allocated_each: float
    longest_lag_s: float


async def watch_lag(lags: list[float]) -> None:
    """How late the loop is whenever something is due."""
    while True:
        due_s = time.monotonic() + _LOOK_S
        await asyncio.sleep(_LOOK_S)
        lags.append(time.monotonic() - due_s)


async def keep_journal(context: RunContext) -> None:
    """What a run does beside."""
    while True:
        await asyncio.sleep(PERIOD_S)
        await context.journal.flush()


@contextmanager
def streaming(count: int, rate: float) -> Iterator[str]:
    """The child process; gives its URL."""
    labels = json.dumps(run_labels(RUN, RUN, 1))
    command = [sys.executable, str(Path(__file__).with_name("stream.py"))]
    process = subprocess.Popen(
        [*command, str(count), str(rate), labels], stdout=subprocess.PIPE, text=True
    )
    if process.stdout is None:
        raise RuntimeError("its output was asked for")
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def resident() -> int:
    """Bytes that the process holds now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def follow(server: str, count: int) -> Cost:
    """Follow ``count`` VMIs until they are gone, with all that a run does with an event."""
    config = load_config(default_workload())
    plan = Plan(
        run_id=RUN,
        context=None,
        server="",
        insecure=False,
        version=None,
        workloads=(),
        namespaces=(NAMESPACE,),
        resources={},
        child_resources=(),
        places=(Place(VMIS),),
    )
    with tempfile.TemporaryDirectory() as directory:
        folder = RunFolder(directory)
        async with cluster_at(server) as cluster, asyncio.TaskGroup() as tasks:
            inputs = inputs_of(config, plan, cluster.client, folder)
            folder.begin(inputs.info)
            context = RunContext(inputs, tasks, fail)
            cost = await _follow(context, count)
    return cost


def accept_all(context: RunContext, count: int) -> IterationScope:
    """Take answers to creates for all VMIs."""
    tracker, scope = context.tracker, context.tracker.open_iteration(RUN, 1, count)
    context.journal.begin_iteration(scope, Requested.of_one({VMIS.kind: count}), 0.0)
    for number in range(1, count + 1):
        row = tracker.schedule(scope, VMIS, NAMESPACE, name_of(number), replica=number)
        row.scheduled_s = row.admitted_s = number / 1000
        context.send(row, context.stopwatch.clock())
        answer = Metadata(
            name_of(number), uid_of(number), NAMESPACE, "2", creation_timestamp="2026-01-01"
        )
        now = context.stopwatch.now()
        context.publish(tracker.accept(row, answer, now, is_ready=False))
    return scope


async def _follow(context: RunContext, count: int) -> Cost:
    observer = Observer(context, RunNamespaces(context))
    await observer.start()  # what was there before a list that does not have it is gone
    gc.collect()
    before = resident()
    scope = accept_all(context, count)
    lags: list[float] = []
    await asyncio.sleep(_WRITTEN_S)
    watching = asyncio.create_task(watch_lag(lags))
    recording = asyncio.create_task(keep_journal(context))
    cpu_s, started_s = time.process_time(), time.monotonic()
    await context.client.request("POST", VMIS.path(NAMESPACE))
    await context.changed.wait_until(lambda: scope.ready == count)
    paused_s = time.monotonic()
    await asyncio.sleep(_WRITTEN_S)
    resident_each = (resident() - before) / count
    allocated_each = tracemalloc.get_traced_memory()[0] / count
    started_s += time.monotonic() - paused_s
    context.request_deletion(scope)
    await context.client.request("DELETE", VMIS.path(NAMESPACE))
    await context.changed.wait_until(lambda: scope.present == 0)
    cost = Cost(
        time.process_time() - cpu_s,
        time.monotonic() - started_s,
        resident_each,
        allocated_each,
        max(lags),
    )
    watching.cancel()
    recording.cancel()
    observer.stop()
    if scope.deleted != count or scope.failed:
        raise RuntimeError(f"{scope.deleted} of {count} deleted, {scope.failed} failed")
    return cost


def _measure(count: int, rate: float, *, traced: bool = False) -> Cost:
    if traced:
        tracemalloc.start()
    with streaming(count, rate) as server:
        return eventloop.run(follow(server, count))


def main() -> None:
    """Measure each case in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="1000,10000,50000", help="numbers of VMIs")
    parser.add_argument("--rate", type=float, default=20000, help="events a second")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    rows: list[Row] = []
    # A fresh process for each, so that none finds memory that another has left.
    spawn = multiprocessing.get_context("spawn")
    for count in map(int, options.counts.split(",")):
        for rate in (0.0, options.rate):
            with spawn.Pool(1) as pool:
                cost = pool.apply(_measure, (count, rate))
            with spawn.Pool(1) as pool:
                traced = pool.apply(_measure, (count, rate), {"traced": True})
            rows.append(
                {
                    "VMIs": count,
                    "events/s": "as they come" if not rate else f"{rate:g}",
                    "µs CPU/event": cost.cpu_s / (count * EVENTS) * 1e6,
                    "events/s read": count * EVENTS / cost.elapsed_s,
                    "allocated bytes/VMI": round(traced.allocated_each),
                    "resident bytes/VMI": round(cost.resident_each),
                    "longest lag ms": cost.longest_lag_s * 1e3,
                }
            )
    report(rows, options.json)


if __name__ == "__main__":
    main()

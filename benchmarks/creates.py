"""What a create costs the client, against a server that answers at once and is not Python's.

The server is nginx (`return 201`), so that all the CPU of this process is the client's. In turns:
raw aiohttp, which the others are measured by; our client; the whole engine, with rate limit,
template, task, tracker and records; and CustomObjectsApi of kubernetes_asyncio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
from figures import Row, report
from kubernetes_asyncio.client import ApiClient, Configuration, CustomObjectsApi

from perfscale import (
    Cluster,
    ClusterOptions,
    Config,
    Plan,
    TemplateDefaults,
    eventloop,
    load_config,
    open_cluster,
)
from perfscale.config.labels import run_labels
from perfscale.engine.context import RunContext
from perfscale.engine.events import Broadcast
from perfscale.engine.inputs import RunInputs
from perfscale.engine.load.creation import Creator, PlannedObject
from perfscale.engine.load.dispatching import Dispatcher
from perfscale.engine.load.pacing import Pacing
from perfscale.engine.load.server_warnings import ServerWarnings
from perfscale.engine.removal.verification import ObjectVerifier
from perfscale.engine.sharding.portion import Requested
from perfscale.engine.stopwatch import Stopwatch
from perfscale.kube.resources import Resource
from perfscale.results import ClusterInfo, RequestMeter, ResultSink, RunInfo
from perfscale.templates import compile_templates, default_workload

if TYPE_CHECKING:
    from perfscale.kube.client import Client

IN_FLIGHT: Final = 64
NAMESPACE: Final = "kubevirt-density-1"
VMIS: Final = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True
)
NGINX: Final = """
daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
  keepalive_requests 1000000; client_header_buffer_size 4k;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;{locations}
    location / {{
      return 201 '{answer}';
    }}
  }}
}}
"""

RUN: Final = "benchmark"


def answer(workload: str, shard: int | None = None) -> str:
    """What nginx answers to a create: an object that is the run's, and newer than any list.

    Without its labels the engine takes it for one that somebody has taken them from, and deletes
    it by its name; with a version before that of a list it is missing in, for one that is gone.
    """
    metadata = {
        "name": "kubevirt-density-1-1",
        "namespace": NAMESPACE,
        "uid": "$connection-$connection_requests",
        "resourceVersion": "1000000000",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": run_labels(RUN, workload, 1, shard),
    }
    return json.dumps(
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstance",
            "metadata": metadata,
            "spec": {},
        }
    )


ANSWER: Final = answer(load_config(default_workload()).workloads[0].name)

Contestant = Callable[[str, list[bytes]], Coroutine[None, None, None]]


@contextmanager
def sink(locations: str = "") -> Iterator[str]:
    """An nginx on loopback; gives its URL. It may have more locations than the one for creates."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(program).exists():
        sys.exit("nginx is not installed")
    with tempfile.TemporaryDirectory() as name:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        config = Path(name) / "nginx.conf"
        text = NGINX.format(directory=name, port=port, answer=ANSWER, locations=locations)
        config.write_text(text, encoding="utf-8")
        server = subprocess.Popen([program, "-p", name, "-c", config], stderr=subprocess.DEVNULL)
        try:
            _wait_until_it_listens(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait_until_it_listens(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("nginx does not listen")


async def in_flight(create: Callable[[bytes], Awaitable[None]], bodies: list[bytes]) -> None:
    """Send every body, so many at a time."""
    remaining = iter(bodies)

    async def work() -> None:
        for body in remaining:
            await create(body)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(IN_FLIGHT):
            tasks.create_task(work())


async def raw_aiohttp(server: str, bodies: list[bytes]) -> None:
    """The requests, and nothing else."""
    url = f"{server}{VMIS.path(NAMESPACE)}"
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers=headers
    ) as session:

        async def create(body: bytes) -> None:
            async with session.post(url, data=body) as answer:
                await answer.read()

        await in_flight(create, bodies)


def kubeconfig_of(server: str) -> dict[str, object]:
    """One that leads to the server."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sink", "cluster": {"server": server}}],
        "users": [{"name": "sink", "user": {"token": "none"}}],
        "contexts": [{"name": "sink", "context": {"cluster": "sink", "user": "sink"}}],
        "current-context": "sink",
    }


@asynccontextmanager
async def cluster_at(server: str) -> AsyncIterator[Cluster]:
    """The server as a cluster."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(kubeconfig_of(server), file)
        file.flush()
        async with await open_cluster(ClusterOptions(kubeconfig=file.name)) as cluster:
            yield cluster


async def our_client(server: str, bodies: list[bytes]) -> None:
    """Requests with retries, counters, bounds and timestamps."""
    async with cluster_at(server) as cluster:

        async def create(body: bytes) -> None:
            await cluster.client.request("POST", VMIS.path(NAMESPACE), body=body)

        await in_flight(create, bodies)


async def our_engine(server: str, bodies: list[bytes]) -> None:
    """All that a run does to create: templates, limiter, tasks, tracker."""
    config = load_config(default_workload())
    factory = compile_templates(config, run_id=RUN, defaults=TemplateDefaults())[0][0]
    resources = dict.fromkeys(factory.kinds, VMIS)
    plan = Plan(
        run_id=RUN,
        context=None,
        server=server,
        insecure=False,
        version=None,
        workloads=(),
        namespaces=(NAMESPACE,),
        resources=resources,
        child_resources=(),
        places=(),
    )

    def objects() -> Iterator[PlannedObject]:
        for replica in range(1, len(bodies) + 1):
            for request in factory.render(1, replica):
                yield PlannedObject(VMIS, NAMESPACE, request.name, replica, request.body)

    async with cluster_at(server) as cluster, asyncio.TaskGroup() as tasks:
        context = RunContext(inputs_of(config, plan, cluster.client), tasks, fail)
        iteration = context.open_iteration(
            config.workloads[0], (factory,), 1, Requested.of_one({VMIS.kind: len(bodies)})
        )
        warnings = ServerWarnings(context, ((factory,),))
        verifier = ObjectVerifier(context)
        await Creator(context, Dispatcher(context), warnings, verifier.delete).create(
            objects(), iteration, pacing=Pacing.at_rate(0, 1)
        )
        if iteration.scope.created != len(bodies) or iteration.scope.failed:
            sys.exit(f"{iteration.scope.created} of {len(bodies)} created, of which "
                     f"{iteration.scope.failed} failed")  # fmt: skip


def inputs_of(
    config: Config, plan: Plan, client: Client, sink: ResultSink | None = None
) -> RunInputs:
    """What a run is given that nobody describes."""
    cluster = ClusterInfo(None, "", None)
    now = datetime.now(UTC)
    return RunInputs(
        config=config,
        factories=(),
        plan=plan,
        info=RunInfo(plan.run_id, None, now, cluster, (), plan.namespaces, (), "", (), {}),
        client=client,
        stopwatch=Stopwatch(time.monotonic, time.monotonic()),
        broadcast=Broadcast(),
        sink=sink,
        meter=RequestMeter.since(time.time() - client.timing.clock()),
    )


def fail(error: BaseException) -> None:
    """What ends a run ends the benchmark."""
    raise error


async def custom_objects_api(server: str, bodies: list[bytes]) -> None:
    """The generated client."""
    async with ApiClient(Configuration(host=server)) as api:
        custom = CustomObjectsApi(api)

        async def create(body: bytes) -> None:
            await custom.create_namespaced_custom_object(
                "kubevirt.io", "v1", NAMESPACE, VMIS.plural, json.loads(body)
            )

        await in_flight(create, bodies)


CONTESTANTS: Final[dict[str, Contestant]] = {
    "raw aiohttp": raw_aiohttp,
    "perfscale, client": our_client,
    "perfscale, engine": our_engine,
    "CustomObjectsApi": custom_objects_api,
}


def cost_us(contestant: Contestant, server: str, bodies: list[bytes]) -> tuple[float, float]:
    """CPU of one create in microseconds, and creates a second."""
    eventloop.run(contestant(server, bodies[:IN_FLIGHT]))  # what is only done once, is done
    cpu_s, started_s = time.process_time(), time.monotonic()
    eventloop.run(contestant(server, bodies))
    number = len(bodies)
    elapsed_s = time.monotonic() - started_s
    return (time.process_time() - cpu_s) / number * 1e6, number / elapsed_s


def main() -> None:
    """Let all of them create the same objects, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000, help="creates of each in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    config = load_config(default_workload())
    factory = compile_templates(config, run_id=RUN, defaults=TemplateDefaults())[0][0]
    bodies = [factory.render(1, number)[0].body for number in range(1, options.count + 1)]
    with sink() as server:
        found = [
            {name: cost_us(each, server, bodies) for name, each in CONTESTANTS.items()}
            for _ in range(options.rounds)
        ]
    report([_row(name, found) for name in CONTESTANTS], options.json)


def _row(name: str, found: list[dict[str, tuple[float, float]]]) -> Row:
    return {
        "creates": name,
        "µs CPU": statistics.median(each[name][0] for each in found),
        "of raw": statistics.median(each[name][0] / each["raw aiohttp"][0] for each in found),
        "a second": statistics.median(each[name][1] for each in found),
    }


if __name__ == "__main__":
    main()

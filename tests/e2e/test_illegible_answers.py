"""Answers of status 201 that are no object, as a proxy gives them that has lost the body."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from clusters import MemorySink
from under_test import load_generator
from workloads import config, objects, template, workload

from perfscale.engine import RunOptions
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import Accounts, RunOutcome, RunResult
from perfscale.sim.apiserver.apiserver import Attachments, SimulatedApiServer
from perfscale.sim.cluster import kubeconfig_for, write_kubeconfig
from perfscale.sim.storage.store import Store
from perfscale.templates import TemplateDefaults

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: map-{{ replica }}
"""


def garbling(name: str, body: bytes, *, carried_out: bool = True) -> Middleware:
    """Answers the create of an object so, whether or not it creates it."""

    @web.middleware
    async def garble(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method != "POST" or f'"{name}"'.encode() not in await request.read():
            return await handler(request)
        if carried_out:
            await handler(request)
        return web.Response(status=201, body=body, content_type="application/json")

    return garble


async def run_with(garble: Middleware, directory: Path, sink: MemorySink) -> RunResult:
    async with SimulatedApiServer(Store(), attached=Attachments(middlewares=[garble])) as server:
        kubeconfig = directory / "kubeconfig"
        write_kubeconfig(kubeconfig, kubeconfig_for(server.url, "secret"))
        generator = load_generator(
            config(workload(objects(template(directory, CONFIGMAP), count=5))),
            cluster=ClusterOptions(kubeconfig=str(kubeconfig), max_unavailable_s=0.5),
            results=sink,
            options=RunOptions(defaults=TemplateDefaults()),
        )
        async with generator:
            return await generator.run()


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"{}", b'{"metadata": {"name": "map-2"}}']
)
async def test_after_an_answer_that_is_no_object_the_object_is_looked_up_and_the_run_goes_on(
    body: bytes, carried_out: bool, tmp_path: Path
) -> None:
    sink = MemorySink()
    garble = garbling("map-2", body, carried_out=carried_out)
    result = await run_with(garble, tmp_path, sink)
    assert not result.remains
    if carried_out:
        assert result.outcome is RunOutcome.PASSED
        assert result.accounts == Accounts(requested=5, created=5, ready=5, deleted=5)
        return
    assert result.outcome is RunOutcome.FAILED
    assert result.accounts == Accounts(requested=5, created=4, ready=4, failed=1, deleted=4)
    [problem] = result.problems
    assert "the answer, of status 201, is not what an API server sends" in problem
    assert [record.name for record in sink.objects if record.error] == ["map-2"]


async def test_a_namespace_whose_answer_is_no_object_is_looked_up_and_deleted_in_the_end(
    tmp_path: Path,
) -> None:
    result = await run_with(garbling("density-1", b""), tmp_path, MemorySink())
    assert result.outcome is RunOutcome.PASSED
    assert not result.remains

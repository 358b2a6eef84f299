"""What is told of the cluster, and that nothing hangs on what it does not tell."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from time import monotonic
from typing import Any

import pytest
from scripted_server import Exchange, Handler, answers, refuses, scripted_server
from static_issuer import StaticIssuer

from perfscale.kube.auth.credentials import Credentials
from perfscale.kube.client import Client
from perfscale.kube.discovery import Discovery
from perfscale.kube.http.direct import DirectTransport
from perfscale.kube.http.transport import Endpoint
from perfscale.kube.resources import Resource
from perfscale.preflight.cluster_facts import count_nodes, kubevirt_facts

VMIS = Resource("kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", True)
PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
NODE = {"metadata": {"name": "node-1"}}
SERVED = {
    "resources": [
        {"name": "kubevirts", "kind": "KubeVirt", "namespaced": True, "verbs": ["list"]},
    ]
}


def listed(*items: Any, **metadata: Any) -> Handler:
    return answers({"items": list(items), "metadata": metadata})


@asynccontextmanager
async def client_of(*handlers: Handler) -> AsyncIterator[tuple[Client, list[str]]]:
    """A client of a server that answers with these, and what it was asked for."""
    asked: list[str] = []

    def noting(handler: Handler) -> Handler:
        async def noted(exchange: Exchange) -> None:
            asked.append(exchange.request.target)
            await handler(exchange)

        return noted

    async with scripted_server(*map(noting, handlers)) as server:
        endpoint = Endpoint(server.url)
        async with aclosing(DirectTransport(endpoint, None)) as transport:
            credentials = await Credentials.obtain(StaticIssuer(), clock=monotonic)
            yield Client(transport, endpoint, credentials), asked


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (listed(NODE, remainingItemCount=4999, **{"continue": "more"}), 5000),
        (listed(NODE), 1),
        (listed(), 0),
        (answers({"items": None, "metadata": {}}), 0),
        (listed(NODE, **{"continue": "more"}), None),
        (refuses(403, "Forbidden"), None),
    ],
)
async def test_nodes_are_counted_by_asking_for_one_of_them(
    answer: Handler, count: int | None
) -> None:
    async with client_of(answer) as (client, asked):
        assert await count_nodes(client) == count
        assert asked == ["/api/v1/nodes?limit=1"]


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (listed({"status": {"observedKubeVirtVersion": "v1.8.0"}}), "v1.8.0"),
        (listed({"metadata": {"name": "kubevirt"}}), None),
        (listed(), None),
        (refuses(403, "Forbidden"), None),
    ],
)
async def test_kubevirt_tells_its_version(answer: Handler, version: str | None) -> None:
    async with client_of(answers(SERVED), answer) as (client, asked):
        assert (await kubevirt_facts(client, Discovery(client), [VMIS, PODS])).version == version
        assert asked[1:] == ["/apis/kubevirt.io/v1/kubevirts?limit=1"]


CONFIGURATION = {
    "developerConfiguration": {"featureGates": ["Snapshot", "LiveMigration"]},
    "migrations": {"parallelMigrationsPerCluster": 5, "bandwidthPerMigration": "64Mi", "x": {}},
    "controllerConfiguration": {
        "restClient": {"rateLimiter": {"tokenBucketRateLimiter": {"qps": 200, "burst": 400}}}
    },
}


async def test_kubevirt_tells_how_it_is_configured() -> None:
    kubevirt = {"spec": {"configuration": CONFIGURATION}, "status": {}}
    async with client_of(answers(SERVED), listed(kubevirt)) as (client, _):
        facts = await kubevirt_facts(client, Discovery(client), [VMIS])
    assert facts.config is not None
    assert dict(facts.config.described()) == {
        "feature gates": "LiveMigration, Snapshot",
        "migrations.parallelMigrationsPerCluster": "5",
        "migrations.bandwidthPerMigration": "64Mi",
        "client limit (controller)": "200 QPS, burst 400",
    }


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {"configuration": None},
        {"configuration": {"developerConfiguration": [], "migrations": "none"}},
        {
            "configuration": {
                "apiConfiguration": {
                    "restClient": {"rateLimiter": {"tokenBucketRateLimiter": {"qps": "many"}}}
                }
            }
        },
    ],
)
async def test_what_of_a_configuration_is_not_as_it_should_be_is_left_out(spec: Any) -> None:
    kubevirt = {"spec": spec, "status": {"observedKubeVirtVersion": "v1.8.0"}}
    async with client_of(answers(SERVED), listed(kubevirt)) as (client, _):
        facts = await kubevirt_facts(client, Discovery(client), [VMIS])
    assert facts.version == "v1.8.0"
    assert facts.config is not None
    assert list(facts.config.described()) == []


async def test_a_cluster_that_does_not_serve_that_kind_is_not_asked() -> None:
    async with client_of(answers({"resources": []})) as (client, asked):
        assert await kubevirt_facts(client, Discovery(client), [VMIS]) == (None, None)
        assert len(asked) == 1


async def test_a_run_without_anything_of_kubevirt_does_not_ask_for_it() -> None:
    async with client_of(answers(SERVED)) as (client, asked):
        assert await kubevirt_facts(client, Discovery(client), [PODS]) == (None, None)
        assert asked == []

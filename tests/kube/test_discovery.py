from typing import Any

import pytest
from kube_client import Connect
from scripted_server import Exchange, Handler, answers, refuses, scripted_server

from perfscale.errors import UsageError
from perfscale.kube.discovery import Discovery, NotInstalledError
from perfscale.kube.resources import Resource

EVERYTHING = ["create", "delete", "list", "watch"]


def resource(name: str, kind: str, verbs: list[str] | None = None) -> dict[str, Any]:
    verbs = EVERYTHING if verbs is None else verbs
    return {"name": name, "kind": kind, "namespaced": True, "verbs": verbs}


def group(name: str, *versions: str, preferred: str) -> dict[str, Any]:
    def entry(version: str) -> dict[str, str]:
        return {"groupVersion": f"{name}/{version}", "version": version}

    return {
        "name": name,
        "versions": [entry(version) for version in versions],
        "preferredVersion": entry(preferred),
    }


CORE = {
    "resources": [
        resource("pods", "Pod"),
        resource("pods/status", "Pod"),
        resource("bindings", "Binding", ["create"]),
    ]
}
KUBEVIRT = {
    "resources": [
        resource("virtualmachines", "VirtualMachine"),
        resource("virtualmachineinstances", "VirtualMachineInstance"),
    ]
}
GROUPS = {
    "groups": [
        group("kubevirt.io", "v1alpha3", "v1", preferred="v1"),
        group("metrics.k8s.io", "v1beta1", preferred="v1beta1"),
    ]
}


def cluster(**changes: Handler) -> Handler:
    """A server that routes by path."""
    routes: dict[str, Handler] = {
        "/api/v1": answers(CORE),
        "/apis": answers(GROUPS),
        "/apis/kubevirt.io/v1": answers(KUBEVIRT),
        "/apis/kubevirt.io/v1alpha3": answers(
            {"resources": [*KUBEVIRT["resources"], resource("olds", "Old")]}
        ),
        "/apis/metrics.k8s.io/v1beta1": refuses(503, "ServiceUnavailable"),
        "/version": answers({"gitVersion": "v1.33.1", "major": "1"}),
    }
    routes |= {path.replace("_", "/"): handler for path, handler in changes.items()}

    async def route(exchange: Exchange) -> None:
        await routes.get(exchange.request.path, refuses(404, "NotFound"))(exchange)

    return route


async def test_a_kind_is_found_and_asked_for_once(connect: Connect) -> None:
    async with scripted_server(cluster()) as server:
        discovery = Discovery(await connect(server))
        vmi = await discovery.resolve("kubevirt.io/v1", "VirtualMachineInstance")
        await discovery.resolve("kubevirt.io/v1", "VirtualMachine")
        pod = await discovery.resolve("v1", "Pod")
    assert vmi == Resource(
        "kubevirt.io",
        "v1",
        "virtualmachineinstances",
        "VirtualMachineInstance",
        namespaced=True,
        verbs=frozenset(EVERYTHING),
    )
    assert pod.path("ns") == "/api/v1/namespaces/ns/pods"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("api_version", "kind", "message"),
    [
        ("cdi.io/v1", "X", r"cdi\.io is not installed on this cluster \(no API cdi\.io/v1\)"),
        ("kubevirt.io/v2", "X", "has no kubevirt.io/v2: it serves kubevirt.io in v1alpha3, v1"),
        ("kubevirt.io/v1", "VirtualMachineInstnce", "did you mean VirtualMachineInstance"),
        ("kubevirt.io/v1", "Zebra", "it has VirtualMachine, VirtualMachineInstance"),
        ("v7", "Pod", "this cluster has no API v7"),
    ],
)
async def test_a_kind_that_is_not_there_is_explained(
    connect: Connect, api_version: str, kind: str, message: str
) -> None:
    async with scripted_server(cluster()) as server:
        discovery = Discovery(await connect(server))
        with pytest.raises(NotInstalledError, match=message):
            await discovery.resolve(api_version, kind)


async def test_discovery_that_is_forbidden_is_explained(connect: Connect) -> None:
    async with scripted_server(refuses(403, "Forbidden")) as server:
        discovery = Discovery(await connect(server))
        with pytest.raises(UsageError, match="not permitted to ask what v1 serves") as caught:
            await discovery.resolve("v1", "Pod")
    assert "system:discovery" in (caught.value.hint or "")


async def test_everything_that_can_be_cleaned_up_is_found_in_its_preferred_version(
    connect: Connect,
) -> None:
    async with scripted_server(cluster()) as server:
        discovery = Discovery(await connect(server))
        found = {(item.api_version, item.plural) for item in await discovery.all_resources()}
    assert found == {
        ("v1", "pods"),
        ("kubevirt.io/v1", "virtualmachines"),
        ("kubevirt.io/v1", "virtualmachineinstances"),
        ("kubevirt.io/v1alpha3", "olds"),
    }


async def test_a_broken_group_is_skipped_and_reported(connect: Connect) -> None:
    async with scripted_server(cluster()) as server:
        discovery = Discovery(await connect(server))
        await discovery.all_resources()
    assert list(discovery.skipped) == ["metrics.k8s.io/v1beta1"]


@pytest.mark.parametrize(
    ("path", "body", "skipped"),
    [
        ("/apis", {"groups": None}, {"the list of API groups": "it is empty"}),
        ("/api/v1", {"resources": None}, {"v1": "the server names none"}),
        ("/api/v1", {"resources": []}, {"v1": "the server names none"}),
    ],
)
async def test_a_server_that_names_nothing_is_not_taken_to_have_nothing(
    path: str, body: Any, skipped: dict[str, str], connect: Connect
) -> None:
    async with scripted_server(cluster(**{path: answers(body)})) as server:
        discovery = Discovery(await connect(server))
        await discovery.all_resources()
    discovery.skipped.pop("metrics.k8s.io/v1beta1", None)
    assert discovery.skipped == skipped


async def test_the_servers_version_is_told(connect: Connect) -> None:
    async with scripted_server(cluster()) as server:
        assert await Discovery(await connect(server)).server_version() == "v1.33.1"


async def test_subresources_are_found_though_kubevirts_have_neither_kind_nor_verbs(
    connect: Connect,
) -> None:
    calls = {
        "resources": [
            {"name": "virtualmachines/restart", "kind": "", "namespaced": True, "verbs": None}
        ]
    }
    served = cluster(**{"/apis/subresources.kubevirt.io/v1": answers(calls)})
    async with scripted_server(served) as server:
        discovery = Discovery(await connect(server))
        vms = Resource(
            "subresources.kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True
        )
        pods = Resource("", "v1", "pods", "Pod", namespaced=True)
        assert await discovery.serves_subresource(vms, "restart")
        assert not await discovery.serves_subresource(vms, "stop")
        assert await discovery.serves_subresource(pods, "status")
        found = await discovery.find("v1", "pods")
        assert found is not None
        assert found.name == "pods"
        assert await discovery.find("v1", "nodes") is None
        assert await discovery.find("nowhere.io/v1", "pods") is None

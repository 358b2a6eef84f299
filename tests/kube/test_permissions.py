import json
from dataclasses import replace
from typing import Any

from kube_client import Connect
from scripted_server import Exchange, scripted_server

from perfscale.kube.permissions import Permissions
from perfscale.kube.resources import Place, Resource

CALLS = Resource(
    "subresources.kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True
)


async def test_a_subresource_is_reviewed_as_one_of_its_resource(connect: Connect) -> None:
    reviews: list[dict[str, Any]] = []

    async def review(exchange: Exchange) -> None:
        body = json.loads(exchange.request.body)
        reviews.append(body["spec"]["resourceAttributes"])
        await exchange.reply_json(201, {**body, "status": {"allowed": False}})

    async with scripted_server(review) as server:
        permissions = Permissions(await connect(server))
        restart = Place(replace(CALLS, plural="virtualmachines/restart"), "team-a")
        assert not await permissions.allows("update", restart)
    assert reviews == [
        {
            "verb": "update",
            "group": "subresources.kubevirt.io",
            "version": "v1",
            "resource": "virtualmachines",
            "subresource": "restart",
            "namespace": "team-a",
        }
    ]

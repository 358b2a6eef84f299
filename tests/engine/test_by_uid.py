"""Deleting by name and UID what no label leads to."""

from collections.abc import AsyncIterator

import pytest
from clusters import CONFIGMAPS
from direct_way import way_to
from faulty_cluster import faulty
from simulated_api import Api, manifest, serving
from static_issuer import StaticIssuer

from perfscale.engine.removal.by_uid import ObjectReference, RemovalByUid
from perfscale.errors import ForbiddenError
from perfscale.kube.auth.credentials import Credentials
from perfscale.kube.client import Client
from perfscale.kube.http.transport import Endpoint


def create(api: Api, name: str) -> ObjectReference:
    """A ConfigMap without any labels."""
    created = api.store.create(CONFIGMAPS, manifest(CONFIGMAPS, name))
    return ObjectReference(CONFIGMAPS, "demo", name, created["metadata"]["uid"])


def names(api: Api) -> list[str]:
    return sorted(record.name for record in api.store.records(CONFIGMAPS))


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with serving() as api:
        yield api


async def remove(
    api: Api, objects: list[ObjectReference]
) -> tuple[RemovalByUid, list[ObjectReference]]:
    gone: list[ObjectReference] = []
    async with way_to(api.url) as transport:
        credentials = await Credentials.obtain(StaticIssuer())
        client = Client(transport, Endpoint(api.url), credentials)
        removal = RemovalByUid(client, objects, gone.append)
        await removal.run()
    return removal, gone


@pytest.mark.parametrize("count", [3, 30], ids=["one by one", "by a list"])
async def test_what_has_no_labels_is_deleted_and_found_to_be_gone(count: int, api: Api) -> None:
    known = [create(api, f"map-{number}") for number in range(count)]
    theirs = create(api, "theirs")
    removal, gone = await remove(api, known)
    assert removal.left == []
    assert sorted(gone) == sorted(known)
    assert names(api) == [theirs.name]


@pytest.mark.parametrize("count", [3, 30], ids=["one by one", "by a list"])
async def test_another_object_of_the_same_name_is_left_alone(count: int, api: Api) -> None:
    known = [create(api, f"map-{number}")._replace(uid=f"uid-{number}") for number in range(count)]
    removal, gone = await remove(api, known)
    assert (removal.left, len(gone)) == ([], count)
    assert len(names(api)) == count


async def test_what_may_not_be_deleted_is_left_and_told() -> None:
    async with faulty(requests=[{"fault": "forbidden", "verbs": ["delete"]}]) as api:
        known = [create(api, "map")]
        removal, gone = await remove(api, known)
    assert (removal.left, gone) == (known, [])
    assert isinstance(removal.errors["ConfigMap"], ForbiddenError)

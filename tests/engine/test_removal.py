"""Looking for what carries a label and deleting it, where not everything can be looked at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
from clusters import CONFIGMAPS, VMIS, VMS
from direct_way import way_to
from faulty_cluster import FaultyApi, faulty
from scripted_server import FakeTime
from simulated_api import manifest
from static_issuer import StaticIssuer

from perfscale.config.labels import RUN_LABEL, run_labels
from perfscale.engine.removal.inventory import take_inventory
from perfscale.engine.removal.leftovers import describe_unseen, first_bug
from perfscale.engine.removal.removal import Removal
from perfscale.kube.auth.credentials import Credentials
from perfscale.kube.client import Client
from perfscale.kube.http.transport import Endpoint
from perfscale.kube.listing import read_pages
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.kube.retrying.retry import Timing

LABELS: Final = run_labels("0000000a-0000-4000-8000-000000000001", "density", 1)
SELECTOR: Final = f"{RUN_LABEL}={LABELS[RUN_LABEL]}"
PLACES: Final = (Place(VMS), Place(VMIS), Place(CONFIGMAPS), Place(NAMESPACES))


@asynccontextmanager
async def littered(**faults: Any) -> AsyncIterator[tuple[FaultyApi, Client]]:
    """A cluster with a VMI, two ConfigMaps and a namespace of a run; its client need not wait."""
    time = FakeTime()
    async with faulty(**faults) as api, way_to(api.url) as transport:
        for resource, name in ((VMIS, "vmi"), (CONFIGMAPS, "one"), (CONFIGMAPS, "two")):
            api.store.create(resource, manifest(resource, name, metadata={"labels": LABELS}))
        api.store.create(NAMESPACES, {"metadata": {"name": "theirs", "labels": LABELS}})
        credentials = await Credentials.obtain(StaticIssuer())
        timing = Timing(time.clock, time.sleep, time.random)
        yield api, Client(transport, Endpoint(api.url), credentials, timing=timing)


def left(api: FaultyApi) -> set[str]:
    resources = (VMIS, CONFIGMAPS, NAMESPACES)
    return {
        record.name
        for resource in resources
        for record in api.store.records(resource)
        if record.labels == LABELS
    }


async def test_what_is_found_in_two_ways_is_counted_once() -> None:
    served = replace(NAMESPACES, verbs=frozenset({"list", "delete"}))
    async with littered() as (_, client):
        found = await take_inventory(client, [Place(NAMESPACES), Place(served)], SELECTOR)
    assert found.count == 1


async def test_everything_that_carries_the_label_goes() -> None:
    async with littered() as (api, client):
        removal = Removal(client, PLACES, SELECTOR)
        await removal.run()
        assert removal.complete
        assert left(api) == set()


@pytest.mark.parametrize("body", ["html", "empty", "null", "list", "wrongTypes", "deep"])
async def test_an_answer_that_is_no_list_is_asked_for_again(body: str) -> None:
    garbage = {"fault": "garbage", "body": body, "verbs": ["list"], "times": 1}
    async with littered(requests=[{**garbage, "resources": ["configmaps"]}]) as (api, client):
        removal = Removal(client, PLACES, SELECTOR)
        await removal.run()
        assert removal.complete
        assert left(api) == set()


async def test_a_kind_of_which_only_garbage_comes_keeps_nothing_else_from_going() -> None:
    garbage = {"fault": "garbage", "body": "deep", "verbs": ["list"], "resources": ["configmaps"]}
    async with littered(requests=[garbage]) as (api, client):
        removal = Removal(client, PLACES, SELECTOR)
        await removal.run()
        assert not removal.complete
        assert list(removal.last.unseen) == [Place(CONFIGMAPS)]
        assert left(api) == {"one", "two"}


async def test_a_fault_of_our_own_in_one_kind_is_told_when_the_others_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(client: Client, resource: Any, *arguments: Any, **more: Any) -> Any:
        if resource == CONFIGMAPS:
            raise ZeroDivisionError("a bug")
        return read_pages(client, resource, *arguments, **more)

    monkeypatch.setattr("perfscale.engine.removal.inventory.read_pages", broken)
    async with littered() as (api, client):
        removal = Removal(client, PLACES, SELECTOR)
        await removal.run()
        assert left(api) == {"one", "two"}
    assert isinstance(first_bug(removal.last.unseen), ZeroDivisionError)


async def test_a_refusal_that_the_server_does_not_stand_by_is_none() -> None:
    refused = {"fault": "forbidden", "times": 5}
    async with littered(requests=[refused]) as (_, client):
        found = await take_inventory(client, PLACES, SELECTOR)
    assert (found.count, found.unseen) == (4, {})


async def test_a_refusal_that_lasts_is_told_in_one_sentence() -> None:
    refused = {"fault": "forbidden", "verbs": ["list"], "resources": ["configmaps", "pods"]}
    async with littered(requests=[refused]) as (_, client):
        found = await take_inventory(client, PLACES, SELECTOR)
    assert found.count == 2
    assert describe_unseen(found.unseen) == ["not listed: configmaps: not permitted to list"]


async def test_a_kind_that_never_answers_is_not_waited_for_once_others_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("perfscale.engine.removal.inventory._STALLED_S", 1.0)
    hangs = {"fault": "slow", "delay": "1h", "verbs": ["list"], "resources": ["configmaps"]}
    async with littered(requests=[hangs]) as (_, client):
        found = await take_inventory(client, PLACES, SELECTOR)
    assert Place(CONFIGMAPS) in found.unseen


async def test_a_watch_that_never_tells_anything_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("perfscale.engine.removal.removal._SYNCING_S", 1.0)
    hangs = {"fault": "slow", "delay": "1h", "verbs": ["watch"], "resources": ["configmaps"]}
    async with littered(requests=[hangs]) as (api, client):
        removal = Removal(client, PLACES, SELECTOR)
        await removal.run()
        assert removal.complete
        assert left(api) == set()


async def test_what_a_watch_does_not_tell_of_after_its_list_is_looked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("perfscale.engine.removal.removal._FOLLOWING_S", 1.0)
    silent = {"fault": "late", "delay": "1h", "resources": ["configmaps"]}
    async with littered(watches=[silent]) as (api, client):
        removal = Removal(client, PLACES, SELECTOR)
        await removal.run()
        assert removal.complete
        assert left(api) == set()

"""What generators make that go on for a moment after their coordinator was killed."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from clusters import CONFIGMAPS
from direct_way import way_to
from simulated_api import Api, manifest, serving
from static_issuer import StaticIssuer

from perfscale.config.labels import RUN_LABEL, run_labels
from perfscale.engine.removal.cleanup import Removed, TimeBudget
from perfscale.engine.removal.inventory import take_inventory
from perfscale.engine.removal.outliving import is_divided, outlives_s, remove_later
from perfscale.engine.sharding.lease import LEASE_S, OUTLIVES_S
from perfscale.kube.auth.credentials import Credentials
from perfscale.kube.client import Client
from perfscale.kube.http.transport import Endpoint
from perfscale.kube.resources import Place
from perfscale.results import Located, LocatedRun

pytestmark = pytest.mark.virtual_time

RUN_ID: Final = "125a880d-08bb-42d1-afde-5c775095391b"
SELECTOR: Final = f"{RUN_LABEL}={RUN_ID}"
PLACES: Final = [Place(CONFIGMAPS)]


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with serving() as api:
        yield api


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    async with way_to(api.url) as transport:
        credentials = await Credentials.obtain(StaticIssuer())
        yield Client(transport, Endpoint(api.url), credentials)


async def generate(api: Api, at_s: Iterable[float]) -> None:
    """Be a generator that creates at these times."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for number, due_s in enumerate(at_s):
        await asyncio.sleep(began_s + due_s - loop.time())
        labels = run_labels(RUN_ID, "density", 1, shard=0)
        made = manifest(CONFIGMAPS, f"map-{number}", metadata={"labels": labels})
        api.store.create(CONFIGMAPS, made)


async def removed(api: Api, client: Client, at_s: Iterable[float], bound_s: float) -> Removed:
    """What comes of the removal while a generator creates."""
    generating = asyncio.create_task(generate(api, at_s))
    until_s = asyncio.get_running_loop().time() + OUTLIVES_S
    budget = TimeBudget(bound_s)
    try:
        return await remove_later(client, PLACES, SELECTOR, budget, until_s)
    finally:
        generating.cancel()


def left(api: Api) -> int:
    return sum(1 for _ in api.store.records(CONFIGMAPS))


@pytest.mark.parametrize("at_s", [(), (LEASE_S / 2, LEASE_S)], ids=["nothing", "more"])
async def test_what_is_made_until_the_generators_have_ended_is_removed(
    at_s: tuple[float, ...], api: Api, client: Client
) -> None:
    result = await removed(api, client, at_s, 300)
    assert (result.left, result.timed_out) == (0, False)
    assert left(api) == 0


async def test_a_run_that_goes_on_is_not_called_removed(api: Api, client: Client) -> None:
    result = await removed(api, client, range(10_000), 300)
    assert result.left > 0
    assert "the run goes on, and makes more: stop it first" in result.reasons


async def test_no_end_of_the_generators_within_the_bound_is_said(api: Api, client: Client) -> None:
    result = await removed(api, client, (), OUTLIVES_S / 2)
    assert result.timed_out
    assert "before its generators had ended" in result.reasons[0]


async def test_objects_show_that_several_generators_have_made_them(
    api: Api, client: Client
) -> None:
    await generate(api, [0])
    present = await take_inventory(client, PLACES, SELECTOR)
    assert is_divided(present, RUN_ID)
    assert not is_divided(present, "8bb5a880-08bb-42d1-afde-5c775095391b")


def located(folder: Path, *, silent_s: float, generators: int | None, **summary: Any) -> Located:
    journal = folder / "journal.ndjson"
    journal.touch()
    written_s = time.time() - silent_s
    os.utime(journal, (written_s, written_s))
    if summary:
        (folder / "summary.json").write_bytes(msgspec.json.encode(summary))
    return Located(folder, LocatedRun(RUN_ID, (), (), generators))


@pytest.mark.parametrize(
    ("silent_s", "generators", "summary", "waits"),
    [
        (0, 2, {}, True),
        (0, 2, {"outcome": "killed"}, True),
        (0, 2, {"outcome": "passed"}, False),
        (3600, 2, {}, False),
        (0, None, {}, False),
    ],
    ids=["killed just now", "reported", "ended", "killed long ago", "a run of one"],
)
def test_generators_are_waited_for_only_where_they_may_go_on(
    silent_s: float, generators: int | None, summary: Any, waits: bool, tmp_path: Path
) -> None:
    run = located(tmp_path, silent_s=silent_s, generators=generators, **summary)
    assert (outlives_s(run, divided=False) > 0) is waits


def test_without_a_folder_the_objects_say_whether_there_are_generators() -> None:
    assert outlives_s(None, divided=True) == OUTLIVES_S
    assert outlives_s(None, divided=False) == 0

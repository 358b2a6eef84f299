"""Which workers a run takes, and which it refuses."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from dask_in_process import one_worker

from perfscale.errors import FleetError, UsageError
from perfscale.fleet.dask import workers
from perfscale.fleet.dask.workers import (
    FleetOptions,
    check_options,
    check_versions,
    connected_workers,
)

HERE = {
    "perfscale-load-generator": "1.0",
    "distributed": "2",
    "dask": "3",
    "cloudpickle": "4",
    "python": "3.12.1.final.0",
}


def versions(**theirs: dict[str, str | None]) -> dict[str, Any]:
    """As Dask gives them."""
    return {
        "client": {"packages": HERE},
        "workers": {name: {"packages": {**HERE, **changed}} for name, changed in theirs.items()},
    }


def test_workers_with_the_same_versions_are_taken_whatever_their_patch_of_python() -> None:
    check_versions(versions(a={}, b={"python": "3.12.9.final.0"}), ("a", "b"))


def test_every_version_that_differs_is_named_with_its_worker_at_once() -> None:
    found = versions(
        a={"perfscale-load-generator": None}, b={"distributed": "1", "python": "3.11.1.final.0"}
    )
    with pytest.raises(UsageError) as caught:
        check_versions(found, ("a", "b"))
    assert str(caught.value).splitlines()[1:] == [
        "a: perfscale-load-generator is not installed, and 1.0 here",
        "b: distributed is 1, and 2 here",
        "b: Python is 3.11, and 3.12 here",
    ]


def test_a_worker_that_is_not_taken_may_have_other_versions() -> None:
    check_versions(versions(a={}, b={"distributed": "1"}), ("a",))


def test_a_scheduler_gives_its_workers_if_there_are_enough() -> None:
    async def connect() -> None:
        async with one_worker() as scheduler:
            async with connected_workers(FleetOptions(scheduler=scheduler)) as found:
                assert len(found.addresses) == 1
                assert not found.pids
            with pytest.raises(UsageError, match="has 1 of the 3 workers"):
                async with connected_workers(FleetOptions(workers=3, scheduler=scheduler)):
                    pass

    asyncio.run(connect())


def test_a_kubeconfig_is_not_sent_without_encryption() -> None:
    async def connect() -> None:
        options = FleetOptions(scheduler="tcp://127.0.0.1:8786", send_kubeconfig=True)
        with pytest.raises(UsageError, match="is not encrypted"):
            async with connected_workers(options):
                pass

    asyncio.run(connect())


def test_a_scheduler_that_is_not_there_is_an_error_with_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def connect() -> None:
        with pytest.raises(UsageError, match=r"the scheduler at tcp://127\.0\.0\.1:1 cannot be"):
            async with connected_workers(FleetOptions(scheduler="tcp://127.0.0.1:1")):
                pass

    monkeypatch.setattr(workers, "_CONNECT_TIMEOUT", "0.2s")
    asyncio.run(connect())


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise ValueError('no room')", "no room"),
        ("import os; os._exit(3)", "one of them ended while it started"),
    ],
)
def test_workers_that_cannot_start_are_an_error_that_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, why: str
) -> None:
    (tmp_path / "spoilt.py").write_text(program)

    async def connect() -> None:
        with pytest.raises(FleetError, match=f"1 worker process cannot be started here: {why}"):
            async with connected_workers(FleetOptions(workers=1)):
                pass

    monkeypatch.setattr(workers, "_PRELOAD", str(tmp_path / "spoilt.py"))
    asyncio.run(connect())
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("address", ["localhost:8786", "http://localhost:8786", "tcp://"])
def test_what_is_no_address_of_a_scheduler_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="not the address of a Dask scheduler"):
        check_options(FleetOptions(scheduler=address))


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "find_spec", lambda _: None)
    with pytest.raises(UsageError) as caught:
        check_options(FleetOptions(workers=2))
    assert caught.value.hint == "pip install 'perfscale-load-generator[fleet]'"


def test_a_run_that_is_interrupted_while_its_workers_start_leaves_none_of_them() -> None:
    async def interrupt() -> None:
        async def connect() -> None:
            async with connected_workers(FleetOptions(workers=2)):
                pytest.fail("the start was not interrupted")

        connecting = asyncio.create_task(connect())
        async with asyncio.timeout(60):
            while not multiprocessing.active_children():  # noqa: ASYNC110 -- nothing signals it
                await asyncio.sleep(0.01)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting

    asyncio.run(interrupt())
    assert not multiprocessing.active_children()

"""`perfscale cleanup` of a cluster that does not show everything, or lets nothing go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from clusters import CONFIGMAPS, VMIS
from command_line import CommandLine, Ended
from faulty_cluster import FaultyApi, faulty
from simulated_api import manifest

from perfscale.config.labels import run_labels
from perfscale.kube.resources import NAMESPACES

RUN: Final = "0000000a-0000-4000-8000-000000000001"
LABELS: Final = run_labels(RUN, "density", 1)


class Littered:
    """A cluster in which a run has left five ConfigMaps, and the cleanup of it."""

    def __init__(self, api: FaultyApi, perfscale: CommandLine) -> None:
        self.api = api
        self._perfscale = perfscale
        self._kubeconfig = perfscale.folder / "faulty.kubeconfig"
        api.cluster.write_kubeconfig(self._kubeconfig)
        for number in range(5):
            metadata = {"labels": LABELS}
            api.store.create(CONFIGMAPS, manifest(CONFIGMAPS, f"map-{number}", metadata=metadata))

    async def cleanup(self, *arguments: str) -> Ended:
        options = arguments or ("--run-id", RUN)
        return await self._perfscale.beside("cleanup", *options, "--kubeconfig", self._kubeconfig)

    @property
    def left(self) -> int:
        return len([each for each in self.api.store.records(CONFIGMAPS) if each.labels == LABELS])


@pytest.fixture
def littered(perfscale: CommandLine) -> Any:
    @asynccontextmanager
    async def make(**faults: Any) -> AsyncIterator[Littered]:
        async with faulty(**faults) as api:
            yield Littered(api, perfscale)

    return make


@pytest.mark.parametrize("fault", ["unavailable", "tooManyRequests", "forbidden", "garbage"])
async def test_one_bad_answer_of_the_discovery_hides_nothing(fault: str, littered: Any) -> None:
    request = {"fault": fault, "scope": "discovery", "groups": ["core"], "times": 1}
    if fault == "garbage":
        request["body"] = "html"
    async with littered(requests=[request]) as cluster:
        ended = await cluster.cleanup()
        assert ended.code == 0, ended.err
        assert f"run {RUN}: removed" in ended.out
        assert cluster.left == 0


@pytest.mark.parametrize("fault", ["forbidden", "unauthorized", "unavailable"])
async def test_an_api_server_that_refuses_everybody_for_a_moment_hides_nothing(
    fault: str, littered: Any
) -> None:
    request = {"fault": fault, "scope": "all", "times": 6}
    async with littered(requests=[request]) as cluster:
        ended = await cluster.cleanup()
        assert ended.code == 0, ended.err
        assert cluster.left == 0


@pytest.mark.parametrize("options", [("--run-id", RUN), ("--all", "--yes", "--force")])
async def test_a_kind_that_cannot_be_listed_keeps_nothing_else_from_going(
    options: tuple[str, ...], littered: Any
) -> None:
    broken = {"fault": "internalError", "verbs": ["list"], "resources": ["virtualmachines"]}
    async with littered(requests=[broken]) as cluster:
        ended = await cluster.cleanup(*options)
        assert ended.code == 1
        assert "error: not listed: virtualmachines.kubevirt.io: " in ended.err
        assert f"run {RUN}: what was found is removed" in ended.out
        assert cluster.left == 0


@pytest.mark.parametrize("options", [("--run-id", RUN), ("--all", "--yes", "--force")])
async def test_who_may_not_look_is_not_told_that_there_is_nothing(
    options: tuple[str, ...], littered: Any
) -> None:
    refused = {"fault": "forbidden", "verbs": ["list"], "resources": ["configmaps"]}
    async with littered(requests=[refused]) as cluster:
        ended = await cluster.cleanup(*options)
        assert ended.code == 1
        assert "error: not listed: configmaps: not permitted to list" in ended.err
        assert "nothing to remove" not in ended.out
        assert "no run has anything" not in ended.out
        assert "in what could be listed" in ended.out
        assert cluster.left == 5


async def test_a_kind_that_cannot_be_watched_goes_all_the_same(littered: Any) -> None:
    broken = {"fault": "forbidden", "verbs": ["watch"], "resources": ["configmaps"]}
    async with littered(requests=[broken]) as cluster:
        ended = await cluster.cleanup()
        assert ended.code == 0, ended.err
        assert cluster.left == 0


async def test_a_kind_that_may_not_be_deleted_is_named_and_the_others_go(littered: Any) -> None:
    verbs = ["delete", "deletecollection"]
    refused = {"fault": "forbidden", "verbs": verbs, "resources": ["configmaps"]}
    async with littered(requests=[refused]) as cluster:
        cluster.api.store.create(VMIS, manifest(VMIS, "vmi", metadata={"labels": LABELS}))
        ended = await cluster.cleanup()
        assert ended.code == 1
        assert "error: not deleted: configmaps: not permitted to delete" in ended.err
        assert f"error: run {RUN}: 5 objects still there" in ended.err
        assert cluster.left == 5
        assert list(cluster.api.store.records(VMIS)) == []


async def test_a_namespace_that_stays_is_named_with_what_keeps_it(littered: Any) -> None:
    async with littered(namespaces=[{"fault": "discoveryFails"}]) as cluster:
        cluster.api.store.create(NAMESPACES, {"metadata": {"name": "stays", "labels": LABELS}})
        # Long enough for everything else to go, also on a machine with other work.
        ended = await cluster.cleanup("--run-id", RUN, "--cleanup-timeout", "10s")
        assert ended.code == 1
        assert f"error: run {RUN}: 1 object still there after 10s" in ended.err
        assert "namespace stays is still there: Discovery failed for some groups" in ended.err


async def test_a_server_that_hangs_does_not_hold_up_the_end_of_the_time(littered: Any) -> None:
    hangs = {"fault": "slow", "delay": "10m", "verbs": ["deletecollection"]}
    later = {"fault": "slow", "delay": "10m", "verbs": ["list"], "skip": 60}
    async with littered(requests=[hangs, later]) as cluster:
        ended = await cluster.cleanup("--run-id", RUN, "--cleanup-timeout", "2s")
        assert ended.code == 1
        assert f"error: run {RUN}: 5 objects still there after 2s" in ended.err


async def test_what_was_seen_before_a_server_hangs_is_not_called_gone(littered: Any) -> None:
    later = {"fault": "slow", "delay": "10m", "verbs": ["list"], "resources": ["configmaps"]}
    async with littered(requests=[{**later, "skip": 1}]) as cluster:
        ended = await cluster.cleanup("--run-id", RUN, "--cleanup-timeout", "2s")
        assert ended.code == 1
        assert f"error: run {RUN}: 5 objects still there after 2s" in ended.err

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
import yaml
from controlled_store import until_gone, until_phase

from perfscale.errors import UsageError
from perfscale.kube.client import Client
from perfscale.kube.cluster import ClusterOptions, open_cluster
from perfscale.kube.resources import NAMESPACES
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.controllers.kinds import VMI
from perfscale.sim.controllers.manager import ControllerManager


@pytest.fixture
async def cluster() -> AsyncIterator[SimulatedCluster]:
    async with SimulatedCluster(speed=1000, seed=1) as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: SimulatedCluster, tmp_path: Path) -> AsyncIterator[Client]:
    path = tmp_path / "kubeconfig"
    cluster.write_kubeconfig(path)
    async with await open_cluster(ClusterOptions(kubeconfig=str(path))) as opened:
        yield opened.client


async def test_a_client_with_its_kubeconfig_runs_and_deletes_a_vmi(
    cluster: SimulatedCluster, client: Client
) -> None:
    await client.request("POST", NAMESPACES.path(), body=b'{"metadata": {"name": "load"}}')
    vmi = (
        b'{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",'
        b' "metadata": {"name": "vmi-1"}, "spec": {"domain": {}}}'
    )
    await client.request("POST", VMI.path("load"), body=vmi)
    await until_phase(cluster.store, VMI, "Running")
    answer = await client.request("GET", VMI.path("load", "vmi-1"))
    assert msgspec.json.decode(answer.body)["status"]["interfaces"][0]["ipAddress"]
    await client.request("DELETE", NAMESPACES.path(name="load"))
    await until_gone(cluster.store, VMI)


def test_its_url_is_only_known_while_it_runs() -> None:
    with pytest.raises(RuntimeError, match="does not listen"):
        SimulatedCluster().url  # noqa: B018 - reading it is what fails


async def test_its_kubeconfig_has_one_context_with_a_token(cluster: SimulatedCluster) -> None:
    config: Any = cluster.kubeconfig()
    assert config["current-context"] == config["contexts"][0]["name"]
    assert config["clusters"][0]["cluster"]["server"] == cluster.url
    assert len(config["users"][0]["user"]["token"]) >= 32


async def test_a_written_kubeconfig_is_its_owners_alone(
    cluster: SimulatedCluster, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("of an earlier cluster")
    path.chmod(0o644)
    cluster.write_kubeconfig(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert yaml.safe_load(path.read_text()) == cluster.kubeconfig()
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208 - what pathlib has is lazy


async def test_a_kubeconfig_that_cannot_be_written_is_an_error_that_names_the_file(
    cluster: SimulatedCluster, tmp_path: Path
) -> None:
    missing = tmp_path / "missing" / "kubeconfig"
    with pytest.raises(UsageError, match=r"missing/kubeconfig: No such file") as caught:
        cluster.write_kubeconfig(missing)
    assert caught.value.exit_code == 2


async def test_a_port_that_is_taken_is_an_error_that_names_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}: "):
            async with SimulatedCluster(port=port):
                pass


def test_a_speed_that_is_no_positive_number_is_refused() -> None:
    with pytest.raises(ValueError, match="speed"):
        SimulatedCluster(speed=0)


async def test_controllers_that_fail_take_down_whoever_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_self: ControllerManager) -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(ControllerManager, "run", fail)
    with pytest.raises(ExceptionGroup) as caught:
        async with SimulatedCluster():
            await asyncio.Event().wait()
    assert caught.group_contains(ZeroDivisionError)


async def test_an_error_inside_the_context_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with SimulatedCluster():
            raise ZeroDivisionError

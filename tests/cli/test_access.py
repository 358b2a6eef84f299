"""Clusters that cannot be reached, or that do not let us in."""

import signal
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from command_line import CommandLine, Ended
from patience import PATIENCE_S
from scripted_server import refuses, scripted_server
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

from perfscale.kube.resources import NAMESPACES

SECRET = "do-not-tell-anybody"  # noqa: S105 -- the point of the test


def kubeconfig(folder: Path, server: str, **more: Any) -> Path:
    path = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "staging",
        "contexts": [
            {"name": name, "context": {"cluster": "it", "user": "me"}}
            for name in ("staging", "production")
        ],
        "clusters": [{"name": "it", "cluster": {"server": server, **more}}],
        "users": [{"name": "me", "user": {"token": SECRET}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def failed(ended: Ended, code: int, *told: str) -> None:
    assert ended.code == code, ended.err
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    assert SECRET not in ended.err
    for text in told:
        assert text in ended.err


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_kubeconfig_that_is_not_there_is_named(perfscale: CommandLine) -> None:
    failed(perfscale("run", "--kubeconfig", "no/such/file"), 2, "no such kubeconfig: no/such/file")


def test_without_any_kubeconfig_the_way_out_is_told(perfscale: CommandLine) -> None:
    failed(perfscale("run"), 2, "no cluster", "--kubeconfig", "simulated")


def test_an_unknown_context_is_refused_and_those_that_exist_are_named(
    perfscale: CommandLine,
) -> None:
    path = kubeconfig(perfscale.folder, "http://127.0.0.1:1")
    ended = perfscale("run", "--kubeconfig", path, "--context", "stagign")
    failed(ended, 2, "stagign", "production", "staging")


@pytest.mark.parametrize("command", [("run",), ("cleanup", "--all", "--yes")])
def test_a_server_that_is_not_there_is_told_at_once(
    command: tuple[str, ...], perfscale: CommandLine
) -> None:
    server = f"http://127.0.0.1:{free_port()}"
    path = kubeconfig(perfscale.folder, server)
    ended = perfscale(*command, "-v", KUBECONFIG=str(path))
    assert ended.code == 4
    assert f"error: {server}" in ended.err
    assert "connection refused" in ended.err
    assert SECRET not in ended.err
    assert perfscale.results == []


async def test_a_token_that_is_refused_is_told_and_never_shown(perfscale: CommandLine) -> None:
    async with scripted_server(refuses(401, "Unauthorized")) as server:
        path = kubeconfig(perfscale.folder, server.url)
        ended = await perfscale.beside("-vv", "run", "--kubeconfig", path)
    assert ended.code == 4
    assert "401" in ended.err or "credentials" in ended.err
    assert SECRET not in ended.out + ended.err
    assert "Traceback" not in ended.err
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert perfscale.results == []


async def test_a_certificate_that_is_not_verified_is_warned_about(perfscale: CommandLine) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with scripted_server(refuses(401, "Unauthorized"), tls=tls) as server:
        path = kubeconfig(perfscale.folder, server.url, **{"insecure-skip-tls-verify": True})
        ended = await perfscale.beside("cleanup", "--run-id", "some", "--kubeconfig", path)
        trusting = kubeconfig(perfscale.folder, server.url)
        refused = await perfscale.beside("cleanup", "--run-id", "some", "--kubeconfig", trusting)
    assert ended.code == refused.code == 4
    assert "warning: the server's certificate is not verified" in ended.err
    assert "the server's certificate could not be verified" in refused.err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_server_that_never_answers_can_be_interrupted(
    signum: signal.Signals, perfscale: CommandLine
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        path = kubeconfig(perfscale.folder, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with perfscale.start("run", "--kubeconfig", path) as run:
            connection, _ = silent.accept()
            with connection:
                run.signal(signum)
                ended = run.ends()
    assert ended.code == 128 + signum
    assert "Traceback" not in ended.err
    assert perfscale.results == []


def test_a_namespace_of_another_run_is_refused_with_the_way_to_remove_it(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    labels = {"kubevirt-load-generator-workload": "another"}
    simulated.create_namespace("taken-1", labels)
    workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 1, "taken"))
    ended = perfscale("run", workload, "--kubeconfig", simulated.kubeconfig)
    failed(ended, 2, "taken-1", "perfscale cleanup --run-id another")
    assert simulated.has(NAMESPACES, "taken-1")
    simulated.request("DELETE", NAMESPACES.path(name="taken-1"))


def test_a_master_on_the_command_line_wins(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    path = kubeconfig(perfscale.folder, "http://127.0.0.1:1")
    master = ("--kubeconfig", path, "--master", simulated.server)
    ended = perfscale("cleanup", "--run-id", "nobody", *master)
    assert ended.code == 1, ended.err
    assert "run nobody not found" in ended.err
    assert simulated.server in ended.err

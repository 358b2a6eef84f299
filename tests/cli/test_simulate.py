"""`perfscale simulate`: a cluster for kubectl and others, until it is interrupted."""

import os
import re
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from command_line import CommandLine, until
from kubectl import Kubectl
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

VMI = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata: {name: witness, namespace: default}
spec:
  domain: {devices: {}, resources: {requests: {memory: 64Mi}}}
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_it_listens_where_its_kubeconfig_says_until_a_signal_ends_it(
    signum: signal.Signals, perfscale: CommandLine
) -> None:
    path = perfscale.folder / "sim.kubeconfig"
    path.write_text("of an older cluster")
    with perfscale.start("simulate", "--kubeconfig-out", path, "--port", "0") as it:
        it.reaches(lambda: "server:" in path.read_text(), "the kubeconfig")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        server = yaml.safe_load(path.read_text())["clusters"][0]["cluster"]["server"]
        port = int(server.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            pass
        it.says("Ctrl-C ends it")
        assert server in it.err
        it.signal(signum)
        ended = it.ends()
    assert ended.code == 128 + signum
    assert ended.out == ""
    assert "interrupted" not in ended.err
    assert "Traceback" not in ended.err
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_port_that_is_taken_is_told(perfscale: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = perfscale("simulate", "--port", str(port))
    assert ended.code == 2
    assert f"cannot listen on port {port}" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--speed", "0"), "--speed"),
        (("--speed", "nan"), "--speed"),
        (("--speed", "fast"), "--speed"),
        (("--port", "70000"), "--port"),
        (("--kubeconfig-out", "no/such/folder/file"), "no/such/folder/file"),
    ],
)
def test_a_wrong_command_line_is_refused(
    arguments: tuple[str, ...], told: str, perfscale: CommandLine
) -> None:
    ended = perfscale("simulate", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert "Traceback" not in ended.err


def test_faults_that_are_packaged_are_taken_by_name(perfscale: CommandLine) -> None:
    small = ("run", "--simulate", "--speed", "50", "--replicas", "1", "--faults")
    ended = perfscale(*small, "slow-starts")
    assert ended.code == 0, ended.err
    ended = perfscale(*small, "slow-start")
    assert ended.code == 2
    assert "slow-start: there is no such file, and no packaged faults of that name" in ended.err
    assert "did you mean slow-starts? those that are packaged: broken-objects, " in ended.err


def test_kubectl_follows_a_run(
    perfscale: CommandLine,
    simulated: SimulatedProcess,
    kubectl_for: Callable[[Path], Kubectl],
) -> None:
    kubectl = kubectl_for(simulated.kubeconfig)
    kubectl("create", "-f", "-", stdin=VMI)
    seen = perfscale.folder / "seen.txt"
    with seen.open("wb") as output:
        watching = subprocess.Popen(
            kubectl.command("get", "vmi", "-A", "-w"), stdout=output, stderr=output
        )
    try:
        # With a row of the list there, whatever comes later is an event.
        until(lambda: "witness" in seen.read_text(), "kubectl's list", state=seen.read_text)
        workload = write_workload(perfscale.folder, entry("vmi-ephemeral.yaml", 2, "followed"))
        ended = perfscale("run", workload, "--kubeconfig", simulated.kubeconfig)
        assert ended.code == 0, ended.err
        kubectl("delete", "vmi", "witness", "--wait=true")

        def witness_is_gone() -> bool:
            return bool(re.search(r"witness.*Succeeded", seen.read_text()))

        until(witness_is_gone, "the end of the run", state=seen.read_text)
    finally:
        os.kill(watching.pid, signal.SIGKILL)
        watching.wait()
    rows = [line.split() for line in seen.read_text().splitlines() if line.strip()]
    for name in ("kubevirt-density-1-1", "kubevirt-density-1-2"):
        # A VMI that nobody has taken up yet has no phase.
        phases = [row[3] for row in rows if row[:2] == ["followed-1", name] and len(row) > 3]
        shown = list(dict.fromkeys(phases))
        assert [phase for phase in shown if phase in {"Scheduling", "Running", "Succeeded"}] == [
            "Scheduling",
            "Running",
            "Succeeded",
        ]
    assert "No resources found" in kubectl.run("get", "vmi", "-n", "followed-1").stderr

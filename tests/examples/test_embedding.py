"""The example of an embedding program, run as its README says."""

import asyncio
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.sim.cluster import SimulatedCluster

PROGRAM = Path(__file__).parents[2] / "examples" / "embedding" / "embed.py"
VMIS = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True
)


@dataclass(frozen=True)
class Ended:
    code: int | None
    said: list[str]
    complained: str


async def embed(*arguments: str, interrupt_at: str | None = None) -> Ended:
    """Run the program; send it SIGINT, as Ctrl-C does, when it says ``interrupt_at``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    complaining = asyncio.create_task(process.stderr.read())
    said = []
    async for line in process.stdout:
        said.append(line.decode().rstrip())
        if said[-1] == interrupt_at:
            process.send_signal(signal.SIGINT)
    return Ended(await process.wait(), said, (await complaining).decode())


def left_in(cluster: SimulatedCluster) -> list[str]:
    names = [record.name for kind in (VMIS, NAMESPACES) for record in cluster.store.records(kind)]
    return [name for name in names if "embedded" in name or "density" in name]


async def test_it_says_what_the_run_does_and_how_long_readiness_took(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    async with SimulatedCluster(speed=50, seed=1) as cluster:
        cluster.write_kubeconfig(kubeconfig)
        ended = await embed(str(kubeconfig), "--replicas", "3")
        assert ended.complained == ""
        assert ended.code == 0
        assert left_in(cluster) == []
        assert ended.said[0] == f"3 objects on {cluster.url}"
    assert ended.said[1:-1] == [
        "now preparing namespaces",
        "now creating",
        "now waiting until ready",
        "now deleting",
        "now waiting until gone",
    ]
    assert re.fullmatch(r"VirtualMachineInstance: 3 of 3 ready, p99 is \d+\.\d s", ended.said[-1])


async def test_it_leaves_nothing_when_it_is_interrupted(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    async with SimulatedCluster(speed=50, seed=1) as cluster:
        cluster.write_kubeconfig(kubeconfig)
        ended = await embed(str(kubeconfig), "--replicas", "100", interrupt_at="now creating")
        assert (ended.code, ended.complained) == (130, ""), ended.said
        assert "now cleaning up" in ended.said
        assert left_in(cluster) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "no such kubeconfig"),
        ("{}", "error: "),
    ],
)
async def test_it_says_in_a_line_that_there_is_no_cluster(
    tmp_path: Path, text: str | None, complaint: str
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    if text is not None:
        kubeconfig.write_text(text, encoding="utf-8")
    ended = await embed(str(kubeconfig))
    assert ended.code == 2
    assert complaint in ended.complained
    assert "Traceback" not in ended.complained

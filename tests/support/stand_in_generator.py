"""A process that speaks as a generator does, and does what a test wants.

It runs as ``python -m stand_in_generator`` in the place of `perfscale.fleet.processes.child`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfscale.fleet.messages import Clocks, Ended, Opened, Probe, Published, Start, Stop
from perfscale.fleet.processes import child
from perfscale.kube.cluster import ClusterOptions
from perfscale.results.journal.entries import WarningEntry

if TYPE_CHECKING:
    from perfscale.fleet.processes.child import PipeEnd
    from perfscale.fleet.transport import GeneratorInputs

LEASE_VARIABLE: Final = "PERFSCALE_TEST_LEASE_S"
BATCHES: Final = 50


async def run(inputs: GeneratorInputs, end: PipeEnd) -> None:
    """Answer each probe; publish much when started; end when stopped, with its kubeconfig."""
    print("what something prints")  # noqa: T201 -- the point
    end.send(Opened("host", os.getpid(), "1"))
    while True:
        match await end.receive():
            case Probe(n):
                end.send(Clocks(n, 1.0, 2.0))
            case Start():
                for number in range(BATCHES):
                    end.send(Published([WarningEntry(number, "x" * 1000)] * 20))
                    await asyncio.sleep(0)
            case Stop():
                end.send(Ended(_kubeconfig(inputs)))
                return


def _kubeconfig(inputs: GeneratorInputs) -> str | None:
    cluster = inputs.cluster
    if not isinstance(cluster, ClusterOptions) or cluster.kubeconfig is None:
        return None
    return Path(cluster.kubeconfig).read_text(encoding="utf-8")


if __name__ == "__main__":
    child.LEASE_S = float(os.environ.get(LEASE_VARIABLE, child.LEASE_S))  # type: ignore[attr-defined]
    sys.stdout.flush()
    child.run_child(run)

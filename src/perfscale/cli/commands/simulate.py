"""`perfscale simulate`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import completion, options
from perfscale.cli.output.streams import log_more
from perfscale.cli.signals import run_until_signalled

if TYPE_CHECKING:
    from perfscale.sim.faults import Faults

Simulate = Annotated[
    bool,
    options.switch(
        "--simulate",
        "Use a simulated cluster, which is there for this command only.",
        options.Panel.CLUSTER,
    ),
]
Speed = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=1_000_000,
        metavar="N",
        help="Divide every latency of the simulated cluster by N.",
        rich_help_panel=options.Panel.CLUSTER,
    ),
]
FaultsFile = Annotated[
    Path | None,
    typer.Option(
        "--faults",
        metavar="FILE",
        help="Inject the faults of this file, or of a packaged one by its name, as in slow-starts, "
        "into the simulated cluster.",
        show_default=False,
        autocompletion=completion.faults,
        rich_help_panel=options.Panel.CLUSTER,
    ),
]


def read_faults(path: Path | None) -> Faults | None:
    """The faults of a file, if one was given.

    Raises:
        ConfigError: Everything that is wrong in it.
        UsageError: There is no such file.
    """
    if path is None:
        return None
    from perfscale.sim.faults import load_faults

    return load_faults(options.faults_path(path))


def refuse_beside_simulation(call: typer.Context, *, simulate: bool, faults: Path | None) -> None:
    """Refuse what only a real cluster has beside ``--simulate``, and what only that has without it.

    The environment may name a cluster all the same: `simulate` leaves it alone.

    Raises:
        typer.BadParameter: One of these options is given.
    """
    if simulate and options.is_given(call, "kubeconfig", "context", "master"):
        raise typer.BadParameter(
            "--simulate brings its own cluster; leave out --kubeconfig, --context and --master"
        )
    if not simulate and faults:
        raise typer.BadParameter("--faults is for --simulate: no real cluster is harmed")
    if not simulate and options.is_given(call, "speed"):
        raise typer.BadParameter("--speed is for --simulate: no real cluster is made faster")


def simulate(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port on loopback; 0 for a free one.")
    ] = 0,
    kubeconfig_out: Annotated[
        Path | None,
        options.optional("FILE", "Write a kubeconfig there once the server listens."),
    ] = None,
    speed: Speed = 1.0,
    faults: FaultsFile = None,
    verbose: options.Verbose = 0,
) -> None:
    """Run a simulated cluster on loopback until interrupted.

    It is an API server in memory with KubeVirt's kinds, and controllers that
    move VMs and VMIs through their phases. kubectl and other tools can use it.

    For example:

        perfscale simulate --kubeconfig-out sim.kubeconfig

        kubectl --kubeconfig sim.kubeconfig get vmi -A -w

        perfscale run --kubeconfig sim.kubeconfig workload.yaml
    """
    log_more(verbose)
    raise typer.Exit(
        run_until_signalled(
            _simulate(port, kubeconfig_out, speed, read_faults(faults)), is_service=True
        )
    )


async def _simulate(
    port: int, kubeconfig_out: Path | None, speed: float, faults: Faults | None
) -> int:
    from perfscale.sim.cluster import SimulatedCluster

    async with SimulatedCluster(speed=speed, port=port, faults=faults) as cluster:
        typer.echo(f"simulated cluster at {cluster.url}", err=True)
        if kubeconfig_out is not None:
            cluster.write_kubeconfig(kubeconfig_out)
            typer.echo(f"kubectl --kubeconfig {kubeconfig_out} get vmi -A", err=True)
        typer.echo(f"what happens in it, for Prometheus: {cluster.url}/metrics", err=True)
        typer.echo("Ctrl-C ends it", err=True)
        await asyncio.Event().wait()
    return 0

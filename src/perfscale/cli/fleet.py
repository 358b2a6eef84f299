"""The options of a run over many generators, and what they open."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from perfscale.fleet.dask.transport import DaskTransport
    from perfscale.fleet.dask.workers import FleetOptions
    from perfscale.kube.cluster import ClusterOptions

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="Share the load among N generators: processes of this machine, or workers of "
        "--scheduler. Without it, all workers of --scheduler, or this process alone.",
        show_default=False,
        rich_help_panel=options.Panel.GENERATORS,
    ),
]
Scheduler = Annotated[
    str | None,
    options.optional(
        "ADDRESS",
        "Run on the workers of a Dask scheduler, one generator on each: tcp://HOST:8786, or "
        "tls:// by Dask's own configuration.",
        panel=options.Panel.GENERATORS,
    ),
]
SendKubeconfig = Annotated[
    bool,
    options.switch(
        "--send-kubeconfig",
        "Send the workers of --scheduler this kubeconfig, credentials and all, over TLS only; "
        "without it, each worker finds its own.",
        options.Panel.GENERATORS,
    ),
]


def fleet_options(
    workers: int | None,
    scheduler: str | None,
    *,
    send_kubeconfig: bool,
    dry_run: bool,
    simulate: bool,
) -> FleetOptions | None:
    """Where the generators of a run are; None for one, in this process.

    Raises:
        typer.BadParameter: Options that contradict each other.
        UsageError: What `check_options` refuses.
    """
    if send_kubeconfig and scheduler is None:
        raise typer.BadParameter(
            "--send-kubeconfig is for workers of a --scheduler; those of this machine find it"
        )
    if workers is None and scheduler is None:
        return None
    if dry_run:
        raise typer.BadParameter("--workers and --scheduler are for a run; leave out --dry-run")
    if simulate and scheduler is not None and not _is_here(scheduler):
        raise typer.BadParameter(
            f"--simulate makes a cluster that only this machine reaches, and {scheduler} is "
            "elsewhere; use --workers"
        )
    from perfscale.fleet.dask.workers import FleetOptions, check_options

    options = FleetOptions(workers, scheduler, send_kubeconfig)
    check_options(options)
    return options


def _is_here(scheduler: str) -> bool:
    import ipaddress
    from urllib.parse import urlsplit

    host = urlsplit(scheduler).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def opened_transport(
    fleet: FleetOptions, cluster: ClusterOptions
) -> AsyncIterator[tuple[DaskTransport, int]]:
    """What carries messages to the generators, and their number.

    Raises what `connected_workers` raises, and UsageError for a kubeconfig that cannot be read.
    """
    from perfscale.fleet.dask.transport import DaskTransport
    from perfscale.fleet.dask.workers import connected_workers
    from perfscale.kube.auth.kubeconfig import find_access
    from perfscale.kube.auth.portable import portable_kubeconfig

    kubeconfig = None
    if fleet.send_kubeconfig:
        access = find_access(
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            master=cluster.master,
            environ=os.environ,
        )
        kubeconfig = portable_kubeconfig(access)
    async with connected_workers(fleet) as workers:
        yield DaskTransport(workers, kubeconfig=kubeconfig), len(workers.addresses)

"""The Dask workers of a run: those of a scheduler that is there, or its own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from perfscale.config import counted
from perfscale.errors import FleetError, UsageError
from perfscale.fleet.dask.folder import passing_folder
from perfscale.fleet.messages import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from distributed import Client

_COMPARED: Final = (DISTRIBUTION, "distributed", "dask", "cloudpickle")
"""What both sides must have in the same version, besides the minor version of Python: what one
of them sends is read by the other's classes."""
_PRELOAD: Final = "perfscale.fleet.dask.preload"
_CONNECT_TIMEOUT: Final = "10s"
_LOGGERS: Final = ("distributed", "distributed.client", "tornado", "tornado.application")
_QUIET: Final = {
    # They have HTTP servers in any case; without routes these serve nothing.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # A worker that only passes messages on needs no profile of itself, which costs 3 % of a core.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
}
_LOOPBACK: Final = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """Where the generators of a run are.

    Attributes:
        workers: How many of them; None for one on each worker of ``scheduler``.
        scheduler: The address of Dask's scheduler; None starts workers on this machine.
        send_kubeconfig: Whether they are sent the coordinator's kubeconfig; without it, each
            worker finds its own.
    """

    workers: int | None = None
    scheduler: str | None = None
    send_kubeconfig: bool = False

    def __str__(self) -> str:
        """For a person."""
        if self.scheduler is None:
            return counted(self.workers or 1, "process") + " of this machine"
        which = "every worker" if self.workers is None else counted(self.workers, "worker")
        return f"{which} of {self.scheduler}"


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers that are connected.

    Attributes:
        client: Dask's.
        scheduler: Its address.
        addresses: One for each generator, in the generators' order.
        pids: The process of each that the run has started, on this machine.
    """

    client: Client
    scheduler: str
    addresses: tuple[str, ...]
    pids: Mapping[str, int] = field(default_factory=dict)


def check_options(options: FleetOptions) -> None:
    """Refuse what cannot be, before anything is opened.

    Raises:
        UsageError: Dask is not installed; the scheduler's address is none; a kubeconfig would be
            sent without encryption.
    """
    if find_spec("distributed") is None:
        raise UsageError(
            "--workers and --scheduler need Dask, which is not installed",
            hint="pip install 'perfscale-load-generator[fleet]'",
        )
    if options.scheduler is None:
        return
    scheme, _, rest = options.scheduler.partition("://")
    if scheme not in {"tcp", "tls"} or not rest:
        raise UsageError(
            f"--scheduler {options.scheduler}: not the address of a Dask scheduler",
            hint="write tcp://HOST:PORT, or tls://HOST:PORT; Dask's port is 8786",
        )
    if options.send_kubeconfig:
        _check_encrypted((options.scheduler,))


@asynccontextmanager
async def connected_workers(options: FleetOptions) -> AsyncIterator[Workers]:
    """The workers for a run's generators, for as long as the context.

    Raises:
        UsageError: Dask is not installed; the scheduler cannot be reached; it has too few
            workers; their versions differ from ours; a kubeconfig is to be sent without TLS.
        FleetError: Workers of our own cannot be started.
    """
    check_options(options)
    _quieten()
    async with AsyncExitStack() as stack:
        if options.scheduler is None:
            workers = await _start_workers(stack, options.workers or 1)
        else:
            workers = await _find_workers(stack, options.scheduler, options)
        if options.send_kubeconfig:
            _check_encrypted(workers.addresses)
        versions: Any = workers.client.get_versions(packages=[DISTRIBUTION])
        check_versions(await versions, workers.addresses)
        yield workers


async def _start_workers(stack: AsyncExitStack, count: int) -> Workers:
    """Workers of our own: nobody else on the machine can talk to them, or listen."""
    import dask  # noqa: PLC0415 -- slow, and seldom
    from distributed import LocalCluster, Security  # noqa: PLC0415 -- slow, and seldom

    stack.enter_context(dask.config.set(_QUIET))
    security: Any = Security.temporary()  # type: ignore[no-untyped-call]
    folder = stack.enter_context(passing_folder("perfscale-workers-"))
    cluster: Any = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        asynchronous=True,
        dashboard_address=_LOOPBACK,
        worker_dashboard_address=_LOOPBACK,
        protocol="tls://",
        security=security,
        memory_limit=0,
        local_directory=folder,
        preload=[_PRELOAD],
        silence_logs=logging.CRITICAL,
    )
    starting = asyncio.create_task(_start(cluster), name="perfscale-workers-start")
    stack.push_async_callback(_close, cluster, starting)
    try:
        await asyncio.shield(starting)
    except (OSError, RuntimeError) as error:
        raise FleetError(
            f"{counted(count, 'worker process')} cannot be started here: {_first_cause(error)}",
            hint="are there memory, open files and processes for so many? Try fewer --workers",
        ) from error
    client = await stack.enter_async_context(_client(cluster))
    pids = {nanny.worker_address: nanny.pid for nanny in cluster.workers.values()}
    return Workers(client, cluster.scheduler_address, tuple(sorted(pids)), pids)


async def _start(cluster: Any) -> None:  # noqa: ANN401 -- Dask's own
    await cluster


async def _close(cluster: Any, starting: asyncio.Task[None]) -> None:  # noqa: ANN401 -- the same
    """Close a cluster, once it has started: Dask fails an assertion on workers that are starting.

    Cancelled meanwhile, it closes nothing: the processes are daemons, and end with this one.
    """
    await asyncio.gather(starting, return_exceptions=True)
    await cluster.close()


def _first_cause(error: BaseException) -> str:
    """What went wrong first, where Dask says no more than that something did."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, RuntimeError):  # Dask's own: there is no cause but that it is gone
        return "one of them ended while it started"
    return str(error) or repr(error)


async def _find_workers(stack: AsyncExitStack, address: str, options: FleetOptions) -> Workers:
    """TLS is by Dask's own configuration (``distributed.comm.tls``)."""
    try:
        client = await stack.enter_async_context(_client(address))
        scheduler: Any = client.scheduler
        known: Mapping[str, Any] = (await scheduler.identity(n_workers=-1))["workers"]
    except (OSError, TypeError, ValueError) as error:
        raise UsageError(
            f"the scheduler at {address} cannot be reached: {error}",
            hint="perfscale run --scheduler tcp://HOST:8786, or tls:// with the certificates of "
            "Dask's configuration (distributed.comm.tls)",
        ) from error
    return Workers(client, address, _choose(list(known), options))


def _client(where: Any) -> Client:  # noqa: ANN401 -- an address or a cluster
    from distributed import Client  # noqa: PLC0415 -- slow, and seldom

    return Client(  # type: ignore[no-untyped-call]
        where,
        asynchronous=True,
        direct_to_workers=True,
        set_as_default=False,  # others may run in this process
        timeout=_CONNECT_TIMEOUT,
    )


def _choose(known: list[str], options: FleetOptions) -> tuple[str, ...]:
    wanted = len(known) if options.workers is None else options.workers
    if not known or wanted > len(known):
        have = f"{len(known)} of the {wanted} workers of --workers" if known else "no workers"
        raise UsageError(
            f"the scheduler at {options.scheduler} has {have}",
            hint=f"start more of them: dask worker {options.scheduler}",
        )
    return tuple(sorted(known)[:wanted])


def _check_encrypted(addresses: Iterable[str]) -> None:
    """A kubeconfig holds credentials: it goes nowhere where others may read it."""
    for address in addresses:
        if not address.startswith("tls://"):
            raise UsageError(
                f"--send-kubeconfig sends credentials, and {address} is not encrypted",
                hint="use a scheduler and workers with tls://, or leave the option out and a "
                "kubeconfig on each worker",
            )


def check_versions(versions: Mapping[str, Any], addresses: tuple[str, ...]) -> None:
    """Refuse workers whose software is another than ours.

    Args:
        versions: As `distributed.Client.get_versions` gives them.
        addresses: The workers that matter.

    Raises:
        UsageError: What differs, and where, all at once.
    """
    ours = versions["client"]["packages"]
    problems = []
    for address in addresses:
        theirs = (versions["workers"].get(address) or {}).get("packages", {})
        for name in _COMPARED:
            if theirs.get(name) != ours.get(name):
                there = theirs.get(name) or "not installed"
                problems.append(f"{address}: {name} is {there}, and {ours.get(name)} here")
        if _minor(theirs.get("python")) != _minor(ours.get("python")):
            problems.append(
                f"{address}: Python is {_minor(theirs.get('python'))}, "
                f"and {_minor(ours.get('python'))} here"
            )
    if problems:
        raise UsageError(
            "the workers have other versions than the coordinator:\n" + "\n".join(problems),
            hint="install the same versions everywhere, as from one container image",
        )


def _minor(python: str | None) -> str:
    return "unknown" if python is None else ".".join(python.split(".")[:2])


def _quieten() -> None:
    """What Dask logs of workers that end is said by the run itself."""
    import distributed  # noqa: F401, PLC0415 -- it sets the levels of its loggers when it is loaded

    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)

"""What `perfscale cleanup` does and prints, once its command line is understood."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import typer

from perfscale.cli.output.confirm import confirmed
from perfscale.cli.output.streams import say
from perfscale.config import counted, format_duration
from perfscale.config.labels import RUN_LABEL, WHOLE, WORKLOAD_LABEL
from perfscale.engine.removal.by_uid import RemovalByUid
from perfscale.engine.removal.cleanup import Removed, TimeBudget, remove_run
from perfscale.engine.removal.inventory import Inventory, take_inventory
from perfscale.engine.removal.leftovers import describe_undeleted, describe_unseen, first_bug
from perfscale.engine.removal.outliving import is_divided, outlives_s, remove_later
from perfscale.engine.removal.runs import RunInCluster, others_in, runs_in, server_time
from perfscale.engine.removal.search import (
    Listing,
    list_labelled,
    recorded_objects,
    search_everything,
    search_run,
)
from perfscale.errors import ResultsError
from perfscale.kube.cluster import Cluster, ClusterOptions, open_cluster
from perfscale.kube.discovery import Discovery
from perfscale.kube.resources import Place
from perfscale.results import Located, locate_run, read_present


@dataclass(frozen=True)
class CleanupSettings:
    """The command line of `cleanup`.

    ``workloads`` are the names of those whose objects are meant; none: of all of them.
    """

    cluster: ClusterOptions
    run_id: str | None
    force: bool
    ask: bool
    results_dir: Path
    timeout_s: float
    workloads: tuple[str, ...] = ()

    @property
    def of_workloads(self) -> str:
        """What to add to a label selector."""
        names = ", ".join(self.workloads)
        return f",{WORKLOAD_LABEL} in ({names})" if names else ""


async def clean_up(settings: CleanupSettings) -> int:
    """Remove a run, or every run.

    Returns:
        0 if all of it is gone, and it is certain that it is all; otherwise 1.

    Raises:
        UsageError: The kubeconfig is wrong.
        ClusterError: The cluster cannot be reached, or refuses the credentials.
    """
    async with await open_cluster(settings.cluster) as cluster:
        say(f"cluster: {cluster.context or '(no context)'}, {cluster.server}")
        if cluster.insecure:
            say("warning: the server's certificate is not verified (insecure-skip-tls-verify)")
        return await _Cleaner(cluster, settings).run()


class _Cleaner:
    """One cleanup, and what keeps it from being complete."""

    def __init__(self, cluster: Cluster, settings: CleanupSettings) -> None:
        self._cluster = cluster
        self._client = cluster.client
        self._settings = settings
        self._time = TimeBudget(settings.timeout_s)
        self._bound = format_duration(settings.timeout_s)
        self._left: list[str] = []  # runs of which something is left
        self._unseen: dict[Place, Exception] = {}
        self._undeleted: dict[Place, Exception] = {}
        self._unasked: Mapping[str, str] = {}
        self._discovery = Discovery(cluster.client)
        self._strays = RemovalByUid(cluster.client, (), lambda _: None)

    async def run(self) -> int:
        run_id = self._settings.run_id
        located, known = _locate(self._settings)
        chosen = RUN_LABEL if run_id is None else f"{RUN_LABEL}={run_id}"
        selector = f"{chosen}{self._settings.of_workloads}"
        try:
            async with self._time.spent():
                listing = await self._find(located, selector)
                await self._find_strays(located)
                runs = (
                    runs_in(listing.present, await server_time(self._client))
                    if run_id is None
                    else []
                )
        except TimeoutError:
            say(f"error: listing what runs have left timed out after {self._bound}")
            return 1
        self._unseen.update(listing.present.unseen)
        if run_id is None:
            await self._remove_all(runs, listing)
        elif listing.present.found or self._strays.left:
            divided = is_divided(listing.present, run_id)
            more_s = outlives_s(located, divided=divided)
            await self._remove(run_id, listing, selector, more_s)
        elif more_s := outlives_s(located, divided=False):
            self._report(run_id, await self._remove_later(run_id, listing, selector, more_s))
        else:
            self._say_nothing_found(run_id, known=known)
        self._say_what_is_missing()
        if bug := first_bug(self._unseen, self._undeleted):
            raise bug
        return 1 if self._left or self._unseen or self._undeleted or self._unasked else 0

    # -- finding -----------------------------------------------------------------

    async def _find(self, located: Located | None, selector: str) -> Listing:
        discovery = self._discovery
        # As kubectl has it, a context that names no namespace means this one.
        namespace = self._cluster.namespace or "default"
        search = await (
            search_everything(discovery, [namespace])
            if located is None
            else search_run(discovery, self._client, located.run)
        )
        self._unasked = search.unasked
        return await list_labelled(self._client, search, selector)

    async def _find_strays(self, located: Located | None) -> None:
        """Find what the run has made, and what has lost its label since then."""
        if located is None:
            return
        try:
            records = read_present(located.folder)
        except ResultsError as error:
            say(f"warning: {error}; what has lost the run's label is not removed")
            return
        known = await recorded_objects(self._discovery, records)
        self._strays = RemovalByUid(self._client, known, lambda _: None)
        await self._strays.keep_strays(located.run.run_id)

    @property
    def _sees_everything(self) -> bool:
        return not (self._unseen or self._unasked)

    def _say_nothing_found(self, run_id: str, *, known: bool) -> None:
        if not self._sees_everything:
            typer.echo(f"run {run_id}: nothing found in what could be listed")
        elif known:
            typer.echo(f"run {run_id}: nothing to remove")
        else:
            self._left.append(run_id)
            say(
                f"error: run {run_id} not found: nothing in this cluster carries its label, "
                f"and {self._settings.results_dir} has no folder of it"
            )

    def _say_what_is_missing(self) -> None:
        for sentence in describe_undeleted(self._undeleted):
            say(f"error: {sentence}")
        for sentence in describe_unseen(self._unseen):
            say(f"error: {sentence}")
        for what, why in self._unasked.items():
            say(f"error: not listed: the kinds of {what}: {why}")

    # -- removing ------------------------------------------------------------------

    async def _remove_all(self, runs: Sequence[RunInCluster], listing: Listing) -> None:
        chosen = [run for run in runs if self._settings.force or not run.may_be_going_on]
        _list_runs(runs, chosen, certain=self._sees_everything)
        _list_others(listing.present)
        for run in chosen:
            selector = f"{WHOLE},{RUN_LABEL}={run.run_id}{self._settings.of_workloads}"
            try:
                async with self._time.spent():
                    found = await take_inventory(self._client, listing.places, selector)
            except TimeoutError:
                say(f"error: run {run.run_id}: timed out after {self._bound}")
                self._left.append(run.run_id)
                continue
            divided = run.may_be_going_on and is_divided(found, run.run_id)
            more_s = outlives_s(None, divided=divided)
            await self._remove(run.run_id, Listing(found, listing.places), selector, more_s)

    async def _remove(self, run_id: str, listing: Listing, selector: str, more_s: float) -> None:
        """Show what there is of a run, ask, and remove it, and what is made within ``more_s``."""
        until_s = asyncio.get_running_loop().time() + more_s
        _describe(run_id, listing.present, self._strays)
        if self._settings.ask and not await confirmed("Delete this?"):
            self._left.append(run_id)
            return
        removed = await remove_run(self._client, listing, selector, self._strays, self._time)
        left_s = until_s - asyncio.get_running_loop().time()
        if left_s > 0 and not (removed.left or removed.timed_out):
            self._undeleted.update(removed.undeleted)
            removed = await self._remove_later(run_id, listing, selector, left_s)
        self._report(run_id, removed)

    async def _remove_later(
        self, run_id: str, listing: Listing, selector: str, more_s: float
    ) -> Removed:
        """Remove what generators make that have lost their coordinator, and have not ended yet."""
        say(
            f"run {run_id}: its generators may go on for {ceil(more_s)} s without their "
            "coordinator; what they make is removed after that"
        )
        until_s = asyncio.get_running_loop().time() + more_s
        return await remove_later(self._client, listing.places, selector, self._time, until_s)

    def _report(self, run_id: str, removed: Removed) -> None:
        """Print what a removal came to, and keep what is in the way of a complete one."""
        self._unseen.update(removed.unseen)
        self._undeleted.update(removed.undeleted)
        if removed.left or removed.timed_out:
            self._left.append(run_id)
            late = f" after {self._bound}" if removed.timed_out else ""
            say(f"error: run {run_id}: {counted(removed.left, 'object')} still there{late}")
            for sentence in (*removed.reasons, *_name_strays(self._strays)):
                say(f"  {sentence}")
        elif self._sees_everything:
            typer.echo(f"run {run_id}: removed")
        else:
            typer.echo(f"run {run_id}: what was found is removed")


def _locate(settings: CleanupSettings) -> tuple[Located | None, bool]:
    """The run as its folder has it, and whether there is a folder."""
    if settings.run_id is None:
        return None, False
    try:
        located = locate_run(settings.results_dir, settings.run_id)
    except ResultsError as error:
        say(f"warning: {error}; all kinds are listed instead")
        return None, True
    return located, located is not None


def _list_runs(
    runs: Sequence[RunInCluster], chosen: Sequence[RunInCluster], *, certain: bool
) -> None:
    """A line for each run; those that are not chosen are left alone."""
    if not runs:
        typer.echo(
            "nothing to remove: no run has anything in this cluster"
            if certain
            else "nothing of any run found in what could be listed"
        )
        return
    typer.echo(f"{'RUN':<38}{'OBJECTS':>8}{'AGE':>12}{'LAST CREATED':>16}")
    for run in runs:
        age, idle = format_duration(round(run.age_s)), format_duration(round(run.idle_s))
        note = "" if run in chosen else "  left alone: created something this hour (--force)"
        typer.echo(f"{run.run_id:<38}{run.objects:>8}{age:>12}{idle:>12} ago{note}")


def _list_others(present: Inventory) -> None:
    """What carries the run's label, and which no run of this program has made."""
    for (kind, value), count in others_in(present).items():
        typer.echo(f"left alone: {count} {kind} with {RUN_LABEL}={value}, not made by perfscale")


def _name_strays(strays: RemovalByUid) -> list[str]:
    """What a run has made that has lost its label, by kind."""
    counts = Counter(each.resource.kind_name for each in strays.left)
    return [
        f"{count} {kind} that the run made, without its label" for kind, count in counts.items()
    ]


def _describe(run_id: str, found: Inventory, strays: RemovalByUid) -> None:
    """What there is of a run, by kind."""
    typer.echo(f"run {run_id}:")
    for place, finding in found.found.items():
        names = sorted(name or "" for name in finding.namespaces)
        where = f" in {len(names)} namespaces" if len(names) > 1 else f" in {names[0]}"
        typer.echo(f"  {finding.count} {place.resource.kind_name}{where if names != [''] else ''}")
    for sentence in _name_strays(strays):
        typer.echo(f"  {sentence}")

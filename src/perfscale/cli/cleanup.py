"""`perfscale cleanup`."""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options
from perfscale.cli.confirm import confirmed
from perfscale.cli.signals import run_until_signalled
from perfscale.cli.streams import say
from perfscale.cli.verbosity import log_more

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from perfscale.engine.runs import RunInCluster
    from perfscale.engine.survey import Survey
    from perfscale.kube.client import Client
    from perfscale.kube.cluster import ClusterOptions
    from perfscale.kube.resources import Place

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?", re.ASCII)
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"""
_YOUNG_S = 3600.0
"""A run that created something less than an hour ago may well be going on."""


@dataclass(frozen=True)
class CleanupSettings:
    """The command line of `cleanup`."""

    cluster: ClusterOptions
    run_id: str | None
    force: bool
    ask: bool
    results_dir: Path
    timeout_s: float


def cleanup(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    run_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Remove what this run left.", show_default=False),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Remove what every run left, after listing them.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="With --all: also runs that created something this hour."),
    ] = False,
    yes: options.Yes = False,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    master: options.Master = None,
    results_dir: options.ResultsDir = options.DEFAULT_RESULTS,
    cleanup_timeout: Annotated[
        str,
        typer.Option(
            envvar="PERFSCALE_CLEANUP_TIMEOUT",
            metavar="DURATION",
            help="Bound on the whole cleanup.",
        ),
    ] = "5m",
    verbose: options.Verbose = 0,
) -> None:
    """Remove what an interrupted run left in the cluster, by its label.

    Deletes the objects and namespaces that carry the run's label, and waits
    until they are gone. Nothing without the label is deleted, but for what
    somebody put into a namespace that the run made. Asks first; without a
    terminal, --all needs --yes.

    For example:

        perfscale cleanup --run-id 6f1c4f0e-2d0c-4c55-9a39-0c8d6a3f2f51

        perfscale cleanup --all --context staging
    """
    log_more(verbose)
    if (run_id is None) == (not all_):
        raise typer.BadParameter("name a run with --run-id ID, or every run with --all")
    if force and not all_:
        raise typer.BadParameter("--force goes with --all")
    if run_id is not None and not _LABEL_VALUE.fullmatch(run_id):
        raise typer.BadParameter(f"{run_id!r} is not a run's id", param_hint="--run-id")
    settings = CleanupSettings(
        cluster=options.cluster(kubeconfig, context, master),
        run_id=run_id,
        force=force,
        # The id says which run is meant, so a script may do without --yes.
        ask=not yes and (all_ or sys.stdin.isatty()),
        results_dir=results_dir,
        timeout_s=options.seconds("--cleanup-timeout", cleanup_timeout),
    )
    raise typer.Exit(run_until_signalled(_cleanup(settings)))


async def _cleanup(settings: CleanupSettings) -> int:
    from perfscale.engine.runs import find_runs
    from perfscale.kube.cluster import open_cluster

    async with await open_cluster(settings.cluster) as cluster:
        say(f"cluster: {cluster.context or '(no context)'}, {cluster.server}")
        if cluster.insecure:
            say("warning: the server's certificate is not verified (insecure-skip-tls-verify)")
        places = await _places(cluster.client, settings)
        if settings.run_id is not None:
            return await _remove(cluster.client, places, [settings.run_id], settings)
        runs, forbidden = await find_runs(cluster.client, places)
        _warn_forbidden(forbidden)
        chosen = [run for run in runs if settings.force or run.idle_s >= _YOUNG_S]
        _list_runs(runs, chosen)
        return await _remove(cluster.client, places, [run.run_id for run in chosen], settings)


async def _places(client: Client, settings: CleanupSettings) -> list[Place]:
    """Where to look: for the run's own kinds where its folder is found, else everywhere."""
    from perfscale.kube.discovery import Discovery, NotInstalledError
    from perfscale.kube.permissions import Permissions
    from perfscale.kube.resources import NAMESPACES, Place
    from perfscale.results import locate_run

    discovery = Discovery(client)
    run = locate_run(settings.results_dir, settings.run_id) if settings.run_id else None
    if run is None:
        everything = await discovery.all_resources()
        return [Place(each) for each in everything if each.name != NAMESPACES.name] + [
            Place(NAMESPACES)
        ]
    permissions = Permissions(client)
    places: list[Place] = []
    for kind in run["kinds"]:
        try:
            resource = await discovery.resolve(kind["apiVersion"], kind["kind"])
        except NotInstalledError:
            continue  # uninstalled since then, and its objects with it
        if not resource.namespaced or await permissions.allows("list", Place(resource)):
            places.append(Place(resource))
        else:
            places += (Place(resource, namespace) for namespace in run["namespaces"])
    return [*places, Place(NAMESPACES)]


def _list_runs(runs: Sequence[RunInCluster], chosen: Sequence[RunInCluster]) -> None:
    from perfscale.config import format_duration

    if not runs:
        typer.echo("nothing to remove: no run has anything in this cluster")
        return
    typer.echo(f"{'RUN':<38}{'OBJECTS':>8}{'AGE':>12}{'LAST CREATED':>16}")
    for run in runs:
        age, idle = format_duration(round(run.age_s)), format_duration(round(run.idle_s))
        note = "" if run in chosen else "  left alone: created something this hour (--force)"
        typer.echo(f"{run.run_id:<38}{run.objects:>8}{age:>12}{idle:>12} ago{note}")


async def _remove(
    client: Client, places: Sequence[Place], run_ids: Sequence[str], settings: CleanupSettings
) -> int:
    from perfscale.config import format_duration
    from perfscale.config.labels import RUN_LABEL
    from perfscale.engine.removal import remove
    from perfscale.engine.survey import survey

    left: list[str] = []
    for run_id in run_ids:
        selector = f"{RUN_LABEL}={run_id}"
        found = await survey(client, places, selector)
        if not found.found:
            typer.echo(f"run {run_id}: nothing to remove")
            _warn_forbidden(found.forbidden)
            continue
        _describe(run_id, found)
        if settings.ask and not await confirmed("Delete this?"):
            left.append(run_id)
            continue
        try:
            async with asyncio.timeout(settings.timeout_s):
                last = await remove(client, places, selector)
        except TimeoutError:
            present = await survey(client, places, selector)
            bound = format_duration(settings.timeout_s)
            typer.echo(f"run {run_id}: {present.count} objects still there after {bound}", err=True)
            left.append(run_id)
        else:
            typer.echo(f"run {run_id}: removed")
            _warn_forbidden(last.forbidden)
    return 1 if left else 0


def _describe(run_id: str, found: Survey) -> None:
    typer.echo(f"run {run_id}:")
    for place, finding in found.found.items():
        names = sorted(name or "" for name in finding.namespaces)
        where = f" in {len(names)} namespaces" if len(names) > 1 else f" in {names[0]}"
        typer.echo(f"  {finding.count} {place.resource.kind}{where if names != [''] else ''}")


def _warn_forbidden(places: Iterable[Place]) -> None:
    names = ", ".join(sorted(str(place) for place in places))
    if names:
        typer.echo(f"warning: not permitted to list {names}; not looked at", err=True)

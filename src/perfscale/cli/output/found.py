"""What `perfscale cleanup` has found, for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.removal.by_uid import RemovalByUid
    from perfscale.engine.removal.inventory import Inventory
    from perfscale.engine.removal.runs import RunInCluster


def list_runs(
    runs: Sequence[RunInCluster], chosen: Sequence[RunInCluster], *, certain: bool
) -> None:
    """A line for each run; those that are not chosen are left alone.

    Args:
        runs: In the order in which they are listed.
        chosen: Those that are to be removed.
        certain: Whether everything could be listed.
    """
    from perfscale.config import format_duration

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


def list_others(present: Inventory) -> None:
    """What carries the run's label, and which no run of this program has made."""
    from perfscale.config.labels import RUN_LABEL
    from perfscale.engine.removal.runs import others_in

    for (kind, value), count in others_in(present).items():
        typer.echo(f"left alone: {count} {kind} with {RUN_LABEL}={value}, not made by perfscale")


def name_strays(strays: RemovalByUid) -> list[str]:
    """What a run has made that has lost its label, by kind."""
    counts = Counter(each.resource.kind_name for each in strays.left)
    return [
        f"{count} {kind} that the run made, without its label" for kind, count in counts.items()
    ]


def describe(run_id: str, found: Inventory, strays: RemovalByUid) -> None:
    """What there is of a run, by kind."""
    typer.echo(f"run {run_id}:")
    for place, finding in found.found.items():
        names = sorted(name or "" for name in finding.namespaces)
        where = f" in {len(names)} namespaces" if len(names) > 1 else f" in {names[0]}"
        typer.echo(f"  {finding.count} {place.resource.kind_name}{where if names != [''] else ''}")
    for sentence in name_strays(strays):
        typer.echo(f"  {sentence}")

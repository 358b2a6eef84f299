"""Removes what the run of a step has left: one that was killed, or that cleans nothing up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.config import counted, format_duration
from perfscale.config.labels import RUN_LABEL
from perfscale.engine.removal.by_uid import RemovalByUid
from perfscale.engine.removal.cleanup import TimeBudget, remove_run
from perfscale.engine.removal.leftovers import describe_undeleted, describe_unseen
from perfscale.engine.removal.search import list_labelled, recorded_objects, search_run
from perfscale.errors import UsageError
from perfscale.kube.cluster import open_cluster
from perfscale.kube.discovery import Discovery
from perfscale.results import locate_run, read_present
from perfscale.results.history import read_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.engine.removal.cleanup import Removed
    from perfscale.kube.cluster import Cluster, ClusterOptions


async def remove_run_of(
    options: ClusterOptions, parent: Path, run_id: str, bound_s: float
) -> list[str]:
    """Remove everything of a run whose folder is below ``parent``, within a bound.

    Returns:
        What is still there, or could not be looked at, in sentences. Nothing where there is no
        folder: that is written before the first create.

    Raises:
        UsageError: The run went to another cluster: what it left is not in this one.
        ClusterError: The cluster cannot be reached.
        ResultsError: The folder cannot be read.
    """
    async with await open_cluster(options) as cluster:
        try:
            return await _remove(cluster, parent, run_id, TimeBudget(bound_s))
        except TimeoutError:
            return [f"run {run_id} could not be listed within {format_duration(bound_s)}"]


async def _remove(cluster: Cluster, parent: Path, run_id: str, time: TimeBudget) -> list[str]:
    located = locate_run(parent, run_id)
    if located is None:
        return []
    known = read_head(located.folder).cluster
    if not known.is_simulated:
        refuse_another_cluster(known.server, cluster.server)
    client, discovery = cluster.client, Discovery(cluster.client)
    selector = f"{RUN_LABEL}={run_id}"
    async with time.spent():
        search = await search_run(discovery, client, located.run)
        listing = await list_labelled(client, search, selector)
        made = await recorded_objects(discovery, read_present(located.folder))
        strays = RemovalByUid(client, made, lambda _: None)
        await strays.keep_strays(run_id)
    left = [f"not listed: the kinds of {what}: {why}" for what, why in search.unasked.items()]
    left += describe_unseen(listing.present.unseen)
    if listing.present.found or strays.left:
        removed = await remove_run(client, listing, selector, strays, time)
        left += _what_is_left(removed)
    return left


def refuse_another_cluster(known: str, server: str) -> None:
    """Refuse a cluster that is not the one that the search began on.

    Raises:
        UsageError: It is another.
    """
    if known and known != server:
        raise UsageError(
            f"the search began on {known}, and this is {server}: its steps would not be "
            "comparable, and what they left is not here",
            hint="name the cluster with --kubeconfig, --context or --master, as when it began",
        )


def _what_is_left(removed: Removed) -> Iterator[str]:
    if removed.left or removed.timed_out:
        yield f"{counted(removed.left, 'object')} still there"
    yield from removed.reasons
    yield from describe_undeleted(removed.undeleted)
    yield from describe_unseen(removed.unseen)

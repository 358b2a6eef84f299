"""The runs that have something in a cluster, found by their label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from perfscale.config.labels import RUN_LABEL
from perfscale.engine.survey import survey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.survey import Share
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place


@dataclass(frozen=True, slots=True)
class RunInCluster:
    """What one run has in the cluster.

    Attributes:
        run_id: The value of its label.
        objects: How many objects carry it, namespaces included.
        age_s: Seconds since the oldest of them was created, by the server's clock.
        idle_s: Seconds since the newest of them was.
    """

    run_id: str
    objects: int
    age_s: float
    idle_s: float


async def find_runs(
    client: Client, places: Sequence[Place]
) -> tuple[list[RunInCluster], list[Place]]:
    """The runs that have something in the cluster, the oldest first.

    Returns:
        The runs, and the places that may not be listed.
    """
    present = await survey(client, places, RUN_LABEL)
    now = await _server_time(client)
    shares: dict[str, list[Share]] = {}
    for finding in present.found.values():
        for run_id, share in finding.runs.items():
            shares.setdefault(run_id, []).append(share)
    runs = [_run(run_id, each, now) for run_id, each in shares.items()]
    return sorted(runs, key=lambda run: -run.age_s), present.forbidden


def _run(run_id: str, shares: Sequence[Share], now: datetime) -> RunInCluster:
    stamps = [stamp for share in shares for stamp in (share.oldest, share.newest) if stamp]
    ordered = sorted(map(datetime.fromisoformat, stamps)) or [now]
    return RunInCluster(
        run_id,
        sum(share.count for share in shares),
        age_s=(now - ordered[0]).total_seconds(),
        idle_s=(now - ordered[-1]).total_seconds(),
    )


async def _server_time(client: Client) -> datetime:
    """The server's own time: ages must not mix two clocks."""
    response = await client.request("GET", "/version")
    date = response.headers.get("Date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)

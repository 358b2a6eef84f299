"""The runs that have something in a cluster, found by their label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.engine.removal.inventory import Inventory, Share
    from perfscale.kube.client import Client

_RECENT_S: Final = 3600.0


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

    @property
    def may_be_going_on(self) -> bool:
        """Whether it created something less than an hour ago."""
        return self.idle_s < _RECENT_S


def runs_in(present: Inventory, now: datetime) -> list[RunInCluster]:
    """The runs of this program that a survey has found, the oldest first.

    Args:
        present: What carries the run's label, with any value.
        now: The server's time: ages must not mix two clocks.
    """
    shares: dict[str, list[Share]] = {}
    for finding in present.found.values():
        for run_id, share in finding.runs.items():
            shares.setdefault(run_id, []).append(share)
    runs = [_run(run_id, each, now) for run_id, each in shares.items()]
    return sorted(runs, key=lambda run: -run.age_s)


def others_in(present: Inventory) -> Counter[tuple[str, str]]:
    """What carries the run's label and was not made by this program, by kind and value."""
    others: Counter[tuple[str, str]] = Counter()
    for place, finding in present.found.items():
        for value, count in finding.others.items():
            others[place.resource.kind_name, value] += count
    return others


def _run(run_id: str, shares: Sequence[Share], now: datetime) -> RunInCluster:
    stamps = [stamp for share in shares for stamp in (share.oldest, share.newest) if stamp]
    ordered = sorted(time for time in map(_time, stamps) if time is not None) or [now]
    return RunInCluster(
        run_id,
        sum(share.count for share in shares),
        age_s=(now - ordered[0]).total_seconds(),
        idle_s=(now - ordered[-1]).total_seconds(),
    )


def _time(stamp: str) -> datetime | None:
    """A timestamp of the server's; None for what is none, or says no zone."""
    try:
        time = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return time if time.tzinfo is not None else None


async def server_time(client: Client) -> datetime:
    """The server's own time. Raises what a request raises."""
    response = await client.request("GET", "/version")
    try:
        time = parsedate_to_datetime(response.headers.get("Date") or "")
    except ValueError:
        return datetime.now(UTC)
    return time if time.tzinfo is not None else datetime.now(UTC)

"""Whether this process may open as many connections as the run can need at a time.

What it cannot open would look like a server that refuses connections.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from perfscale.config import Config
    from perfscale.errors import Problem

_OTHERS: Final = 16
"""Files of the results, and connections for what is asked beside creates and watches."""


def find_descriptor_shortage(config: Config, watches: int) -> list[Problem]:
    """A problem if the limit on open files is below what the run can need.

    Args:
        config: The workload file.
        watches: Watches that the run has open all the time, each on a connection of its own.
    """
    limit, now = _limit(), _open_now()
    if limit is None or now is None:
        return []
    most = config.global_config.max_in_flight
    creates = min(most, _objects_at_a_time(config))
    needed = now + creates + watches + _OTHERS
    if needed <= limit:
        return []
    text = (
        f"{creates} creates in flight and {watches} watches need {needed} open files, "
        f"and this process may have {limit}: raise its limit (ulimit -n {needed}), or lower this"
    )
    return [config.problem(("globalConfig", "maxInFlight"), text)]


def _objects_at_a_time(config: Config) -> int:
    """The most that one iteration has, and one of each workload in the background with it."""
    counts: dict[bool, list[int]] = {True: [0], False: [0]}
    for workload in config.workloads:
        objects = sum(objects.replicas for objects in workload.objects)
        counts[workload.background].append(objects)
    return max(counts[False]) + sum(counts[True])


def _limit() -> int | None:
    """The limit that is in force; None where there is none to be found out."""
    try:
        import resource  # noqa: PLC0415 -- not everywhere
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else limit


def _open_now() -> int | None:
    try:
        return sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:
        return None

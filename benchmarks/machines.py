"""What the processes of a benchmark cost, and machines that are stood in for by quotas of CPU."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TICKS: Final = os.sysconf("SC_CLK_TCK")
CONTROLLER: Final = Path("/sys/fs/cgroup/cpu")
PERIOD_US: Final = 10_000
"""So short that who has used its share waits for a few milliseconds only."""


class _Process(NamedTuple):
    parent: int
    cpu_s: float
    command: str


def cpu_seconds(parts: Mapping[str, str | None]) -> dict[str, float]:
    """What this process and those below it have taken so far.

    Args:
        parts: A part of the command line of each kind of process, by the name of the kind; None
            for this process.
    """
    processes = {int(path.name): _read(path) for path in Path("/proc").glob("[0-9]*")}
    found = dict.fromkeys(parts, 0.0)
    for pid, process in processes.items():
        if process is None or not _is_below(pid, processes):
            continue
        for name, part in parts.items():
            if pid == os.getpid() if part is None else part in process.command:
                found[name] += process.cpu_s
                break
    return found


def _read(path: Path) -> _Process | None:
    """None where it has ended meanwhile."""
    try:
        fields = (path / "stat").read_text().rpartition(")")[2].split()
        command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return None
    return _Process(int(fields[1]), sum(map(int, fields[11:13])) / TICKS, command)


def _is_below(pid: int, processes: Mapping[int, _Process | None]) -> bool:
    while pid != os.getpid():
        process = processes.get(pid)
        if process is None:
            return False
        pid = process.parent
    return True


@contextmanager
def machine_of(pid: int, cores: float) -> Iterator[None]:
    """Let a process, and what it starts, have so much of a core and no more."""
    group = CONTROLLER / f"perfscale-benchmark-{pid}"
    try:
        group.mkdir()
    except OSError as error:
        sys.exit(f"a quota needs root, and the cpu controller of cgroups, version 1: {error}")
    try:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(round(cores * PERIOD_US)))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        # A group goes when nobody is in it any more.
        for each in (group / "cgroup.procs").read_text().split():
            (CONTROLLER / "cgroup.procs").write_text(each)
        group.rmdir()

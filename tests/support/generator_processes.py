"""The processes of a run over many generators, as they stand in /proc."""

from __future__ import annotations

from pathlib import Path

CHILD = "perfscale.fleet.processes.child"


def generators_below(pid: int) -> list[int]:
    """The generators that a command has started on this machine, oldest first."""
    return sorted(each for each in descendants(pid) if CHILD in _command(each))


def workers_below(pid: int) -> list[int]:
    """Their workers, in the same order."""
    return [_parent(each) for each in generators_below(pid)]


def descendants(pid: int) -> list[int]:
    """All that a process has started, and what these have started."""
    parents = {int(path.name): _parent(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def _parent(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    # The name in the second field may hold anything, a parenthesis too: proc(5).
    return int(stat.rpartition(")")[2].split()[1])


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""

"""With which run another one is compared, if a person names that one alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perfscale.errors import ResultsError
from perfscale.results.history.heads import list_runs, read_head
from perfscale.results.model.remarks import BASELINE

if TYPE_CHECKING:
    from pathlib import Path


class Base(NamedTuple):
    """The folder of a run to compare with, and why it is that one."""

    folder: Path
    why: str


def base_of(folder: Path) -> Base:
    """The run to compare the one in ``folder`` with.

    Of the runs beside it that had the same workloads on the same cluster and came to their end:
    the newest with a tag ``baseline``, or else the one before it.

    Raises:
        ResultsError: There is none, or the folder cannot be read.
    """
    run = read_head(folder)
    parent = _parent(folder)
    comparable = [
        each
        for each in list_runs(parent).runs
        if not each.folder.samefile(folder) and each.came_to_its_end and each.subject == run.subject
    ]
    pinned = [each for each in comparable if BASELINE in each.tags]
    if pinned:
        return Base(pinned[0].folder, f"pinned by its tag {BASELINE}={pinned[0].tags[BASELINE]}")
    before = [each for each in comparable if each.started_at < run.started_at]
    if before:
        return Base(before[0].folder, "the run before it of the same workload and cluster")
    workloads = ", ".join(each.name for each in run.workloads) or "no workload"
    raise ResultsError(
        f"{folder}: there is no run before it of {workloads} on {run.cluster.name} in {parent}",
        hint="name the run to compare with: perfscale compare BASE NEW",
    )


def _parent(folder: Path) -> Path:
    """Where the runs beside it are, also if it is named by a link or as the current folder."""
    real = folder.resolve()
    named = folder.name == real.name and folder.parent.resolve() == real.parent
    return folder.parent if named else real.parent

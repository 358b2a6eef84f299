"""Samples of every latency of a run, read again from its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.tally import IterationTally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.kinds import KindTally
    from perfscale.results.reading import RunFiles
    from perfscale.results.records import ObjectRecord


class Samples:
    """The samples of each workload, by kind; all objects come before the first child.

    Args:
        paths: Phases on the way to readiness, by kind.
    """

    def __init__(self, paths: Mapping[str, tuple[str, ...]]) -> None:
        self._paths = paths
        self._workloads: dict[str, IterationTally] = {}

    def add(self, record: ObjectRecord, *, child: bool = False) -> None:
        """Count one object, or one child."""
        tally = self._workloads.get(record.workload)
        if tally is None:
            tally = self._workloads[record.workload] = IterationTally(self._paths)
        (tally.add_children if child else tally.add)([record])

    def of(self, workload: str, *, children: bool) -> Mapping[str, KindTally]:
        """What was measured of each kind; nothing where there are no records."""
        tally = self._workloads.get(workload)
        if tally is None:
            return {}
        return tally.child_kinds if children else tally.kinds


def read_samples(run: RunFiles) -> Samples:
    """Read all of them.

    Raises:
        ResultsError: A record cannot be read, with file and line.
    """
    samples = Samples(run.paths)
    for record in run.objects():
        samples.add(record)
    for record in run.children():
        samples.add(record, child=True)
    return samples

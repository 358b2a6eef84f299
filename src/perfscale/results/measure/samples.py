"""Samples of every latency of a run, read again from its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.measure.kinds import LifeSamples
from perfscale.results.measure.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.model.records import ObjectRecord


class Samples:
    """The samples of each workload, by kind; all objects come before the first child.

    Args:
        paths: Phases on the way to readiness, by kind.
        children: Whether there are any.
    """

    def __init__(self, paths: Mapping[str, tuple[str, ...]], *, children: bool) -> None:
        self._paths = paths
        self._origins = Origins(children=children)
        self._of: dict[tuple[str, bool], dict[str, LifeSamples]] = {}

    def add(self, record: ObjectRecord, *, child: bool = False) -> None:
        """Count one object, or one child."""
        kinds = self._of.setdefault((record.workload, child), {})
        samples = kinds.get(record.kind)
        if samples is None:
            samples = kinds[record.kind] = LifeSamples(self._paths.get(record.kind, ()))
        origins = self._origins
        samples.measure(record, origins.of_child(record) if child else origins.of(record))

    def of(self, workload: str, *, children: bool) -> Mapping[str, LifeSamples]:
        """What was measured of each kind; nothing where there are no records."""
        return self._of.get((workload, children), {})

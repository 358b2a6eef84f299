"""From records to accounts and latencies.

Latencies of an iteration are summarised when it ends; the samples themselves
are kept (eight bytes each), so that a workload's percentiles are exact too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.measure.failures import Failures
from perfscale.results.measure.kind_tally import KindTally, accounts_of
from perfscale.results.measure.latencies import Origins
from perfscale.results.measure.rates import CreateTimes
from perfscale.results.model.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.measure.blindness import BlindSpans
    from perfscale.results.model.records import ObjectRecord


class IterationTally:
    """Accounts and latencies of one iteration, record by record.

    All objects come before the first child.

    Args:
        paths: Phases on the way to readiness, by kind.
        children: Whether there are any.
        blind: Times in which nothing was seen.
    """

    def __init__(
        self,
        paths: Mapping[str, tuple[str, ...]],
        *,
        children: bool,
        blind: BlindSpans | None = None,
    ) -> None:
        self._paths = paths
        self._blind = blind
        self._origins = Origins(children=children)
        self.kinds: dict[str, KindTally] = {}
        self.child_kinds: dict[str, KindTally] = {}
        self.creates = CreateTimes()
        self.failures = Failures()

    def add(self, records: Iterable[ObjectRecord]) -> None:
        """Count objects."""
        for kind, members in _by_kind(records).items():
            tally = self._tally(self.kinds, kind)
            tally.api_version = members[0].api_version
            tally.accounts += accounts_of(members)
            for record in members:
                self._measure(tally, record, self._origins.of(record))
                if record.outcome is Outcome.FAILED:
                    self.failures.add(record)
            self.creates.add_records(members)

    def add_children(self, records: Iterable[ObjectRecord]) -> None:
        """Count children."""
        for kind, members in _by_kind(records).items():
            tally = self._tally(self.child_kinds, kind)
            tally.api_version = members[0].api_version
            tally.accounts += accounts_of(members)
            for record in members:
                self._measure(tally, record, self._origins.of_child(record))

    def _measure(self, tally: KindTally, record: ObjectRecord, origin_s: float | None) -> None:
        tally.measure(record, origin_s)
        if self._blind:
            tally.doubt(record, origin_s, self._blind)

    def _tally(self, kinds: dict[str, KindTally], kind: str) -> KindTally:
        if kind not in kinds:
            kinds[kind] = KindTally(path=self._paths.get(kind, ()))
        return kinds[kind]


def _by_kind(records: Iterable[ObjectRecord]) -> dict[str, list[ObjectRecord]]:
    kinds: dict[str, list[ObjectRecord]] = {}
    for record in records:
        kinds.setdefault(record.kind, []).append(record)
    return kinds

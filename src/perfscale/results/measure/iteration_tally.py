"""From records to accounts and latencies.

Latencies of an iteration are summarised when it ends; the samples themselves
are kept (eight bytes each), so that a workload's percentiles are exact too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.measure.failures import Failures
from perfscale.results.measure.kind_tally import KindTally, accounts_of
from perfscale.results.measure.latencies import RequestTimes
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
        self._request_times = RequestTimes(children=children)
        self.kinds: dict[str, KindTally] = {}
        self.child_kinds: dict[str, KindTally] = {}
        self.creates = CreateTimes()
        self.failures = Failures()

    def add(self, records: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Count objects, or ``children``."""
        kinds = self.child_kinds if children else self.kinds
        for kind, members in _by_kind(records).items():
            tally = kinds.setdefault(kind, KindTally(path=self._paths.get(kind, ())))
            tally.api_version = members[0].api_version
            tally.accounts += accounts_of(members)
            for record in members:
                origin_s = self._request_times.of(record)
                tally.measure(record, origin_s)
                if self._blind:
                    tally.doubt(record, origin_s, self._blind)
            if not children:
                self.creates.add_records(members)
                for record in members:
                    if record.outcome is Outcome.FAILED:
                        self.failures.add(record)


def _by_kind(records: Iterable[ObjectRecord]) -> dict[str, list[ObjectRecord]]:
    kinds: dict[str, list[ObjectRecord]] = {}
    for record in records:
        kinds.setdefault(record.kind, []).append(record)
    return kinds

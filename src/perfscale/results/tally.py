"""From records to accounts and latencies.

Latencies of an iteration are summarised when it ends; the samples themselves
are kept (eight bytes each), so that a workload's percentiles are exact too.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.results.kinds import KindTally, accounts_of
from perfscale.results.origins import Origins
from perfscale.results.records import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perfscale.results.records import ObjectRecord


@dataclass
class RateTally:
    """Creates sent after the first burst, and the time they took.

    The first ``burst`` creates are let go at once; they say nothing of the
    rate. ``creates`` and ``seconds`` add up over iterations. ``wanted_s`` is
    the time that those with a target should have taken, and ``limited_s`` the
    one that they took.
    """

    target: float | None
    creates: int = 0
    seconds: float = 0.0
    held_back_s: float = 0.0
    wanted_s: float = 0.0
    limited_s: float = 0.0

    def add(self, other: RateTally) -> None:
        """Count everything that ``other`` counted."""
        self.creates += other.creates
        self.seconds += other.seconds
        self.held_back_s += other.held_back_s
        self.wanted_s += other.wanted_s
        self.limited_s += other.limited_s

    def result(self) -> Rate:
        """The frozen rate."""
        achieved = self.creates / self.seconds if self.seconds > 0 else None
        share = self.wanted_s / self.limited_s if self.limited_s > 0 else None
        return Rate(self.target, achieved, self.held_back_s, share, self.seconds)


def tally_rate(
    sent_s: Sequence[float],
    due_s: Sequence[float] = (),
    *,
    target: float | None,
    burst: int,
    held_back_s: float,
) -> RateTally:
    """The rate of creates.

    Args:
        sent_s: When each was sent.
        due_s: When each was due by the target rate. A burst is due at once and
            takes its time to send, in which the bucket fills again: it is from
            when it was due that the rate of the others counts.
        target: Creates a second that were wanted.
        burst: Depth of the bucket, at least 1.
        held_back_s: For how long they waited for a place in flight.
    """
    tally = RateTally(target=target, held_back_s=held_back_s)
    if len(sent_s) > burst:
        tally.creates = len(sent_s) - burst
        began_s = sorted(sent_s)[burst - 1]
        if len(due_s) == len(sent_s):
            began_s = min(began_s, sorted(due_s)[burst - 1])
        tally.seconds = max(sent_s) - began_s
        if target is not None:
            tally.wanted_s, tally.limited_s = tally.creates / target, tally.seconds
    return tally


class IterationTally:
    """Accounts and latencies of one iteration, record by record.

    All objects come before the first child.

    Args:
        paths: Phases on the way to readiness, by kind.
        children: Whether there are any.
    """

    def __init__(self, paths: Mapping[str, tuple[str, ...]], *, children: bool) -> None:
        self._paths = paths
        self._origins = Origins(children=children)
        self.kinds: dict[str, KindTally] = {}
        self.child_kinds: dict[str, KindTally] = {}
        self.sent_s = array("d")
        self.due_s = array("d")

    def add(self, records: Iterable[ObjectRecord]) -> None:
        """Count objects."""
        for kind, members in _by_kind(records).items():
            tally = self._tally(self.kinds, kind)
            tally.accounts += accounts_of(members)
            for record in members:
                tally.measure(record, self._origins.of(record))
                if record.sent_s is not None:
                    self.sent_s.append(record.sent_s)
                    if record.scheduled_s is not None:
                        self.due_s.append(record.scheduled_s)

    def add_children(self, records: Iterable[ObjectRecord]) -> None:
        """Count children."""
        for kind, members in _by_kind(records).items():
            tally = self._tally(self.child_kinds, kind)
            tally.accounts += accounts_of(members)
            for record in members:
                tally.measure(record, self._origins.of_child(record))

    def _tally(self, kinds: dict[str, KindTally], kind: str) -> KindTally:
        if kind not in kinds:
            kinds[kind] = KindTally(path=self._paths.get(kind, ()))
        return kinds[kind]


def _by_kind(records: Iterable[ObjectRecord]) -> dict[str, list[ObjectRecord]]:
    kinds: dict[str, list[ObjectRecord]] = {}
    for record in records:
        kinds.setdefault(record.kind, []).append(record)
    return kinds

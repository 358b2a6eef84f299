"""An iteration while a journal is played again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.journal.entries import DueEntry, IterationEndEntry, IterationEntry
    from perfscale.results.journal.objects import ObjectLife
    from perfscale.results.journal.operations import OperationLife
    from perfscale.results.measure.kind_tally import IterationTally
    from perfscale.results.measure.operations.tally import OperationTallies


@dataclass
class ReplayedIteration:
    """What the journal has said of an iteration so far, and is not written yet.

    Attributes:
        due: What its load had requested when that was written last.
        decided: Numbers of the operations that are decided, until they are counted.
        tally: What it adds up to; None before the first record.
        churned: Objects that rounds of churn asked for.
        after_end: Those of them since its last end.
        released: Objects whose records were written while it went on.
    """

    begin: IterationEntry
    tallies: OperationTallies
    end: IterationEndEntry | None = None
    due: DueEntry | None = None
    delete_requested_s: float | None = None
    objects: dict[int, ObjectLife] = field(default_factory=dict)
    children: dict[int, ObjectLife] = field(default_factory=dict)
    operations: dict[int, OperationLife] = field(default_factory=dict)
    decided: list[int] = field(default_factory=list)
    tally: IterationTally | None = None
    churned: Counter[str] = field(default_factory=Counter)
    after_end: Counter[str] = field(default_factory=Counter)
    released: Counter[str] = field(default_factory=Counter)

    def requested(self) -> Mapping[str, int]:
        """What it asked for, by kind: of a load that ends, and was cut off, what it may have."""
        begin, end = self.begin, self.end
        if end is not None and end.requested is not None:
            return self.after_end + Counter(end.requested)
        rounds = self.churned if begin.round is None else Counter[str]()
        if not begin.ends:
            return rounds + Counter(begin.requested)
        known = Counter(life.resource.kind_name for life in self.objects.values())
        known += self.released
        if self.due is not None:
            known |= rounds + Counter(self.due.requested)
        return known

"""An iteration while a journal is played again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from perfscale.results.journal.merging import merge_problems
from perfscale.results.measure.tallies.run import IterationFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.journal.entries import (
        DueEntry,
        IterationEndEntry,
        IterationEntry,
        LostObjectsEntry,
    )
    from perfscale.results.journal.objects import ObjectLife
    from perfscale.results.journal.operations import OperationLife
    from perfscale.results.measure.operations.tally import OperationTallies
    from perfscale.results.measure.tallies.kinds import IterationTally


@dataclass
class MergedIteration:
    """The parts of one iteration, each of one generator or of the coordinator.

    Attributes:
        tallies: What their operations add up to.
        tally: What their objects add up to; None before the first record.
        parts: What is known of those that are over, and by whose shard.
    """

    tallies: OperationTallies
    tally: IterationTally | None = None
    parts: list[tuple[int, IterationFacts]] = field(default_factory=list)

    def facts(self) -> IterationFacts:
        """What is known of all of it; problems name the generator that had them."""
        found = [facts for _, facts in self.parts]
        requested, churned = Counter[str](), Counter[str]()
        lost, spared = Counter[str](), Counter[str]()
        for each in found:  # not their sum, which forgets kinds of which there are none
            requested.update(each.requested)
            churned.update(each.churned)
            lost.update(each.lost)
            spared.update(each.spared)
        return IterationFacts(
            workload=found[0].workload,
            iteration=found[0].iteration,
            requested=requested,
            started_s=min(each.started_s for each in found),
            finished_s=max(each.finished_s for each in found),
            held_back_s=max(each.held_back_s for each in found),
            problems=merge_problems(
                (shard, facts.problems) for shard, facts in sorted(self.parts, key=itemgetter(0))
            ),
            is_cut=any(each.is_cut for each in found),
            churned=churned,
            lost=lost,
            spared=spared,
        )


@dataclass
class ReplayedIteration:
    """What the journal has said of an iteration so far, and is not written yet.

    Attributes:
        merged: What it is a part of, where there are several generators.
        lost: Objects that a generator had made which was lost, and of which it had said nothing.
        due: What its load had requested when that was written last.
        decided: Numbers of the operations that are decided, until they are counted.
        tally: What it adds up to; None before the first record.
        churned: Objects that rounds of churn asked for.
        after_end: Those of them since its last end.
        released: Objects whose records were written while it went on.
        is_searched: Whether all was found that was created of it, before anything was deleted.
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
    merged: MergedIteration | None = None
    lost: Counter[str] = field(default_factory=Counter)
    is_searched: bool = False

    def lose(self, entry: LostObjectsEntry) -> None:
        """Its generator was lost, and what it has left was looked for."""
        self.lost.update(entry.objects)
        self.is_searched = entry.complete and not self._has_deleted()

    def _has_deleted(self) -> bool:
        """Whether objects of it may have been there and be gone."""
        return bool(self.delete_requested_s is not None or self.churned or self.released) or any(
            life.delete_requested_s is not None or life.deleted_s is not None
            for life in self.objects.values()
        )

    def requested(self) -> Mapping[str, int]:
        """What it asked for, by kind: of a load that ends, and was cut off, what it may have."""
        begin, end = self.begin, self.end
        if end is not None and end.requested is not None:
            return self.after_end + Counter(end.requested)
        rounds = Counter(self.churned) if begin.round is None else Counter[str]()
        if not begin.ends:
            rounds.update(begin.requested)  # not the sum, which forgets kinds with none
            return rounds
        known = self.attempted()
        if self.due is not None:
            known |= rounds + Counter(self.due.requested)
        return known

    def spared(self, requested: Mapping[str, int]) -> Counter[str]:
        """What was not attempted for sure, by kind: it came to its end, or it was looked for."""
        if self.end is None and not self.is_searched:
            return Counter()
        return Counter(requested) - self.attempted() - self.lost

    def attempted(self) -> Counter[str]:
        """The objects that are known of it, by kind."""
        return self.released + Counter(life.resource.kind_name for life in self.objects.values())

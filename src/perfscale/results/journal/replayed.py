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
        RoundEntry,
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
        count: How many parts there are, the coordinator's included.
        tally: What their objects add up to; None before the first record.
        parts: What is known of those that are over, and by whose shard.
        begun: What those were asked for that have begun, by kind.
        whole: What all of them were, as any of them has stated it.
        in_round: Whether it was begun in a round of churn.
        rounds: What rounds of churn asked all of them for, by round.
        opened: What those were asked for that have begun the rounds.
        due: What a load that ends by its time has requested in all, as it was stated last.
        stated: How many parts have stated that.
    """

    tallies: OperationTallies
    count: int
    tally: IterationTally | None = None
    parts: list[tuple[int, IterationFacts]] = field(default_factory=list)
    begun: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)
    in_round: bool = False
    rounds: dict[int, Counter[str]] = field(default_factory=dict)
    opened: Counter[str] = field(default_factory=Counter)
    due: Mapping[str, int] | None = None
    stated: int = 0

    def begin(self, entry: IterationEntry) -> None:
        """A part begins."""
        self.in_round = entry.round is not None
        if not entry.ends:
            self.begun.update(entry.requested)
            self.whole |= Counter(entry.whole or {})

    def begin_round(self, entry: RoundEntry) -> None:
        """A part begins a round of churn."""
        self.opened.update(entry.requested)
        if entry.whole is not None:
            self.rounds[entry.round] = Counter(entry.whole)

    def facts(self, *, is_cut: bool) -> IterationFacts:
        """What is known of all of it; problems name the generator that had them.

        Args:
            is_cut: Whether the journal ends before the run does: parts may have begun after that.
                Else those that are not in it have sent nothing, as a generator waits for the
                others when it has said what it is asked for.
        """
        found = [facts for _, facts in self.parts]
        requested, churned = Counter[str](), Counter[str]()
        lost, spared = Counter[str](), Counter[str]()
        for each in found:  # not their sum, which forgets kinds of which there are none
            requested.update(each.requested)
            churned.update(each.churned)
            lost.update(each.lost)
            spared.update(each.spared)
        unbegun = self._unbegun(requested)
        unopened = sum(self.rounds.values(), Counter[str]()) - self.opened
        requested.update(unbegun + unopened)
        churned.update(unbegun + unopened if self.in_round else unopened)
        if not is_cut:
            spared.update(unbegun - self._lost_without_part())
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
            is_cut=is_cut or any(each.is_cut for each in found),
            churned=churned,
            lost=lost,
            spared=spared,
        )

    def _unbegun(self, requested: Counter[str]) -> Counter[str]:
        """What parts were asked for that have not said so."""
        if self.stated < self.count and self.due is not None:
            return Counter(self.due) - requested
        return self.whole - self.begun

    def _lost_without_part(self) -> Counter[str]:
        """What was found of generators that have not begun: it stands with the coordinator's."""
        return sum((Counter(facts.lost) for shard, facts in self.parts if shard < 0), Counter())


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
        released: Objects, and operations, whose records were written while it went on, by kind.
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

    def take_due(self, entry: DueEntry) -> None:
        """What a load that ends by its time has requested."""
        if self.merged is not None:
            self.merged.stated += self.due is None
            self.merged.due = entry.whole or self.merged.due
        self.due = entry

    def begin_round(self, entry: RoundEntry) -> None:
        """A round of churn asks for more objects."""
        self.churned.update(entry.requested)
        self.after_end.update(entry.requested)
        if self.merged is not None:
            self.merged.begin_round(entry)

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
        """The objects, or operations, that are known of it, by kind."""
        objects = Counter(life.resource.kind_name for life in self.objects.values())
        operations = Counter(life.resource.kind_name for life in self.operations.values())
        return self.released + objects + operations

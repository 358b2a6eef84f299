"""Plays a journal again: from its entries to records, and to what they add up to.

An object's life is kept until the final entry of its iteration, so that the journal of
a long run needs no more memory than the run did.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

import msgspec

from perfscale.results.journal.entries import (
    AttributionEntry,
    BlindEntry,
    CallsEntry,
    CountedEntry,
    DeleteEntry,
    DueEntry,
    EndEntry,
    GeneratorEntry,
    HookEntry,
    IterationEndEntry,
    IterationEntry,
    LostEntry,
    LostObjectsEntry,
    OutageEntry,
    ReleaseEntry,
    RoundEntry,
    StageEntry,
    TotalsEntry,
    WarningEntry,
)
from perfscale.results.journal.merging import merge_outages, merge_totals
from perfscale.results.journal.objects import ChangeEntry, ObjectEntry, ObjectLife
from perfscale.results.journal.operations import (
    OperationChangeEntry,
    OperationEntry,
    OperationLife,
)
from perfscale.results.journal.replayed import MergedIteration, ReplayedIteration
from perfscale.results.measure.blindness import BlindSpans
from perfscale.results.measure.stages import StageLog
from perfscale.results.measure.tallies.run import IterationFacts, RunTally
from perfscale.results.model.course.attribution import AttributionResult, merge_attribution
from perfscale.results.model.run import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results.journal.entries import AnyEntry, Begin
    from perfscale.results.measure.tallies.kinds import IterationTally
    from perfscale.results.model.client.generators import GeneratorRecord
    from perfscale.results.model.course.attribution import AttributedObject, AttributionCounts
    from perfscale.results.model.course.hooks import HookRecord
    from perfscale.results.model.interruptions import OutageRecord
    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord

_AT_ONCE: Final = 1000


class RecordWriter(Protocol):
    """Where records go that are complete."""

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Take them."""


@runtime_checkable
class OperationWriter(Protocol):
    """What a writer is too that takes the records of operations."""

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """Take them."""


class _Kind(NamedTuple):
    kind_name: str
    api_version: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


class Replay:
    """Takes the entries of a journal in their order.

    Attributes:
        blind: Times in which nothing was seen; all of them have an end after `close`.
        run_tally: What its iterations add up to, complete after `close`.
        end: How the run ended; None if the journal does not say.
        stage_log: What was done when.
        stages: What was done last, by workload that went on; for None, by the run as a whole.
        last_s: When the last thing in the journal happened.
        lost: Entries that the journal could not take.
        present: What is in the cluster still, as far as is known, by kind.
        unanswered: Creates whose answer is not in the journal.
    """

    def __init__(self, begin: Begin, *writers: RecordWriter) -> None:
        self._writers = writers
        self._iterations: dict[int, ReplayedIteration] = {}
        self._parts = 1 if begin.generators is None else begin.generators + 1
        self._merged: dict[tuple[str, int], MergedIteration] = {}
        self._totals: dict[int | None, Totals] = {}
        self._spans: dict[int, int] = {}
        self._generators: dict[int, GeneratorRecord] = {}
        self._rows: dict[int, ObjectLife] = {}
        self._operations: dict[int, tuple[ReplayedIteration, OperationLife]] = {}
        self._api_versions = begin.api_versions
        self._kinds: dict[str, _Kind] = {}
        self.blind = BlindSpans()
        self._outages: dict[tuple[float, str, str], OutageRecord] = {}
        self._hooks: dict[int, HookRecord] = {}
        self._attributed: dict[str, AttributedObject] = {}
        self._attribution_counts: dict[int | None, AttributionCounts] = {}
        self.run_tally = RunTally(begin.workloads, begin.paths, self.blind)
        self.end: EndEntry | None = None
        self.stage_log = StageLog()
        self.stages: dict[str | None, StageEntry] = {}
        self.last_s = 0.0
        self.lost = 0
        self.present: Counter[str] = Counter()
        self.unanswered = 0

    def take(self, entry: AnyEntry) -> None:
        """Take the next entry.

        Raises:
            LookupError: It is about an object, iteration or workload that the
                journal has not introduced.
        """
        match entry:
            case ObjectEntry():
                self._add(entry)
            case ChangeEntry():
                self._rows[entry.n].apply(entry)
            case OperationEntry():
                self._add_operation(entry)
            case OperationChangeEntry():
                self._change_operation(entry)
            case _:
                self._take_course(entry)

    def _take_course(self, entry: AnyEntry) -> None:
        """Take an entry that is not about a single object or operation."""
        match entry:
            case DeleteEntry():
                self._delete(entry)
            case LostObjectsEntry():
                self._iterations[entry.i].lost.update(entry.objects)
            case DueEntry():
                self._iterations[entry.i].due = entry
                self._reach(entry.at_s)
            case CountedEntry():
                self._write_decided(self._iterations[entry.i])
            case IterationEntry():
                self._begin_iteration(entry)
            case RoundEntry():
                self._begin_round(entry)
            case ReleaseEntry():
                self._release(entry)
            case IterationEndEntry():
                self._end_iteration(entry)
            case _:
                self._take_aside(entry)

    def _take_aside(self, entry: AnyEntry) -> None:
        """Take an entry that is not about an object or an iteration."""
        match entry:
            case CallsEntry():
                self._count_calls(entry)
            case StageEntry():
                self._enter(entry)
                self._reach(entry.at_s)
            case WarningEntry():
                self._reach(entry.at_s)
            case LostEntry():
                self.lost += entry.count
            case EndEntry():
                self.end = entry
            case _:
                self._take_seen(entry)

    def _take_seen(self, entry: AnyEntry) -> None:
        """Take what the generator saw of itself, of the server and of hooks."""
        match entry:
            case TotalsEntry():
                self._totals[entry.shard] = entry.totals
                self._reach(entry.at_s)
            case BlindEntry():
                # Of several generators, the numbers have gaps.
                self.blind.put(self._spans.setdefault(entry.n, len(self._spans)), entry.span)
                self._reach(entry.span.began_s)
            case OutageEntry():
                outage = entry.outage
                self._outages[outage.began_s, outage.what, outage.name] = outage
                self._reach(outage.ended_s)
            case GeneratorEntry():
                self._generators[entry.generator.shard] = entry.generator
            case AttributionEntry() | HookEntry():
                self._take_found(entry)

    def is_anything_present(self) -> bool:
        """Whether anything is in the cluster still, as far as is known, or may be."""
        lives = self._rows.values()
        return (
            self.unanswered > 0
            or any(self.present.values())
            or any(life.present or life.unanswered for life in lives)
        )

    def uids_of(self, shard: int) -> set[str]:
        """Of the objects of a generator whose records are not written."""
        parts = (each for each in self._iterations.values() if each.begin.shard == shard)
        return {
            life.uid for part in parts for life in part.objects.values() if life.uid is not None
        }

    def part_of(self, shard: int, workload: str, iteration: str) -> int | None:
        """The number of a generator's part of an iteration; None where it is over, or unknown."""
        for number, each in self._iterations.items():
            begin = each.begin
            if (begin.shard, begin.workload, str(begin.iteration)) == (shard, workload, iteration):
                return number
        return None

    def object_life(self, number: int) -> ObjectLife | None:
        """What is known of an object or child, for as long as its record is not written."""
        return self._rows.get(number)

    def operation_life(self, number: int) -> OperationLife | None:
        """What is known of an operation, likewise."""
        found = self._operations.get(number)
        return None if found is None else found[1]

    @property
    def totals(self) -> Totals:
        """The last that were written, of all generators together."""
        if self.end is not None:
            return self.end.totals
        return merge_totals(self._totals)

    @property
    def is_cut(self) -> bool:
        """Whether things may have happened that are not in the journal."""
        return self.end is None or self.lost > 0

    def close(self) -> None:
        """Write the records of the iterations that have no final entry."""
        self._reach_ends(self._rows.values())
        self._reach_ends(life for _, life in self._operations.values())
        for number in list(self._iterations):
            self._write_iteration(number)
        for where in list(self._merged):
            self._enter_merged(where, is_cut=True)
        self.blind.close(self.last_s if self.end is None else self.end.duration_s)

    @property
    def generators(self) -> tuple[GeneratorRecord, ...]:
        """Those of the run, where there are several, with what each saw of itself last."""
        return tuple(
            msgspec.structs.replace(each, vitals=self._totals.get(shard, Totals()).vitals)
            for shard, each in sorted(self._generators.items())
        )

    @property
    def outages(self) -> tuple[OutageRecord, ...]:
        """When the API server was gone, or what it calls."""
        outages = sorted(self._outages.values())
        return tuple(outages if self._parts == 1 else merge_outages(outages))

    @property
    def attribution(self) -> AttributionResult | None:
        """Where the time of slow objects went; None if nothing was looked at."""
        if not self._attribution_counts:
            return None
        return merge_attribution(self._attributed.values(), self._attribution_counts.values())

    def _take_found(self, entry: AttributionEntry | HookEntry) -> None:
        """Take an entry in whose place a later one may come."""
        if isinstance(entry, HookEntry):
            self._hooks[entry.hook.n] = entry.hook
            self._reach(entry.hook.ended_s or entry.hook.began_s)
            return
        self._attributed.pop(entry.uid, None)
        if entry.object is not None:
            self._attributed[entry.uid] = entry.object
        self._attribution_counts[entry.shard] = entry.counts
        self._reach(entry.at_s)

    @property
    def hooks(self) -> tuple[HookRecord, ...]:
        """Those that had begun; one that had not ended has no end."""
        return tuple(self._hooks.values())

    def _enter(self, entry: StageEntry) -> None:
        """Note the stage of a workload, or of the run; workloads that are over have none."""
        going_on = {each.begin.workload for each in self._iterations.values() if each.end is None}
        if entry.workload is None:
            going_on.clear()
        self.stages = {name: stage for name, stage in self.stages.items() if name in going_on}
        self.stages[entry.workload] = entry
        self.stage_log.enter(entry.at_s, entry.stage, entry.workload, entry.round)

    def _count_calls(self, entry: CallsEntry) -> None:
        iteration = None
        if entry.i is not None:
            begin = self._iterations[entry.i].begin
            iteration = (begin.workload, begin.iteration)
        self.run_tally.count_calls(entry.calls, iteration)
        self._reach(entry.at_s)

    def _reach(self, at_s: float) -> None:
        self.last_s = max(self.last_s, at_s)

    def _reach_ends(self, lives: Iterable[ObjectLife | OperationLife]) -> None:
        for life in lives:
            self._reach(max(life.times_s(), default=0.0))

    def _add(self, entry: ObjectEntry) -> None:
        iteration = self._iterations[entry.i]
        row = self._rows[entry.n] = ObjectLife(
            iteration.begin,
            self._kind(entry.kind),
            None if entry.namespace is None else sys.intern(entry.namespace),
            entry.name,
            entry.replica,
            entry.scheduled_s,
            entry.admitted_s,
        )
        row.apply(entry)
        rows = iteration.children if entry.replica is None else iteration.objects
        rows[entry.n] = row
        if row.present and row.delete_requested_s is None:
            row.delete_requested_s = iteration.delete_requested_s

    def _add_operation(self, entry: OperationEntry) -> None:
        iteration = self._iterations[entry.i]
        life = OperationLife(
            iteration.begin,
            sys.intern(entry.operation),
            self._kind(entry.kind),
            None if entry.namespace is None else sys.intern(entry.namespace),
            entry.name,
            entry.uid,
            entry.scheduled_s,
            entry.admitted_s,
        )
        iteration.operations[entry.n] = life
        self._operations[entry.n] = (iteration, life)
        self._change_operation(entry)

    def _change_operation(self, entry: OperationChangeEntry) -> None:
        """Take what is new; of a load that goes round its targets there is no end to them."""
        iteration, life = self._operations[entry.n]
        was_decided = life.decided
        life.apply(entry)
        if life.decided and not was_decided:
            iteration.decided.append(entry.n)
            if len(iteration.decided) >= _AT_ONCE:
                self._write_decided(iteration)

    def _write_decided(self, iteration: ReplayedIteration) -> None:
        decided, iteration.decided = iteration.decided, []
        self._write_operations(iteration, decided)

    def _write_operations(self, iteration: ReplayedIteration, numbers: Iterable[int]) -> None:
        lives = [iteration.operations.pop(number) for number in numbers]
        for number in numbers:
            del self._operations[number]
        self._reach_ends(lives)
        records = [life.record() for life in lives]
        iteration.tallies.add_records(records)
        for writer in self._writers:
            if isinstance(writer, OperationWriter):
                writer.record_operations(records)

    def _kind(self, name: str) -> _Kind:
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = _Kind(name, self._api_versions.get(name, ""))
        return kind

    def _delete(self, entry: DeleteEntry) -> None:
        iteration = self._iterations[entry.i]
        iteration.delete_requested_s = entry.at_s
        for row in (*iteration.objects.values(), *iteration.children.values()):
            if row.present and row.delete_requested_s is None:
                row.delete_requested_s = entry.at_s
        self._reach(entry.at_s)

    def _begin_iteration(self, entry: IterationEntry) -> None:
        merged = None if entry.shard is None else self._merge(entry)
        tallies = self.run_tally.open_operations() if merged is None else merged.tallies
        iteration = ReplayedIteration(entry, tallies, merged=merged)
        self._iterations[entry.i] = iteration
        if entry.round is not None:
            iteration.churned.update(entry.requested)
        if entry.shard is None or entry.shard < 0:
            self.stage_log.begin_iteration(entry.started_s, entry.workload, entry.iteration)
        self._reach(entry.started_s)

    def _merge(self, entry: IterationEntry) -> MergedIteration:
        """What an iteration of one generator is a part of."""
        where = (entry.workload, entry.iteration)
        if where not in self._merged:
            self._merged[where] = MergedIteration(self.run_tally.open_operations())
        return self._merged[where]

    def _enter_merged(self, where: tuple[str, int], *, is_cut: bool = False) -> None:
        """All parts of an iteration are over, or nothing more comes of the others."""
        merged = self._merged.pop(where)
        tally = merged.tally or self.run_tally.open_tally(children=False)
        facts = merged.facts()
        if is_cut:
            facts = replace(facts, is_cut=True)
        self.run_tally.enter(facts, tally, merged.tallies)

    def _begin_round(self, entry: RoundEntry) -> None:
        iteration = self._iterations[entry.i]
        iteration.churned.update(entry.requested)
        iteration.after_end.update(entry.requested)
        self._reach(entry.at_s)

    def _release(self, entry: ReleaseEntry) -> None:
        """Write what is gone of an iteration that goes on: of its rounds there may be no end."""
        iteration = self._iterations[entry.i]
        objects = [iteration.objects.pop(number) for number in entry.objects]
        children = [iteration.children.pop(number) for number in entry.children]
        self._reach_ends(self._rows.pop(number) for number in (*entry.objects, *entry.children))
        iteration.released.update(life.resource.kind_name for life in objects)
        self._write_rows(iteration, objects, children, page=entry.page)

    def _end_iteration(self, entry: IterationEndEntry) -> None:
        iteration = self._iterations[entry.i]
        iteration.end = entry
        iteration.after_end.clear()
        self._reach(entry.finished_s)
        if entry.settled:
            self._write_iteration(entry.i)
        elif iteration.begin.shard is None or iteration.begin.shard < 0:
            self.stage_log.leave(entry.finished_s, iteration.begin.workload)

    def _write_iteration(self, number: int) -> None:
        iteration = self._iterations.pop(number)
        begin, end = iteration.begin, iteration.end
        requested = iteration.requested()
        is_cut = self.lost > 0 or end is None or not end.settled
        objects, children = list(iteration.objects.values()), list(iteration.children.values())
        tally = self._write_rows(iteration, objects, children, is_cut=is_cut)
        for each in (*iteration.objects, *iteration.children):
            del self._rows[each]
        self._write_operations(iteration, list(iteration.operations))
        facts = IterationFacts(
            workload=begin.workload,
            iteration=begin.iteration,
            requested=requested,
            started_s=begin.started_s,
            finished_s=self.last_s if end is None else end.finished_s,
            held_back_s=0.0 if end is None else end.held_back_s,
            problems=() if end is None else tuple(end.problems),
            is_cut=self.lost > 0 or end is None,
            churned=iteration.churned,
            lost=iteration.lost,
        )
        merged = iteration.merged
        if merged is None:
            self.run_tally.enter(facts, tally, iteration.tallies)
            return
        merged.parts.append((-1 if begin.shard is None else begin.shard, facts))
        if len(merged.parts) == self._parts:
            self._enter_merged((begin.workload, begin.iteration))

    def _write_rows(
        self,
        iteration: ReplayedIteration,
        objects: list[ObjectLife],
        children: list[ObjectLife],
        *,
        is_cut: bool = False,
        page: bool = False,
    ) -> IterationTally:
        """Write records, and count them in the iteration's tally.

        The children of a ``page`` may have their owners in another.
        """
        # A child without a UID was taken for one by mistake.
        children = [row for row in children if row.uid is not None]
        whole = iteration if iteration.merged is None else iteration.merged
        if whole.tally is None:
            may_have = bool(children) or whole is not iteration
            whole.tally = self.run_tally.open_tally(children=may_have)
        elif whole is iteration:
            whole.tally.begin_part(children=bool(children))
        elif not page and objects:  # of a round, which may have no end
            whole.tally.begin_part(children=True)
        for rows in (objects, children):
            self.present.update(row.resource.kind_name for row in rows if row.present)
            self.unanswered += sum(row.unanswered for row in rows)
            for start in range(0, len(rows), _AT_ONCE):
                records = [row.record(is_cut=is_cut) for row in rows[start : start + _AT_ONCE]]
                whole.tally.add(records, children=rows is children)
                for writer in self._writers:
                    writer.record(records, children=rows is children)
        return whole.tally

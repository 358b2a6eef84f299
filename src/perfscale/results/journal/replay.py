"""Plays a journal again: from its entries to records, and to what they add up to.

An object's life is kept until the final entry of its iteration, so that the journal of
a long run needs no more memory than the run did.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from perfscale.results.journal.entries import (
    CallsEntry,
    CountedEntry,
    DeleteEntry,
    DueEntry,
    IterationEndEntry,
    IterationEntry,
    LostObjectsEntry,
    ReleaseEntry,
    RoundEntry,
    StageEntry,
)
from perfscale.results.journal.objects import ChangeEntry, ObjectEntry, ObjectLife
from perfscale.results.journal.operations import (
    OperationChangeEntry,
    OperationEntry,
    OperationLife,
)
from perfscale.results.journal.replayed_course import ReplayedCourse
from perfscale.results.journal.replayed_records import AT_ONCE, ReplayedRecords
from perfscale.results.measure.tallies.run import IterationFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perfscale.results.journal.entries import AnyEntry, Begin
    from perfscale.results.journal.replayed import ReplayedIteration
    from perfscale.results.journal.replayed_records import RecordWriter
    from perfscale.results.measure.tallies.run import RunTally


class _Kind(NamedTuple):
    kind_name: str
    api_version: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


class Replay:
    """Takes the entries of a journal in their order.

    Attributes:
        course: What they say of the run beside its objects and operations.
        records: What is complete of those.
    """

    def __init__(self, begin: Begin, *writers: RecordWriter) -> None:
        self._iterations: dict[int, ReplayedIteration] = {}
        self._rows: dict[int, ObjectLife] = {}
        self._operations: dict[int, tuple[ReplayedIteration, OperationLife]] = {}
        self._api_versions = begin.api_versions
        self._kinds: dict[str, _Kind] = {}
        self.course = ReplayedCourse(is_shared=begin.generators is not None)
        self.records = ReplayedRecords(begin, self.course.blind, writers)

    @property
    def run_tally(self) -> RunTally:
        """What the iterations add up to, complete after `close`."""
        return self.records.run_tally

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
                self._iterations[entry.i].lose(entry)
            case DueEntry():
                self._iterations[entry.i].take_due(entry)
                self.course.reach(entry.at_s)
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
        """Take an entry that is not about objects, operations or an iteration alone."""
        match entry:
            case CallsEntry():
                self._count_calls(entry)
            case StageEntry():
                self._enter(entry)
            case _:
                self.course.take(entry)

    def is_anything_present(self) -> bool:
        """Whether anything is in the cluster still, as far as is known, or may be."""
        lives = self._rows.values()
        return (
            self.records.unanswered > 0
            or any(self.records.present.values())
            or any(life.present or life.unanswered for life in lives)
        )

    def parts_of(self, shard: int) -> dict[tuple[str, str], int]:
        """The numbers of a generator's parts of iterations that are not over, by their labels."""
        return {
            (each.begin.workload, str(each.begin.iteration)): number
            for number, each in self._iterations.items()
            if each.begin.shard == shard
        }

    def due_of(self, number: int) -> DueEntry | None:
        """What a part has requested, as far as is known, of a load that ends by its time."""
        return self._iterations[number].due

    def lives_of(self, shard: int) -> Iterator[tuple[int, ObjectLife]]:
        """A generator's objects, and children, whose records are not written; by their numbers."""
        for each in self._iterations.values():
            if each.begin.shard == shard:
                yield from each.objects.items()
                yield from each.children.items()

    def object_life(self, number: int) -> ObjectLife | None:
        """What is known of an object or child, for as long as its record is not written."""
        return self._rows.get(number)

    def operation_life(self, number: int) -> OperationLife | None:
        """What is known of an operation, likewise."""
        found = self._operations.get(number)
        return None if found is None else found[1]

    def close(self, *, is_cut: bool = False) -> None:
        """Write the records of the iterations that have no final entry.

        ``is_cut``: the journal ends before the run does, or has gaps.
        """
        self.course.reach_ends(self._rows.values())
        self.course.reach_ends(life for _, life in self._operations.values())
        for number in list(self._iterations):
            self._write_iteration(number)
        self.records.close(is_cut=is_cut)
        self.course.close()

    def _enter(self, entry: StageEntry) -> None:
        going_on = {each.begin.workload for each in self._iterations.values() if each.end is None}
        self.course.enter(entry, going_on)

    def _count_calls(self, entry: CallsEntry) -> None:
        iteration = None
        if entry.i is not None:
            begin = self._iterations[entry.i].begin
            iteration = (begin.workload, begin.iteration)
        self.run_tally.count_calls(entry.calls, iteration)
        self.course.reach(entry.at_s)

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
            if len(iteration.decided) >= AT_ONCE:
                self._write_decided(iteration)

    def _write_decided(self, iteration: ReplayedIteration) -> None:
        decided, iteration.decided = iteration.decided, []
        self._write_operations(iteration, decided)

    def _write_operations(self, iteration: ReplayedIteration, numbers: Iterable[int]) -> None:
        lives = [iteration.operations.pop(number) for number in numbers]
        for number in numbers:
            del self._operations[number]
        iteration.released.update(life.resource.kind_name for life in lives)
        self.course.reach_ends(lives)
        self.records.write_operations(iteration, lives)

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
        self.course.reach(entry.at_s)

    def _begin_iteration(self, entry: IterationEntry) -> None:
        iteration = self._iterations[entry.i] = self.records.open_iteration(entry)
        if entry.round is not None:
            iteration.churned.update(entry.requested)
        if entry.shard is None or entry.shard < 0:
            self.course.stage_log.begin_iteration(entry.started_s, entry.workload, entry.iteration)
        self.course.reach(entry.started_s)

    def _begin_round(self, entry: RoundEntry) -> None:
        self._iterations[entry.i].begin_round(entry)
        self.course.reach(entry.at_s)

    def _release(self, entry: ReleaseEntry) -> None:
        """Write what is gone of an iteration that goes on: of its rounds there may be no end."""
        iteration = self._iterations[entry.i]
        objects = [iteration.objects.pop(number) for number in entry.objects]
        children = [iteration.children.pop(number) for number in entry.children]
        self.course.reach_ends(
            self._rows.pop(number) for number in (*entry.objects, *entry.children)
        )
        iteration.released.update(life.resource.kind_name for life in objects)
        self.records.write_objects(iteration, objects, children, page=entry.page)

    def _end_iteration(self, entry: IterationEndEntry) -> None:
        iteration = self._iterations[entry.i]
        iteration.end = entry
        iteration.after_end.clear()
        self.course.reach(entry.finished_s)
        if entry.settled:
            self._write_iteration(entry.i)
        elif iteration.begin.shard is None or iteration.begin.shard < 0:
            self.course.stage_log.leave(entry.finished_s, iteration.begin.workload)

    def _write_iteration(self, number: int) -> None:
        iteration = self._iterations.pop(number)
        begin, end = iteration.begin, iteration.end
        requested = iteration.requested()
        spared = Counter[str]() if self.course.lost else iteration.spared(requested)
        is_cut = self.course.lost > 0 or end is None or not end.settled
        objects, children = list(iteration.objects.values()), list(iteration.children.values())
        tally = self.records.write_objects(iteration, objects, children, is_cut=is_cut)
        for each in (*iteration.objects, *iteration.children):
            del self._rows[each]
        self._write_operations(iteration, list(iteration.operations))
        facts = IterationFacts(
            workload=begin.workload,
            iteration=begin.iteration,
            requested=requested,
            started_s=begin.started_s,
            finished_s=self.course.last_s if end is None else end.finished_s,
            held_back_s=0.0 if end is None else end.held_back_s,
            problems=() if end is None else tuple(end.problems),
            is_cut=self.course.lost > 0 or end is None,
            churned=iteration.churned,
            lost=iteration.lost,
            spared=spared,
        )
        self.records.close_iteration(iteration, tally, facts)

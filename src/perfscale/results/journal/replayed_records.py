"""The records that a replay comes to: written as soon as they are complete, and counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from perfscale.results.journal.replayed import MergedIteration, ReplayedIteration
from perfscale.results.measure.tallies.run import RunTally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.results.journal.entries import Begin, IterationEntry
    from perfscale.results.journal.objects import ObjectLife
    from perfscale.results.journal.operations import OperationLife
    from perfscale.results.measure.blindness import BlindSpans
    from perfscale.results.measure.tallies.kinds import IterationTally
    from perfscale.results.measure.tallies.run import IterationFacts
    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord

AT_ONCE: Final = 1000
"""Records that are made and written in one go."""


class RecordWriter(Protocol):
    """Where records go that are complete."""

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Take them."""


@runtime_checkable
class OperationWriter(Protocol):
    """What a writer is too that takes the records of operations."""

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """Take them."""


class ReplayedRecords:
    """Writes the records of a run, and counts them with their iteration.

    Args:
        begin: Of the journal.
        blind: Times in which nothing was seen.
        writers: Where the records go.

    Attributes:
        run_tally: What its iterations add up to, complete after `close`.
        present: What is in the cluster still, as far as is known, by kind.
        unanswered: Creates whose answer is not in the journal.
    """

    def __init__(self, begin: Begin, blind: BlindSpans, writers: Sequence[RecordWriter]) -> None:
        self._writers = writers
        self._parts = 1 if begin.generators is None else begin.generators + 1
        self._merged: dict[tuple[str, int], MergedIteration] = {}
        self.run_tally = RunTally(begin.workloads, begin.paths, blind)
        self.present: Counter[str] = Counter()
        self.unanswered = 0

    def open_iteration(self, entry: IterationEntry) -> ReplayedIteration:
        """Begin to count an iteration, or the part of it that is one generator's."""
        merged = None if entry.shard is None else self._merge(entry)
        tallies = self.run_tally.open_operations() if merged is None else merged.tallies
        return ReplayedIteration(entry, tallies, merged=merged)

    def _merge(self, entry: IterationEntry) -> MergedIteration:
        """What an iteration of one generator is a part of."""
        where = (entry.workload, entry.iteration)
        if where not in self._merged:
            tallies = self.run_tally.open_operations()
            self._merged[where] = MergedIteration(tallies, self._parts)
        merged = self._merged[where]
        merged.begin(entry)
        return merged

    def write_operations(
        self, iteration: ReplayedIteration, lives: Sequence[OperationLife]
    ) -> None:
        """Write records of operations, and count them."""
        records = [life.record() for life in lives]
        iteration.tallies.add_records(records)
        for writer in self._writers:
            if isinstance(writer, OperationWriter):
                writer.record_operations(records)

    def write_objects(
        self,
        iteration: ReplayedIteration,
        objects: list[ObjectLife],
        children: list[ObjectLife],
        *,
        is_cut: bool = False,
        page: bool = False,
    ) -> IterationTally:
        """Write records of objects, and count them in the iteration's tally.

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
            for start in range(0, len(rows), AT_ONCE):
                records = [row.record(is_cut=is_cut) for row in rows[start : start + AT_ONCE]]
                whole.tally.add(records, children=rows is children)
                for writer in self._writers:
                    writer.record(records, children=rows is children)
        return whole.tally

    def close_iteration(
        self, iteration: ReplayedIteration, tally: IterationTally, facts: IterationFacts
    ) -> None:
        """Nothing more comes of an iteration, or of one generator's part of it."""
        merged = iteration.merged
        if merged is None:
            self.run_tally.enter(facts, tally, iteration.tallies)
            return
        begin = iteration.begin
        merged.parts.append((-1 if begin.shard is None else begin.shard, facts))
        if len(merged.parts) == self._parts:
            self._enter_merged((begin.workload, begin.iteration))

    def close(self, *, is_cut: bool) -> None:
        """Count the iterations of which parts are missing; ``is_cut`` as in `Replay.close`."""
        for where in list(self._merged):
            self._enter_merged(where, is_cut=is_cut)

    def _enter_merged(self, where: tuple[str, int], *, is_cut: bool = False) -> None:
        """All parts of an iteration are over, or nothing more comes of the others."""
        merged = self._merged.pop(where)
        tally = merged.tally or self.run_tally.open_tally(children=False)
        self.run_tally.enter(merged.facts(is_cut=is_cut), tally, merged.tallies)

"""Thresholds that end a run, over what all generators have published."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.engine.accounting.abort_thresholds import AbortThresholds
from perfscale.results import (
    ChangeEntry,
    CountedEntry,
    IterationEndEntry,
    IterationEntry,
    ObjectEntry,
    OperationEntry,
    ReleaseEntry,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.config import Config, Workload
    from perfscale.errors import ThresholdError
    from perfscale.results import AnyEntry, ObjectLife, OperationLife, Replay, WorkloadPlan


@dataclass(slots=True, eq=False)
class _Scope:
    """The objects of one generator's part of an iteration."""

    workload: str
    objects: list[ObjectLife] = field(default_factory=list)
    failed: int = 0


@dataclass(slots=True, eq=False)
class _Part:
    """One generator's part of an iteration; its objects have these numbers in the journal."""

    workload: Workload
    iteration: int
    scope: _Scope
    load: _Load
    numbers: set[int] = field(default_factory=set)
    operations: dict[int, OperationLife] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Load:
    """The operations of an iteration, of all generators."""

    workload: Workload
    scope: _Scope
    ends: bool = False
    requested: dict[str, int] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)

    @property
    def open_operations(self) -> list[OperationLife]:
        return [life for part in self.parts for life in part.operations.values()]

    @property
    def decided_operations(self) -> tuple[OperationLife, ...]:
        return ()  # they are among the others until they are recorded


class MergedThresholds:
    """Every threshold of a run of several generators that can end it.

    Args:
        config: The workload file.
        workloads: What each workload is going to do.
        replay: What has the lives.
        generators: How many there are.
    """

    def __init__(
        self, config: Config, workloads: Iterable[WorkloadPlan], replay: Replay, generators: int
    ) -> None:
        self._workloads = {each.name: each for each in config.workloads}
        self._replay = replay
        self._generators = generators
        self._thresholds = AbortThresholds(config, workloads, replay.run_tally.calls_of)
        self._loads: dict[tuple[str, int], _Load] = {}
        self._parts: dict[int, _Part] = {}
        self._part_of: dict[int, _Part] = {}
        self._failed: set[int] = set()

    @property
    def is_empty(self) -> bool:
        """Whether there are none: then nothing need be taken for them."""
        return self._thresholds.is_empty

    def check(self, now: float) -> ThresholdError | None:
        """What is lost by now, if anything is; ``now`` is in seconds since the run's start."""
        return self._thresholds.check([each.scope for each in self._parts.values()], now)

    def prepare(self, entry: AnyEntry) -> None:
        """An entry is about to be applied: take what it makes the replay forget."""
        match entry:
            case ReleaseEntry():
                self._release(entry)
            case CountedEntry():
                self._record(self._parts[entry.i])
            case IterationEndEntry(settled=True):
                self._close(entry.i)

    def take(self, entry: AnyEntry) -> None:
        """An entry has been applied."""
        match entry:
            case IterationEntry():
                self._open(entry)
            case ChangeEntry():
                self._take_object(entry)
            case OperationEntry():
                life = self._replay.operation_life(entry.n)
                part = self._parts[entry.i]
                if life is not None:
                    part.operations[entry.n] = life

    def _open(self, entry: IterationEntry) -> None:
        workload = self._workloads[entry.workload]
        scope = _Scope(entry.workload)
        where = (entry.workload, entry.iteration)
        load = self._loads.get(where)
        if load is None:
            load = self._loads[where] = _Load(workload, _Scope(entry.workload), entry.ends)
        part = self._parts[entry.i] = _Part(workload, entry.iteration, scope, load)
        load.parts.append(part)
        for kind, count in entry.requested.items():
            load.requested[kind] = load.requested.get(kind, 0) + count
        # How many operations there will be is known when all parts have begun; before that, none
        # of them sends anything.
        if len(load.parts) == self._generators:
            self._thresholds.open(load)

    def _take_object(self, entry: ChangeEntry) -> None:
        life = self._replay.object_life(entry.n)
        if life is None or life.is_child:
            return
        if isinstance(entry, ObjectEntry):
            part = self._part_of[entry.n] = self._parts[entry.i]
            part.numbers.add(entry.n)
            part.scope.objects.append(life)
        if life.error is not None and entry.n not in self._failed:
            self._failed.add(entry.n)
            self._part_of[entry.n].scope.failed += 1

    def _release(self, entry: ReleaseEntry) -> None:
        part = self._parts[entry.i]
        scope = part.scope
        gone = {life for n in entry.objects if (life := self._replay.object_life(n)) is not None}
        self._thresholds.drop(scope, gone)
        scope.objects = [life for life in scope.objects if life not in gone]
        self._forget(part, entry.objects)

    def _forget(self, part: _Part, numbers: Iterable[int]) -> None:
        for number in list(numbers):
            self._part_of.pop(number, None)
            self._failed.discard(number)
            part.numbers.discard(number)

    def _record(self, part: _Part) -> None:
        """Operations that are decided are let go."""
        decided = {n: life for n, life in part.operations.items() if life.decided}
        self._thresholds.record_operations(part.load, decided.values())
        for number in decided:
            del part.operations[number]

    def _close(self, number: int) -> None:
        part = self._parts.pop(number)
        self._thresholds.record_operations(part.load, part.operations.values())
        part.operations.clear()
        self._thresholds.close(part.scope)
        part.load.parts.remove(part)
        if not part.load.parts:
            self._thresholds.close(part.load.scope)
            del self._loads[part.workload.name, part.iteration]
        self._forget(part, part.numbers)

"""What is counted of a run: its iterations, and what they add up to.

It is counted from records alone, so that a run that ends and the report on one
that was killed come to their results in the same way.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.results.measure.calls import Calls
from perfscale.results.measure.operations.tally import OperationTallies
from perfscale.results.measure.rates import RateTally
from perfscale.results.measure.tallies.kinds import IterationTally, KindTally
from perfscale.results.model.accounts import Accounts
from perfscale.results.model.operations import OperationOutcome
from perfscale.results.model.workload import IterationResult, Measured, WorkloadResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.results.measure.blindness import BlindSpans
    from perfscale.results.measure.calls import CountedCall
    from perfscale.results.model.run import WorkloadPlan
    from perfscale.results.model.workload import KindResult


@dataclass(frozen=True, slots=True)
class IterationFacts:
    """What is known of an iteration beside its objects.

    Attributes:
        workload: Name of the workload.
        iteration: Counted from 1.
        requested: Objects, or operations, by kind.
        started_s: Seconds since the run's start, and likewise below.
        finished_s: When it was over.
        held_back_s: For how long its creates waited for a place in flight.
        problems: What went wrong but for objects that failed, one sentence each.
        churned: Objects, of those that were requested, that churn asked for, by kind.
        ends: Whether its load ended by its time, so that ``requested`` is what was due by then.
        is_cut: Whether the journal ends before the iteration does: more objects
            may have been attempted than are known.
        lost: Objects, by kind, that are there without a record: a generator was lost with it.
        spared: Of what has no record, by kind, what surely was not attempted though the journal
            of others ends: it was the turn of generators that came to their end.
    """

    workload: str
    iteration: int
    requested: Mapping[str, int]
    started_s: float
    finished_s: float
    held_back_s: float
    problems: tuple[str, ...]
    ends: bool = False
    is_cut: bool = False
    churned: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    spared: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSum(Measured):
    """What a run's iterations add up to: the workloads, and all of them together."""

    workloads: tuple[WorkloadResult, ...]


@dataclass
class _WorkloadTally:
    plan: WorkloadPlan
    rate: RateTally
    iterations: list[IterationResult] = field(default_factory=list)
    kinds: dict[str, KindTally] = field(default_factory=dict)
    child_kinds: dict[str, KindTally] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
    operations: OperationTallies = field(default_factory=OperationTallies)
    requested: Mapping[str, int] = field(default_factory=dict)
    """Operations of its last iteration."""
    churned: Counter[str] = field(default_factory=Counter)

    @property
    def creates(self) -> bool:
        return self.plan.operation == "create"


class RunTally:
    """Takes iterations that are over, and sums them up.

    Args:
        workloads: In the order in which they run.
        paths: Phases on the way to readiness, by kind.
        blind: Times in which nothing was seen, as far as they are known when a record is counted.
    """

    def __init__(
        self,
        workloads: Iterable[WorkloadPlan],
        paths: Mapping[str, tuple[str, ...]],
        blind: BlindSpans | None = None,
    ) -> None:
        self._paths = paths
        self._blind = blind
        self._calls = Calls()
        self._calls_of: dict[tuple[str, int], Calls] = {}
        self._workloads = {
            info.name: _WorkloadTally(info, RateTally(info.qps, info.burst, steady=info.steady))
            for info in workloads
        }

    def open_tally(self, *, children: bool) -> IterationTally:
        """A tally to count an iteration's records in, which may have ``children``."""
        return IterationTally(self._paths, children=children, blind=self._blind)

    def open_operations(self) -> OperationTallies:
        """Tallies to count an iteration's operations in."""
        return OperationTallies(self._blind)

    def count_calls(
        self, counted: Iterable[CountedCall], iteration: tuple[str, int] | None
    ) -> None:
        """Count requests: those of an iteration, by workload and number, or of none."""
        self._calls.add(counted)
        if iteration is not None:
            self._workloads[iteration[0]].calls.add(counted)
            self._calls_of.setdefault(iteration, Calls()).add(counted)

    def calls_of(self, workload: str | None) -> Calls:
        """What was counted of a workload's requests so far; for None, of all."""
        return self._calls if workload is None else self._workloads[workload].calls

    def enter(
        self,
        facts: IterationFacts,
        tally: IterationTally,
        operations: OperationTallies | None = None,
    ) -> None:
        """Take an iteration that is over, with its ``operations`` if it had any.

        Why objects of it failed is said from the records that are counted as
        failed, so that the words and the accounts agree.
        """
        workload = self._workloads[facts.workload]
        kinds, child_kinds = tally.kinds, tally.child_kinds
        operations = operations or self.open_operations()
        surely = facts.spared if facts.is_cut else facts.requested
        if workload.creates:
            _add_not_attempted(kinds, facts.requested, surely, lost=facts.lost)
            times = tally.creates
            workload.churned.update(facts.churned)
        else:
            times = operations.times
            operations.add_not_attempted(workload.plan.operation, facts.requested, surely)
            workload.requested = facts.requested
        plan = workload.plan
        rate = times.tally(
            RateTally(plan.qps, plan.burst, plan.steady, held_back_s=facts.held_back_s)
        )
        workload.iterations.append(
            IterationResult(
                iteration=facts.iteration,
                started_s=facts.started_s,
                finished_s=facts.finished_s,
                accounts=_total(kinds),
                children=_total(child_kinds),
                rate=rate.result(),
                kinds=_results(kinds, churn=False),
                child_kinds=_results(child_kinds, churn=False),
                problems=(
                    *facts.problems,
                    *tally.failures.sentences(),
                    *operations.sentences(OperationOutcome.FAILED),
                ),
                calls=self._calls_of.pop((facts.workload, facts.iteration), Calls()).results(),
                operations=operations.results(),
            )
        )
        workload.operations.add(operations)
        _add(workload.kinds, kinds)
        _add(workload.child_kinds, child_kinds)
        workload.rate.add(rate)

    def results(self) -> dict[str, tuple[IterationResult, ...]]:
        """Of the iterations that were taken so far, by workload."""
        return {name: tuple(each.iterations) for name, each in self._workloads.items()}

    def close(self, *, is_cut: bool = False) -> RunSum:
        """Sum everything up, the iterations included that never came.

        ``is_cut`` says that they may have come all the same, after the journal's end.

        Ends the count, and drops the samples; what was counted of requests stays.
        """
        for workload in self._workloads.values():
            if workload.plan.ends:
                continue  # an iteration that never came was never due
            if workload.creates:
                wanted = workload.churned + Counter(workload.plan.objects)
                _add_not_attempted(workload.kinds, wanted, {} if is_cut else wanted)
            else:
                _add_iterations_not_begun(workload, is_cut=is_cut)
        workloads = tuple(_workload_result(workload) for workload in self._workloads.values())
        kinds: dict[str, KindTally] = {}
        child_kinds: dict[str, KindTally] = {}
        rate = RateTally(*_target(workload.plan for workload in self._workloads.values()))
        operations = OperationTallies()
        for workload in self._workloads.values():
            rate.add(workload.rate)
            operations.add(workload.operations)
            _add(kinds, workload.kinds)
            _add(child_kinds, workload.child_kinds)
            workload.kinds, workload.child_kinds = {}, {}
        return RunSum(
            workloads=workloads,
            accounts=_total(kinds),
            children=_total(child_kinds),
            rate=rate.result(),
            kinds=_results(kinds),
            child_kinds=_results(child_kinds),
            calls=self._calls.results(),
            operations=operations.results(),
        )


def _target(plans: Iterable[WorkloadPlan]) -> tuple[float | None, int, bool]:
    """Target, burst and steadiness of several workloads, as `RateTally` takes them."""
    targets = {(plan.qps, plan.steady) for plan in plans}
    qps, steady = targets.pop() if len(targets) == 1 else (None, True)
    return qps, 1, steady


def _add(into: dict[str, KindTally], tallies: Mapping[str, KindTally]) -> None:
    """Add tallies that nobody needs any more: the first of a kind is taken as it is."""
    for kind, tally in tallies.items():
        if kind in into:
            into[kind].add(tally)
        else:
            into[kind] = tally


def _add_not_attempted(
    kinds: dict[str, KindTally],
    requested: Mapping[str, int],
    surely: Mapping[str, int],
    *,
    lost: Mapping[str, int] | None = None,
) -> None:
    """Count the objects whose turn never came, as far as is known; they have no record.

    Nor have those that were ``lost``. How many of those without a record were ``surely`` not
    attempted is by kind, too.
    """
    for kind, count in requested.items():
        tally = kinds.setdefault(kind, KindTally())
        missing = count - tally.accounts.requested
        found = min(max(0, missing), (lost or {}).get(kind, 0))
        never = missing - found
        tally.accounts += Accounts(
            requested=missing,
            not_attempted=never,
            unknown=max(0, never - surely.get(kind, 0)),
            lost=found,
        )


def _add_iterations_not_begun(workload: _WorkloadTally, *, is_cut: bool) -> None:
    """Count the operations of iterations that never came: each would have had as many."""
    never = OperationTallies()
    missing = workload.plan.iterations - len(workload.iterations)
    wanted = {kind: missing * count for kind, count in workload.requested.items()}
    never.add_not_attempted(workload.plan.operation, wanted, {} if is_cut else wanted)
    workload.operations.add(never)


def _total(kinds: Mapping[str, KindTally]) -> Accounts:
    return sum((tally.accounts for tally in kinds.values()), Accounts())


def _results(kinds: Mapping[str, KindTally], *, churn: bool = True) -> dict[str, KindResult]:
    return {kind: tally.result(churn=churn) for kind, tally in kinds.items()}


def _workload_result(workload: _WorkloadTally) -> WorkloadResult:
    return WorkloadResult(
        name=workload.plan.name,
        iteration_count=workload.plan.iterations,
        accounts=_total(workload.kinds),
        children=_total(workload.child_kinds),
        rate=workload.rate.result(),
        kinds=_results(workload.kinds),
        child_kinds=_results(workload.child_kinds),
        iterations=tuple(sorted(workload.iterations, key=lambda result: result.iteration)),
        calls=workload.calls.results(),
        waits=workload.plan.waits,
        operation=workload.plan.operation,
        background=workload.plan.background,
        max_in_flight=workload.plan.max_in_flight,
        selects=workload.plan.selects,
        operations=workload.operations.results(),
    )

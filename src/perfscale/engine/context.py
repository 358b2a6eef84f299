"""What the parts of one run share."""

from __future__ import annotations

import logging
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from perfscale.config.labels import RUN_LABEL, SHARD_LABEL, run_labels, selector_of
from perfscale.engine.accounting.counts import ObjectCounter
from perfscale.engine.accounting.gaps import GapLog
from perfscale.engine.accounting.health import Health
from perfscale.engine.accounting.journal_feed import JournalFeed
from perfscale.engine.accounting.operation_counts import OperationCounter
from perfscale.engine.events import ObjectFailed, OperationFailed, Warned
from perfscale.engine.iteration_context import IterationContext
from perfscale.engine.sharding.coordination import Arrival, Barrier
from perfscale.engine.tracking.readiness import RunRules
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.engine.tracking.tracker import Tracker
from perfscale.engine.waits import Signal
from perfscale.errors import FailureBudgetError
from perfscale.results import OperationTallies, StageLog, WarningEntry

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence

    from perfscale.config import Workload
    from perfscale.engine.inputs import RunInputs
    from perfscale.engine.sharding.coordination import Coordination, Release
    from perfscale.engine.sharding.portion import Requested
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject, Transition
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place
    from perfscale.results import ObjectLife, OperationLife
    from perfscale.templates import ObjectFactory

_log = logging.getLogger(__name__)

_WELL = Arrival()


class RunContext:
    """Handed to every part of a run.

    Args:
        inputs: What the run is given.
        tasks: The outer scope: watches, creates in flight, cleanup.
        abort: Ends the run with an error; the first one counts.

    Attributes:
        inputs: What the run is given; what is used most of it stands beside.
        config: The workload file.
        plan: What the preflight found.
        client: The way to the cluster, for what is done for no iteration.
        stopwatch: The run's clock.
        broadcast: Where progress goes.
        rules: What ready and failed mean for its objects.
        tracker: Every object of the run.
        iterations: Those that go on, or of which something is left, by the tracker's scope.
        changed: Notified whenever the tracker or the namespaces changed.
        failures: How many objects, and operations, have failed.
        operations: How many operations were requested until now.
        churned: How many objects rounds of churn have asked for.
        journal: Where what happens is written down as it happens.
        health: What the generator sees of itself.
        verify: Called with an object that may be gone or have lost its labels, and with one that
            came when the others were being deleted.
        unserved: Kinds that are not watched, since nothing serves them yet, or any more.
        open_watches: Opens those of them that a workload's templates make.
        hook: Runs the hooks of a moment, of a workload, of an iteration; see `HookRunner`.
        find_slow: The objects of iterations whose wait is over that were slow; see `Attributor`.
        examine: Finds out why they were, before anything is deleted.
        coordination: Keeps it together with the other generators of the run.
        shard: Which part of the run is done here.
        clients: All ways to the cluster: ``client``, and those with a rate limit of their own.
        gaps: What it could not see, and outages.
        stages: What it did when.
        counter: What happened to objects so far, for snapshots and progress.
        operation_counter: What happened to operations so far, for snapshots.
    """

    verify: Callable[[TrackedObject, TransitionKind], None]
    hook: Callable[[str, Workload | None, int | None], Awaitable[None]]
    coordination: Coordination
    open_watches: Callable[[Sequence[ObjectFactory]], Coroutine[object, object, None]]
    find_slow: Callable[[Sequence[IterationScope]], Sequence[TrackedObject]]
    examine: Callable[[Sequence[TrackedObject]], Awaitable[None]]

    def __init__(
        self, inputs: RunInputs, tasks: asyncio.TaskGroup, abort: Callable[[BaseException], None]
    ) -> None:
        self.inputs = inputs
        self.config, self.plan, self.client = inputs.config, inputs.plan, inputs.client
        self.unserved = set(self.plan.later)
        self.clients = [self.client]
        self.stopwatch, self.broadcast = inputs.stopwatch, inputs.broadcast
        self.shard = inputs.shard
        self.tasks = tasks
        self.abort = abort
        self._debugging = _log.isEnabledFor(logging.DEBUG)  # found out once: there are many changes
        self.rules = RunRules(chain(*inputs.factories), self.plan.resources)
        self.tracker = Tracker()
        self.iterations: dict[IterationScope, IterationContext] = {}
        self.changed = Signal()
        self.failures = 0
        self.operations = 0
        self.churned = 0
        self.counter = ObjectCounter()
        self.operation_counter = OperationCounter()
        self.journal = JournalFeed(inputs.sink, self._report_journal, self.shard)
        self.stages = StageLog()
        self.gaps = GapLog(self.stopwatch, self.journal, self.warn)
        self.health = Health(self.config.global_config, self.stopwatch.clock, self.gaps.stalled)

    def open_iteration(
        self,
        workload: Workload,
        factories: Sequence[ObjectFactory],
        number: int,
        requested: Requested,
        *,
        round_number: int | None = None,
    ) -> IterationContext:
        """Begin an iteration."""
        meter = self.inputs.meter.part()
        total = sum(requested.own.values())
        scope = self.tracker.open_iteration(workload.name, number, total, round_number)
        iteration = self.iterations[scope] = IterationContext(
            workload,
            factories,
            requested.own,
            requested.whole,
            scope,
            self.client.observed_by(meter),
            meter,
            self.labels_of(workload.name, number),
            started_s=self.stopwatch.now(),
            ends=requested.ends,
            creates=workload.does.creates,
            operations=OperationTallies(self.gaps.blind),
        )
        if round_number is not None:
            iteration.churned = Counter(requested.own)
            self.count_churned(workload.name, iteration.churned)
        return iteration

    def count_churned(self, workload: str, objects: Counter[str]) -> None:
        """A round of churn asks for so many objects of a workload, by kind."""
        self.churned += objects.total()
        self.counter.request(workload, objects)

    def retire_iteration(self, iteration: IterationContext) -> None:
        """Nothing more is to become known of it; what is still sent for it counts for the run."""
        del self.iterations[iteration.scope]
        self.tracker.retire(iteration.scope)
        iteration.meter.merge_into(self.inputs.meter)

    def iterations_of(self, workload: Workload) -> list[IterationContext]:
        """Those of a workload that go on, or of which something is left."""
        return [each for each in self.iterations.values() if each.workload is workload]

    def client_of(self, scope: IterationScope) -> Client:
        """The way to the cluster that counts what is sent for an iteration, if it is not over."""
        iteration = self.iterations.get(scope)
        return self.client if iteration is None else iteration.client

    async def reach(
        self,
        moment: str,
        workload: Workload | None = None,
        number: int | None = None,
        *,
        round_number: int | None = None,
        arrival: Arrival = _WELL,
    ) -> Release:
        """Come to a barrier, and go on when all generators of the run are there."""
        name = None if workload is None else workload.name
        barrier = Barrier(str(moment), name, number, round_number)
        return await self.coordination.reach(barrier, arrival)

    async def agree(
        self,
        moment: str,
        workload: Workload,
        number: int | None = None,
        *,
        round_number: int | None = None,
        well: bool,
    ) -> bool:
        """The same; returns whether all is well with every generator."""
        arrival = Arrival(well)
        where = workload, number
        return (await self.reach(moment, *where, round_number=round_number, arrival=arrival)).well

    def labels_of(self, workload: str, number: int) -> dict[str, str]:
        """What everything that is made here for an iteration carries."""
        return run_labels(self.run_id, workload, number, self.shard.label)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where to list and watch what the run has made until now; as `Plan.places`."""
        places = self.plan.places
        if not self.unserved:
            return places
        return tuple(place for place in places if place.resource not in self.unserved)

    @property
    def selector(self) -> str:
        """The label selector that everything matches that is made here, of the run."""
        labels = {RUN_LABEL: self.run_id}
        if self.shard.label is not None:
            labels[SHARD_LABEL] = str(self.shard.label)
        return selector_of(labels)

    @property
    def run_id(self) -> str:
        """The value of the run's label."""
        return self.plan.run_id

    def publish(self, changes: Iterable[Transition]) -> None:
        """Count and journal what the tracker found to have changed, and wake who waits for it."""
        last: TrackedObject | None = None
        for each in changes:
            subject, change = each.subject, each.kind
            if subject is not last:
                last = subject
                self.journal.mark_dirty(subject)
            if self._debugging:
                _log.debug(
                    "%s %s/%s: %s",
                    subject.resource.kind_name,
                    subject.namespace,
                    subject.name,
                    each.phase or change.value,
                )
            if change is TransitionKind.PHASE:
                continue  # most of them
            if subject.is_child:
                if change is TransitionKind.STRAY:
                    self.verify(subject, change)
                continue
            self.counter.change(subject, change)
            if change is TransitionKind.FAILED:
                self.count_failure(subject)
            elif change is TransitionKind.DOUBTED:
                self.verify(subject, change)
        self.changed.notify()

    def count_failed_operation(self, operation: OperationLife) -> None:
        """An operation has failed."""
        kind, error = operation.resource.kind_name, operation.error or ""
        self.broadcast.send(
            OperationFailed(
                operation.scope.workload,
                operation.operation,
                kind,
                operation.namespace,
                operation.name,
                error,
            )
        )
        self._count_failure()

    def count_failure(self, row: ObjectLife) -> None:
        """An object has failed."""
        self.broadcast.send(
            ObjectFailed(row.resource.kind_name, row.namespace, row.name, row.error or "")
        )
        self._count_failure()

    def _count_failure(self) -> None:
        self.failures += 1
        requested = sum(self.plan.objects.values()) + self.operations + self.churned
        budget = self.inputs.options.max_failures
        if budget is not None and not budget.allows(self.failures, requested):
            what = "objects and operations" if self.operations else "objects"
            self.abort(
                FailureBudgetError(
                    f"{self.failures} of {requested} {what} failed, "
                    f"more than --max-failures {budget} allows"
                )
            )

    def send(self, row: TrackedObject, instant: float) -> None:
        """Its create request goes onto the wire, at an instant of the clock."""
        self.tracker.send(row, self.stopwatch.since_start(instant))
        self.counter.send(row)
        self.journal.mark_dirty(row)

    def request_deletion(
        self, scope: IterationScope, versions: Mapping[str, int] | None = None
    ) -> None:
        """The run deletes the objects of an iteration; ``versions`` as `Tracker` takes them."""
        now = self.stopwatch.now()
        self.tracker.request_deletion(scope, now, versions)
        self.journal.request_deletion(scope, now)

    def request_deletion_of(self, row: TrackedObject) -> None:
        """The run deletes a single object."""
        self.tracker.request_deletion_of(row, self.stopwatch.now())
        self.journal.mark_dirty(row)

    def withdraw_deletion_of(self, row: TrackedObject) -> None:
        """The server refused to delete a single object."""
        changes = self.tracker.withdraw_deletion_of(row)
        self.journal.mark_dirty(row)
        self.publish(changes)

    def replace(self, row: TrackedObject, round_number: int) -> None:
        """The run deletes a single object in a round of churn."""
        self.tracker.request_deletion_of(row, self.stopwatch.now())
        self.tracker.mark_replaced(row, round_number)
        self.journal.mark_dirty(row)

    def adopt(
        self, scope: IterationScope, owners: Iterable[TrackedObject], round_number: int
    ) -> None:
        """What was made for objects of a round of churn belongs to that round too."""
        for child in self.tracker.adopt(scope, owners, round_number):
            self.journal.mark_dirty(child)

    def mark_replaced(self, scope: IterationScope, round_number: int) -> None:
        """It is a round of churn that is about to delete an iteration."""
        for row in scope.rows:
            self.tracker.mark_replaced(row, round_number)
            self.journal.mark_dirty(row)

    def _report_journal(self, error: OSError) -> None:
        self.warn(
            f"the journal cannot be written: {error}; should that go on, "
            "a run that is killed leaves no results"
        )

    def warn(self, message: str) -> None:
        """Say something that a person should know."""
        _log.warning("%s", message)
        self.journal.append(WarningEntry(self.stopwatch.now(), message))
        self.broadcast.send(Warned(message))

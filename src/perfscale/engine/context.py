"""What the parts of one run share."""

from __future__ import annotations

import logging
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING

from perfscale.config.labels import RUN_LABEL, selector_of
from perfscale.engine.accounting.counts import ObjectCounter
from perfscale.engine.accounting.health import Health
from perfscale.engine.accounting.journal_feed import JournalFeed
from perfscale.engine.accounting.sightings import Sightings
from perfscale.engine.events import Broadcast, ObjectFailed, Warned
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.engine.tracking.tracker import Tracker
from perfscale.engine.waits import Signal
from perfscale.errors import FailureBudgetError
from perfscale.results import WarningEntry

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping

    from perfscale.config import Config
    from perfscale.engine.accounting.budget import FailureBudget
    from perfscale.engine.stopwatch import Stopwatch
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject, Transition
    from perfscale.kube.client import Client
    from perfscale.preflight import Plan
    from perfscale.results import ResultSink

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RunContext:
    """Handed to every part of a run.

    Attributes:
        config: The workload file.
        plan: What the preflight found.
        client: The way to the cluster.
        stopwatch: The run's clock.
        tasks: The outer scope: watches, creates in flight, cleanup.
        broadcast: Where progress goes.
        abort: Ends the run with an error; the first one counts.
        tracker: Every object of the run.
        changed: Notified whenever the tracker or the namespaces changed.
        budget: How many objects may fail; None for any number.
        failures: How many have.
        journal: Where what happens is written down as it happens.
        health: What the generator sees of itself.
        inspect: Called with an object that may be gone or have lost its labels, and with one that
            came when all had been asked to go.
        sightings: What it could not see, and outages.
        counter: What happened to objects so far, for whoever looks on.
        sink: Where the records go.
    """

    config: Config
    plan: Plan
    client: Client
    stopwatch: Stopwatch
    tasks: asyncio.TaskGroup
    broadcast: Broadcast
    abort: Callable[[BaseException], None]
    tracker: Tracker = field(default_factory=Tracker)
    changed: Signal = field(default_factory=Signal)
    budget: FailureBudget | None = None
    failures: int = 0
    counter: ObjectCounter = field(default_factory=ObjectCounter)
    journal: JournalFeed = field(init=False)
    health: Health = field(init=False)
    inspect: Callable[[TrackedObject, TransitionKind], None] = field(init=False)
    sightings: Sightings = field(init=False)
    sink: InitVar[ResultSink | None] = None

    def __post_init__(self, sink: ResultSink | None) -> None:
        """Open the journal, if the sink keeps one."""
        self.journal = JournalFeed(sink, self._report_journal)
        self.sightings = Sightings(self.stopwatch, self.journal, self.warn)
        self.health = Health(
            self.config.global_config, self.stopwatch.clock, self.sightings.stalled
        )

    @property
    def selector(self) -> str:
        """The label selector that everything of the run matches."""
        return selector_of({RUN_LABEL: self.run_id})

    @property
    def run_id(self) -> str:
        """The value of the run's label."""
        return self.plan.run_id

    def report(self, changes: Iterable[Transition]) -> None:
        """Tell whoever waits or listens what the tracker found to have changed."""
        last: TrackedObject | None = None
        debugging = _log.isEnabledFor(logging.DEBUG)
        for subject, change, phase in changes:
            if subject is not last:
                last = subject
                self.journal.mark_dirty(subject)
            if debugging:
                _log.debug(
                    "%s %s/%s: %s",
                    subject.resource.kind_name,
                    subject.namespace,
                    subject.name,
                    phase or change.value,
                )
            if subject.is_child:
                if change is TransitionKind.STRAY:
                    self.inspect(subject, change)
                continue
            self.counter.change(subject, change)
            if change is TransitionKind.FAILED:
                self._count_failure(subject)
            elif change is TransitionKind.DOUBTED:
                self.inspect(subject, change)
        self.changed.notify()

    def _count_failure(self, row: TrackedObject) -> None:
        self.broadcast.send(
            ObjectFailed(row.resource.kind_name, row.namespace, row.name, row.error or "")
        )
        self.failures += 1
        requested = sum(self.plan.objects.values())
        if self.budget is not None and not self.budget.allows(self.failures, requested):
            self.abort(
                FailureBudgetError(
                    f"{self.failures} of {requested} objects failed, "
                    f"more than --max-failures {self.budget} allows"
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
        """The objects of an iteration are asked to go; ``versions`` as `Tracker` takes them."""
        now = self.stopwatch.now()
        self.tracker.request_deletion(scope, now, versions)
        self.journal.request_deletion(scope, now)

    def request_deletion_of(self, row: TrackedObject) -> None:
        """A single object is asked to go."""
        self.tracker.request_deletion_of(row, self.stopwatch.now())
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

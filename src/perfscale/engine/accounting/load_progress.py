"""How far a workload has come, and what it waits for."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from perfscale.engine.events import SlowObject, Stage, StillWaiting
from perfscale.engine.tracking.stuck import held_by
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from perfscale.engine.tracking.owned import OwnedNamespace
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject
    from perfscale.results import OperationLife

PERIOD_S = 0.5
_RATE_WINDOW = 2
"""Periods over which the rate is averaged: one second."""
_OUTLOOK = 10
"""Periods from which the remaining time is concluded: five seconds."""
_STILL_WAITING_S = 10.0
_STILL_WAITING_MOST_S = 60.0
"""A wait is published after ten seconds, then each time that it has doubled, and at
least every minute: half an hour of waiting must not fill the screen."""
_SLOWEST = 3
_KIND_AND_PHASE = attrgetter("resource.kind_name", "phase")
_SINCE = attrgetter("waited_s")
_TERMINATING = "Terminating"


class LoadProgress:
    """What is published of one workload, while its iterations go on.

    They go on one after the other; only rounds of churn, and what is done when all of a workload is
    there, are about several at a time.

    Attributes:
        workload: Its name.
        scopes: The iterations that go on, or were the last to.
        stage: What is done for it.
        place: Workload and iteration that the stage is about.
        entered_s: When it turned to that.
        round: The round of churn that goes on; None where none does.
        is_over: Whether all of the workload's iterations are over.
    """

    def __init__(self, scope: IterationScope) -> None:
        self.workload = scope.workload
        self.scopes = [scope]
        self.stage = Stage.PREPARING
        self.place: tuple[str | None, int | None] = scope.workload, scope.iteration
        self.round: int | None = None
        self.is_over = False
        self.entered_s = 0.0
        self._published_s = 0.0
        self._sent: list[int] = []
        self._steps: deque[tuple[float, int]] = deque(maxlen=_OUTLOOK)

    def follow(self, scope: IterationScope) -> None:
        """An iteration begins: the next one, or another of the same round."""
        if scope.round is not None and self.scopes[-1].round == scope.round:
            self.scopes.append(scope)
        else:
            self.attend([scope])

    def attend(self, scopes: Iterable[IterationScope]) -> None:
        """What is done next is about these."""
        self.scopes = list(scopes)
        self._sent.clear()
        self._steps.clear()

    def total(self, count: str) -> int:
        """The sum of one of the iterations' counts, by its name."""
        counts: Iterable[int] = map(attrgetter(count), self.scopes)
        return sum(counts)

    def enter(self, stage: Stage, place: tuple[str | None, int | None], now: float) -> None:
        """It turns to something else."""
        self.stage, self.place = stage, place
        self.entered_s = self._published_s = now
        self._steps.clear()

    def sample(self, now: float) -> None:
        """Note how far it has come; called every `PERIOD_S`."""
        self._sent = [*self._sent[-_RATE_WINDOW:], self.total("sent")]
        self._steps.append((now, self._done()))

    @property
    def rate(self) -> float:
        """Creates sent in the last second."""
        spans = len(self._sent) - 1
        return (self._sent[-1] - self._sent[0]) / (spans * PERIOD_S) if spans > 0 else 0.0

    @property
    def remaining_s(self) -> float | None:
        """How much longer the stage takes, as far as can be said: of a round of churn, nothing."""
        if self.round is not None:
            return None
        return remaining_s(self._steps, self.total("requested"))

    def wait(
        self,
        now: float,
        namespaces: Sequence[OwnedNamespace],
        operations: Collection[OperationLife] = (),
    ) -> StillWaiting | None:
        """What it waits for, if it waits and it is time to say so again."""
        if now - self._published_s < quiet_s(self._published_s - self.entered_s):
            return None
        self._published_s = now
        if self.stage is Stage.WAITING_DONE:
            return wait_for_operations(operations, now, began_s=self.entered_s)
        return wait_in(self.stage, self.scopes, now, began_s=self.entered_s, namespaces=namespaces)

    def _done(self) -> int:
        """How far the stage has come: how many objects it need not wait for any more."""
        match self.stage:
            case Stage.CREATING | Stage.OPERATING:
                return self.total("sent")
            case Stage.WAITING_READY | Stage.WAITING_DONE:
                return self.total("requested") - self.total("undecided")
            case Stage.WAITING_GONE:
                return self.total("requested") - self.total("present")
            case _:
                return 0


def wait_in(
    stage: Stage,
    scopes: Iterable[IterationScope],
    now: float,
    *,
    began_s: float,
    namespaces: Sequence[OwnedNamespace] = (),
) -> StillWaiting | None:
    """What a wait is waiting for; None where the stage is none.

    Args:
        stage: What the run is doing.
        scopes: The iterations that it is about.
        now: Seconds since the run's start.
        began_s: When the wait began.
        namespaces: Those of the run that are being deleted.
    """
    children: list[TrackedObject] = []
    scopes = list(scopes)
    if stage is Stage.WAITING_READY:
        rows = [row for scope in scopes for row in scope.rows]
        waiting = [row for row in rows if not row.is_child and not row.decided]
        children = [row for row in rows if row.is_child and row.present and row.ready_s is None]
    elif stage in {Stage.WAITING_GONE, Stage.CLEANING_UP}:
        waiting = [row for scope in scopes for row in scope.rows if row.present]
    else:
        return None
    leaving = namespaces if stage is not Stage.WAITING_READY else ()
    phases = _phases_of(waiting)
    if leaving:
        phases[NAMESPACES.kind, _TERMINATING] = len(leaving)
    slowest = (
        *_slowest(waiting, now, leaving=stage is not Stage.WAITING_READY),
        *_staying(leaving, now),
    )
    return StillWaiting(
        stage=stage,
        waited_s=now - began_s,
        missing=len(waiting) + len(leaving),
        phases=phases,
        child_phases=_phases_of(children),
        slowest=tuple(heapq.nlargest(_SLOWEST, slowest, key=_SINCE)),
    )


def wait_for_operations(
    operations: Collection[OperationLife], now: float, *, began_s: float
) -> StillWaiting:
    """What a wait for operations to be done is waiting for.

    Args:
        operations: Those that are neither done nor failed.
        now: Seconds since the run's start.
        began_s: When the wait began.
    """
    reached = Counter((each.resource.kind_name, _last_milestone(each)[0]) for each in operations)
    sent = [each for each in operations if each.sent_s is not None]
    slowest = heapq.nsmallest(_SLOWEST, sent, key=attrgetter("sent_s"))
    return StillWaiting(
        stage=Stage.WAITING_DONE,
        waited_s=now - began_s,
        missing=len(operations),
        phases=dict(reached),
        child_phases={},
        slowest=tuple(_slow_operation(each, now) for each in slowest),
    )


def _slow_operation(operation: OperationLife, now: float) -> SlowObject:
    milestone, since_s = _last_milestone(operation)
    return SlowObject(
        operation.resource.kind_name,
        operation.namespace,
        operation.name or "",
        milestone or None,
        now - (operation.sent_s or 0.0),
        None if since_s is None else now - since_s,
        operation.detail,
    )


def _last_milestone(operation: OperationLife) -> tuple[str, float | None]:
    """Its name and when it was seen; empty and None before the first."""
    return max(operation.milestones.items(), key=itemgetter(1), default=("", None))


def remaining_s(steps: Sequence[tuple[float, int]], total: int) -> float | None:
    """How much longer something takes that goes on as it did.

    Args:
        steps: Times in seconds and how much was done by then, the last ones.
        total: How much there is to do.

    Returns:
        Seconds; None as long as nothing was done in between, and where nobody knows the total.
    """
    if len(steps) < 2:
        return None
    (began_s, before), (now_s, done) = steps[0], steps[-1]
    if done <= before or now_s <= began_s or done > total:
        return None
    return max(0, total - done) * (now_s - began_s) / (done - before)


def quiet_s(waited_s: float) -> float:
    """How long nothing is said of a wait, after it was last spoken of ``waited_s`` into it."""
    return min(max(waited_s, _STILL_WAITING_S), _STILL_WAITING_MOST_S)


def _phases_of(rows: Iterable[TrackedObject]) -> dict[tuple[str, str], int]:
    """How many are in each phase, by kind and phase, which is empty where there is none."""
    counts = Counter(map(_KIND_AND_PHASE, rows))
    return {(kind, phase or ""): count for (kind, phase), count in counts.items()}


def _slowest(
    waiting: Iterable[TrackedObject], now: float, *, leaving: bool
) -> tuple[SlowObject, ...]:
    since = attrgetter("delete_requested_s" if leaving else "sent_s")
    begun = (row for row in waiting if since(row) is not None)
    return tuple(
        SlowObject(
            row.resource.kind_name,
            row.namespace,
            row.name,
            row.phase,
            now - since(row),
            None if row.phase_s is None else now - row.phase_s,
            held_by(row.finalizers) if leaving else row.detail,
        )
        for row in heapq.nsmallest(_SLOWEST, begun, key=since)
    )


def _staying(leaving: Iterable[OwnedNamespace], now: float) -> Iterator[SlowObject]:
    for owned in leaving:
        if owned.asked_s is not None:
            since_s = now - owned.asked_s
            yield SlowObject(
                kind=NAMESPACES.kind,
                namespace=None,
                name=owned.name,
                phase=_TERMINATING,
                waited_s=since_s,
                in_phase_s=since_s,
                detail=owned.stays,
            )

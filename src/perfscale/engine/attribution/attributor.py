"""Finds out where the time of slow objects goes, beside the load, and keeps what it finds.

Nothing is asked before an object is slow. What is asked then goes out at a rate of its own, which
takes nothing from the load's, and is counted among the requests of the run, and of no iteration.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from perfscale.config import counted
from perfscale.engine.attribution.evidence import MOST_EVENTS, Evidence
from perfscale.engine.attribution.reading import ClusterReader
from perfscale.engine.attribution.slowness import (
    LateObjects,
    SlowestSoFar,
    slow_after_s,
    slowest_of,
)
from perfscale.engine.attribution.splitting import Wait, split
from perfscale.engine.attribution.times import NOTHING_SEEN, OwnTimes, ServerClock
from perfscale.engine.concurrency import run_bounded
from perfscale.kube.ratelimit import RateLimiter
from perfscale.results import (
    AttributedObject,
    AttributionCounts,
    AttributionEntry,
    AttributionResult,
    Outcome,
    slowest_first,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from perfscale.engine.context import RunContext
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject

_log = logging.getLogger(__name__)

_REQUESTS_A_LOOK: Final = 5
"""What an instance or a pod needs, with a volume; so many of each object may go at once."""
_AT_ONCE: Final = 8
"""Objects that are looked at beside each other."""
_LOOK_AGAIN_S: Final = 900.0
"""How often one is looked at that stays unready: its events are kept for an hour."""
CLOSING_S: Final = 2.0
"""How long what follows a wait may be put off, in order to look at what was slow in it."""


@dataclass(slots=True)
class _Case:
    """What is known of a slow object.

    Attributes:
        evidence: What was seen of it.
        is_due: Whether it is to be looked at, or is being.
        is_final: Whether nothing more is to be seen: it was looked at when its wait was over.
        found: What it comes to; None before the first look.
    """

    evidence: Evidence = field(default_factory=Evidence)
    is_due: bool = False
    is_final: bool = False
    found: AttributedObject | None = None


class Attributor:
    """Finds out why objects of a run are slow.

    Args:
        context: The run's.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._config = config = context.config.global_config.attribution
        self._slowest = SlowestSoFar["TrackedObject"](config.objects, _took_s)
        self._cases: dict[TrackedObject, _Case] = {}
        self._late: dict[IterationScope, LateObjects[TrackedObject]] = {}
        self._queue: dict[TrackedObject, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._bug: str | None = None
        rate = context.shard.rate(config.requests_per_second)
        burst = _REQUESTS_A_LOOK * max(1, config.objects)
        client = context.client.limited(RateLimiter(rate, burst), context.inputs.meter)
        context.clients.append(client)
        self._reader = ClusterReader(client, context.stopwatch.now)
        context.find_slow, context.examine = self.find_slow, self.examine
        if config.objects:
            self._journal("", None)

    @property
    def result(self) -> AttributionResult | None:
        """What was found out so far; None if that is turned off."""
        if not self._config.objects:
            return None
        found = (case.found for case in self._cases.values())
        return AttributionResult(
            objects=slowest_first(each for each in found if each is not None),
            counts=self._counts,
        )

    @property
    def _counts(self) -> AttributionCounts:
        return AttributionCounts(
            limit=self._config.objects,
            requests=self._reader.requests,
            passed_over=self._slowest.passed_over,
            problems=tuple(self._problems()),
        )

    def _problems(self) -> Iterator[str]:
        yield from self._reader.refusals
        if self._bug is not None:
            yield self._bug
        unseen = sum(
            case.found is None and row.outcome is not Outcome.FAILED
            for row, case in self._cases.items()
        )
        if self._is_closed and unseen:
            yield f"{counted(unseen, 'slow object')} could not be looked at in time"

    # -- while the run goes on ----------------------------------------------

    def tick(self) -> None:
        """Find the objects that have become slow, and look at them; called every second."""
        if not self._config.objects or self._is_closed:
            return
        now_s = self._context.stopwatch.now()
        iterations = self._context.iterations
        for scope in [each for each in self._late if each not in iterations]:
            del self._late[scope]
        for scope, iteration in iterations.items():
            if scope.undecided and scope.accepts_readiness and not scope.deletion_requested:
                self._find_late(scope, set(iteration.requested), now_s)
        for row, case in self._cases.items():
            is_over = row.decided and not case.is_final
            is_stale = now_s - case.evidence.looked_s > _LOOK_AGAIN_S and not row.decided
            if (is_over or is_stale) and row.present and not case.is_due:
                self._enqueue(row, case)

    def _find_late(self, scope: IterationScope, kinds: set[str], now_s: float) -> None:
        late = self._late.get(scope)
        if late is None:
            late = self._late[scope] = LateObjects(self._config.after)
        bounds: dict[str, float] = {}
        for row in late.find(scope.objects, now_s):
            kind = row.resource.kind_name
            if kind not in bounds:
                bounds[kind] = self._slow_after_s(scope.workload, kind)
            if _took_s(row, now_s) < bounds[kind]:
                kinds.discard(kind)  # and so all of it that come
            elif not self._offer(row, now_s):
                return  # all that come have not taken as long
            if not kinds:
                return

    def _slow_after_s(self, workload: str, kind: str) -> float:
        latency = self._context.counter.ready_latency_of(workload, kind)
        return slow_after_s(self._config.after, self._config.factor, latency.p50, latency.count)

    def _offer(self, row: TrackedObject, now_s: float) -> bool:
        """Take an object, if it is among the slowest; whether it is now."""
        if row.uid is None or not row.present:
            return True
        is_new, evicted = self._slowest.offer(row, now_s)
        if evicted is not None:
            self._drop(evicted)
        if is_new:
            case = self._cases[row] = _Case()
            self._enqueue(row, case)
        return row in self._slowest

    def _drop(self, row: TrackedObject) -> None:
        """Another one is slower: nothing is kept of this one."""
        self._queue.pop(row, None)
        case = self._cases.pop(row, None)
        if case is not None and case.found is not None:
            self._journal(case.found.uid, None)

    def _enqueue(self, row: TrackedObject, case: _Case) -> None:
        case.is_due = True
        self._queue[row] = None
        if self._task is None or self._task.done():
            self._task = self._context.tasks.create_task(
                self._look_at_all(), name="perfscale-attribution"
            )

    async def _look_at_all(self) -> None:
        while self._queue and not self._is_closed:
            rows, self._queue = list(self._queue), {}
            await self._look_at(self._look, rows)

    async def _look_at(
        self, look: Callable[[TrackedObject], Awaitable[None]], rows: Iterable[TrackedObject]
    ) -> None:
        """Look at objects; a bug in that is no reason to end a load."""
        try:
            await run_bounded((partial(look, row) for row in rows), limit=_AT_ONCE)
        except Exception as error:  # noqa: BLE001 -- logged, and shown as a warning
            _log.debug("attribution ends", exc_info=error)
            self._is_closed = True
            self._bug = f"why objects are slow is not looked into any more: {error!r}"
            self._context.warn(self._bug)

    async def _look(self, row: TrackedObject) -> None:
        case = self._cases.get(row)
        if case is None or case.is_final or row.uid is None:
            return  # another one has taken its place, or all is known
        was_decided = row.decided
        seen = await self._reader.look(row.resource, row.namespace, row.name, row.uid)
        case.evidence.add(seen)
        case.is_due, case.is_final = False, was_decided
        if self._cases.get(row) is case:
            self._conclude(row, case)

    def _conclude(self, row: TrackedObject, case: _Case) -> None:
        """Split its time by what is known of it, and keep that."""
        if row.uid is None or row.sent_s is None or row.outcome is Outcome.FAILED:
            return
        is_ready = row.ready_s is not None
        until_s = row.ready_s if row.ready_s is not None else case.evidence.looked_s
        inputs = self._context.inputs
        parts = split(
            case.evidence,
            Wait(row.sent_s, max(until_s, row.sent_s), is_ready),
            ServerClock(inputs.info.started_at, inputs.meter.offset()),
            self._own_times(row, case.evidence),
        )
        case.found = AttributedObject(
            kind=row.resource.kind_name,
            namespace=row.namespace,
            name=row.name,
            uid=row.uid,
            workload=row.scope.workload,
            iteration=row.scope.iteration,
            ready=is_ready,
            sent_s=row.sent_s,
            until_s=max(until_s, row.sent_s),
            segments=parts.segments,
            conditions=case.evidence.conditions,
            events=tuple(event for _, event in case.evidence.events.values())[-MOST_EVENTS:],
            pods=tuple(each.kept for each in case.evidence.pods.values()),
            notes=parts.notes,
            looks=case.evidence.looks,
        )
        self._journal(row.uid, case.found)

    def _own_times(self, row: TrackedObject, evidence: Evidence) -> OwnTimes:
        """What the run's watches saw of its instance."""
        if evidence.instance is None:
            return NOTHING_SEEN
        if evidence.instance.uid == row.uid:
            return OwnTimes(row.created_s, dict(row.phases_s.items()))
        instance = self._context.tracker.row_of(evidence.instance.uid)
        if instance is None:
            return NOTHING_SEEN
        return OwnTimes(instance.created_s, dict(instance.phases_s.items()))

    def _journal(self, uid: str, found: AttributedObject | None) -> None:
        context = self._context
        now_s, shard = context.stopwatch.now(), context.shard.journaled
        context.journal.append(AttributionEntry(now_s, uid, found, self._counts, shard))

    # -- when a wait is over -------------------------------------------------

    def find_slow(self, scopes: Sequence[IterationScope]) -> list[TrackedObject]:
        """What was slow in iterations whose wait is over, and is to be looked at once more.

        The slowest that are ready and took some time, and those that are not ready.
        """
        if not self._config.objects or self._is_closed:
            return []
        now_s = self._context.stopwatch.now()
        rows = slowest_of(self._candidates(scopes), self._config.objects, _took_s, now_s)
        for row in rows:
            self._offer(row, now_s)
        wanted = [
            row for row, case in self._cases.items() if row.scope in scopes and not case.is_final
        ]
        for row in wanted:
            if row in self._queue:  # `examine` reads it; if that comes late, `tick` does before
                del self._queue[row]
                self._cases[row].is_due = False
        return wanted

    async def examine(self, rows: Sequence[TrackedObject]) -> None:
        """Look at slow objects whose wait is over, before anything is deleted.

        It takes `CLOSING_S` at most; what was not looked at by then is left out.
        """
        wanted = [row for row in rows if row in self._cases]
        if not wanted or self._is_closed:
            return
        for row in wanted:
            self._queue.pop(row, None)
            self._cases[row].is_due = True
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._look_at(self._look_finally, wanted)
        except TimeoutError:
            _log.info("not all slow objects were looked at in time")

    async def _look_finally(self, row: TrackedObject) -> None:
        await self._look(row)
        if (case := self._cases.get(row)) is not None:
            case.is_final = True

    def _candidates(self, scopes: Iterable[IterationScope]) -> Iterable[TrackedObject]:
        for scope in scopes:
            for row in scope.objects:
                if row.sent_s is None or not row.present:
                    continue
                if row.outcome is Outcome.UNREADY or (
                    row.outcome is Outcome.READY and _took_s(row, row.sent_s) >= self._config.after
                ):
                    yield row

    def close(self) -> None:
        """Look at nothing more; what became ready since its last look counts until then."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
        for row, case in self._cases.items():
            if case.found is not None and row.ready_s is not None and not case.found.ready:
                self._conclude(row, case)
        if self._config.objects:
            self._journal("", None)


def _took_s(row: TrackedObject, now_s: float) -> float:
    """How long an object has taken until it was ready, or until now."""
    if row.sent_s is None:
        return 0.0
    return (now_s if row.ready_s is None else row.ready_s) - row.sent_s

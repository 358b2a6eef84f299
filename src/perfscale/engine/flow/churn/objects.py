"""Churn: rounds in which some of what a workload has made is deleted, and as much is made anew.

A round deletes what it draws, one by one and with the UID as precondition, waits until that is
gone, creates as many with replica numbers that were never used, and waits until those are ready.
What is gone is written down and forgotten then, so that rounds cost no memory.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

from perfscale.config import counted, format_duration
from perfscale.engine.concurrency import run_bounded
from perfscale.engine.events import RoundStarted, Stage
from perfscale.engine.flow.churn.replicas import (
    families_of,
    is_namespace,
    released_in_pages,
    replaceable,
)
from perfscale.engine.flow.churn.rounds import Rounds, chance_of
from perfscale.engine.load.creation import failure_text, planned_objects
from perfscale.engine.removal.deletion import CONCURRENCY, delete_object
from perfscale.engine.removal.last_look import describe_staying
from perfscale.engine.sharding.coordination import Arrival, Moment
from perfscale.engine.tracking.readiness import Identity
from perfscale.engine.tracking.stuck import describe_failed, describe_unready
from perfscale.errors import ApiError
from perfscale.templates import WORTH_COMPILING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.config import Workload
    from perfscale.config.sections.churn import Churn
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.accounting.run_accounting import RunAccounting
    from perfscale.engine.context import RunContext
    from perfscale.engine.flow.churn.replicas import Replica
    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.creation import Creator, PlannedObject
    from perfscale.engine.load.pacing import Pacing
    from perfscale.engine.sharding.coordination import Release
    from perfscale.engine.tracking.rows import TrackedObject

_MOST_SENTENCES: Final = 5


@dataclass(slots=True, eq=False)
class _State:
    """The churn of one workload.

    Attributes:
        last: The last iteration, whose problems those of the churn are.
        churn: What the workload file says of it.
        pacing: How creates follow each other.
        chance: What draws.
        used: How many replica numbers of each template of each iteration were used.
        round: The number of the round that goes on.
    """

    last: IterationContext
    churn: Churn
    pacing: Pacing
    chance: random.Random
    used: dict[tuple[int, int], int] = field(default_factory=dict)
    round: int = 0

    @property
    def workload(self) -> Workload:
        return self.last.workload


class Churner:
    """Replaces objects of workloads; it keeps nothing of any."""

    def __init__(
        self,
        context: RunContext,
        creator: Creator,
        accounting: RunAccounting,
        progress: ProgressPublisher,
    ) -> None:
        self._context = context
        self._creator = creator
        self._accounting = accounting
        self._progress = progress

    async def run(self, pacing: Pacing, last: IterationContext) -> None:
        """Replace objects round by round, once those of the last iteration are ready.

        A round that does not go well is the last; what went wrong is among the problems of the
        last iteration. So is an object that failed before: then there is no round.
        """
        workload, context = last.workload, self._context
        failed = any(each.scope.failed for each in context.iterations_of(workload))
        went_well = not last.problems and not failed
        seed, churn = context.config.global_config.seed, workload.churn
        if churn is None:
            return
        state = _State(last, churn, pacing, chance_of(seed, workload.name))
        rounds = Rounds(churn, context.stopwatch.now())
        for number in count(1):
            pause_s = rounds.pause_before(number, context.stopwatch.now())
            begins = went_well and pause_s is not None
            state.round = number
            if not await self._agree(state, Moment.ROUND, begins) or pause_s is None:
                break
            state.round = number - 1  # the pause is the last one's
            await self._pause(state, pause_s)
            state.round = number
            if not await self._replace(state):
                break

    async def _replace(self, state: _State) -> bool:
        """One round; whether it went well."""
        drawn = await self._draw(state)
        gone = await self._delete(state, drawn)
        release = await self._context.reach(
            Moment.ROUND_DELETED,
            state.workload,
            state.last.number,
            round_number=state.round,
            arrival=Arrival(gone, objects=self._objects_of(drawn)),
        )
        if not release.well:
            return False
        await self._pause(state, state.churn.recreation_delay)
        ready = await self._create(state, drawn, release)
        return await self._agree(state, Moment.ROUND_OVER, ready)

    def _objects_of(self, drawn: Iterable[Replica]) -> dict[int, dict[str, int]]:
        """The objects of replicas, by iteration and kind."""
        found: dict[int, dict[str, int]] = {}
        resources = self._context.plan.resources
        for replica in drawn:
            kinds = found.setdefault(replica.iteration.number, {})
            for key in replica.iteration.factories[replica.entry].kinds:
                name = resources[key].kind_name
                kinds[name] = kinds.get(name, 0) + 1
        return found

    async def _agree(self, state: _State, moment: Moment, well: bool) -> bool:
        """Come to a barrier of the round; whether all is well everywhere."""
        where = moment, state.workload, state.last.number
        return await self._context.agree(*where, round_number=state.round, well=well)

    async def _pause(self, state: _State, pause_s: float) -> None:
        """Pause in a round, or after it."""
        if pause_s:
            self._enter(state, Stage.PAUSING)
            await asyncio.sleep(pause_s)

    async def _draw(self, state: _State) -> list[Replica]:
        """As many replicas as a round replaces here, at random, in their own order."""
        context = self._context
        present = replaceable(self._context.iterations_of(state.workload))
        release = await context.reach(
            Moment.DRAW,
            state.workload,
            state.last.number,
            round_number=state.round,
            arrival=Arrival(count=len(present)),
        )
        total = state.churn.replaced_of(sum(release.counts))
        context.broadcast.send(
            RoundStarted(state.workload.name, state.round, state.churn.rounds, total)
        )
        wanted = context.shard.draw(total, release.counts)
        return [present[n] for n in sorted(state.chance.sample(range(len(present)), wanted))]

    def _enter(self, state: _State, stage: Stage, *, bounded: bool = False) -> None:
        enter = self._progress.enter_iteration
        enter(state.last, stage, bounded=bounded, round_number=state.round)

    # -- deletion ----------------------------------------------------------

    async def _delete(self, state: _State, drawn: Sequence[Replica]) -> bool:
        """Delete them, and wait until they and what was made for them are gone."""
        self._enter(state, Stage.DELETING)
        families = families_of(drawn)
        refused: list[str] = []
        deletes = (
            partial(self._delete_one, state, replica.iteration, row, families, refused)
            # A namespace takes everything in it along, which would not be measured then.
            for namespaces in (False, True)
            for replica in drawn
            for row in replica.rows
            if is_namespace(row) is namespaces
        )
        await run_bounded(deletes, limit=CONCURRENCY)
        if refused:
            self._fail(state, refused)
            return False
        self._enter(state, Stage.WAITING_GONE, bounded=True)
        rows = [row for replica in drawn for row in replica.rows]
        timeout_s = state.workload.max_wait_timeout
        end_s = self._context.stopwatch.now() + timeout_s
        gone = await self._gone(rows, timeout_s)
        families = families_of(drawn)  # once more: what made children may have gone on meanwhile
        children = [child for family in families.values() for child in family]
        if not gone or not await self._gone(children, end_s - self._context.stopwatch.now()):
            scopes = {replica.iteration.scope: None for replica in drawn}
            why = [why for scope in scopes for why in await describe_staying(self._context, scope)]
            self._time_out(state, "what was deleted to be gone", why)
            return False
        if self._has_failed(state):
            return False
        await self._accounting.write_released(released_in_pages(drawn, families))
        return True

    async def _delete_one(
        self,
        state: _State,
        iteration: IterationContext,
        row: TrackedObject,
        families: dict[str, list[TrackedObject]],
        refused: list[str],
    ) -> None:
        context, uid = self._context, row.uid
        if uid is None or not row.present:
            return
        context.replace(row, state.round)
        for child in families.get(uid, ()):
            context.replace(child, state.round)
        try:
            identity = Identity(row.name, uid, row.namespace)
            await delete_object(iteration.client, row.resource, identity)
        except ApiError as error:
            refused.append(f"deleting {row.resource.kind_name} {row.name}: {failure_text(error)}")

    async def _gone(self, rows: Iterable[TrackedObject], timeout_s: float) -> bool:
        """Whether all of them were gone in time."""
        waiting = list(rows)

        def are_gone() -> bool:
            while waiting and not waiting[-1].present:
                waiting.pop()
            return not waiting

        return await self._context.changed.wait_until(are_gone, timeout_s=max(0.0, timeout_s))

    # -- creation ----------------------------------------------------------

    async def _create(self, state: _State, gone: Sequence[Replica], release: Release) -> bool:
        """Create as many as are gone, of the same templates, and wait until they are ready.

        ``release`` has what all generators are to create.
        """
        self._enter(state, Stage.CREATING)
        groups: dict[tuple[int, int], list[int]] = {}
        for replica in gone:
            key = (replica.iteration.number, replica.entry)
            groups.setdefault(key, []).append(replica.rows[0].replica or 0)
        iterations = {replica.iteration.number: replica.iteration for replica in gone}
        objects: dict[int, list[PlannedObject]] = {number: [] for number in iterations}
        for (number, entry), replicas in sorted(groups.items()):
            objects[number] += self._plan(state, iterations[number], entry, replicas)
        for number, planned in objects.items():
            kinds = Counter(each.resource.kind_name for each in planned)
            whole = release.objects_of(number)
            self._accounting.open_round(iterations[number], state.round, kinds, whole)
        for namespaces in (True, False):  # they come before what goes into them
            creates = (
                partial(self._creator.create, some, iterations[number], pacing=state.pacing)
                for number, planned in objects.items()
                if (some := [each for each in planned if is_namespace(each) is namespaces])
            )
            await run_bounded(creates, limit=CONCURRENCY)
        return await self._wait_ready(state, list(iterations.values()))

    def _plan(
        self, state: _State, iteration: IterationContext, entry: int, gone: Sequence[int]
    ) -> Iterator[PlannedObject]:
        """As many replicas of a template as are gone."""
        factory = iteration.factories[entry]
        expected = self._context.rules.expected(factory)
        resources = [self._context.plan.resources[key] for key in factory.kinds]
        namespace = factory.namespace(iteration.number)
        render = factory.render if len(gone) >= WORTH_COMPILING else factory.render_slowly
        for replica in self._numbers(state, iteration, entry, gone):
            requests = render(iteration.number, replica)
            where = (namespace, entry, replica)
            yield from planned_objects(*where, resources, requests, expected, state.round)

    def _numbers(
        self, state: _State, iteration: IterationContext, entry: int, gone: Sequence[int]
    ) -> Sequence[int]:
        """Numbers that were never used; in a job of kube-burner those of what is gone."""
        if state.workload.kube_burner is not None:
            return sorted(gone)
        key, shard = (iteration.number, entry), self._context.shard
        used = state.used.get(key, 0)
        state.used[key] = used + len(gone)
        first = iteration.factories[entry].spec.replicas + 1 + shard.index + used * shard.count
        return range(first, first + len(gone) * shard.count, shard.count)

    async def _wait_ready(self, state: _State, iterations: Sequence[IterationContext]) -> bool:
        self._enter(state, Stage.WAITING_READY, bounded=True)
        waiting = [each.scope for each in iterations]

        def are_decided() -> bool:
            while waiting and waiting[-1].undecided == 0:
                waiting.pop()
            return not waiting

        in_time = await self._context.changed.wait_until(
            are_decided, timeout_s=state.workload.max_wait_timeout
        )
        tracker = self._context.tracker
        for iteration in iterations:
            scope = iteration.scope
            tracker.close_readiness(scope)
            new = [row for row in scope.objects if row.round == state.round]
            self._context.adopt(scope, new, state.round)
        if not in_time:
            why = [why for each in iterations for why in describe_unready(each.scope)]
            self._time_out(state, "what was created to be ready", why)
            return False
        return not self._has_failed(state)

    # -- problems ----------------------------------------------------------

    def _has_failed(self, state: _State) -> bool:
        """Whether an object failed; those of the last iteration are described with it."""
        failed = [each for each in self._context.iterations_of(state.workload) if each.scope.failed]
        others = [each for each in failed if each is not state.last]
        if others:
            numbers = ", ".join(str(each.number) for each in others)
            sentences = [why for each in others for why in describe_failed(each.scope)]
            self._fail(state, [f"objects of iteration {numbers} failed", *sentences])
        return bool(failed)

    def _time_out(self, state: _State, what: str, why: Sequence[str]) -> None:
        after = format_duration(state.workload.max_wait_timeout)
        self._fail(state, [f"timed out after {after} waiting for {what}", *why])

    def _fail(self, state: _State, problems: Sequence[str]) -> None:
        shown, rest = problems[:_MOST_SENTENCES], problems[_MOST_SENTENCES:]
        state.last.problems += [f"round {state.round} of churn: {each}" for each in shown]
        if rest:
            state.last.problems.append(
                f"round {state.round} of churn: {counted(len(rest), 'problem')} more"
            )

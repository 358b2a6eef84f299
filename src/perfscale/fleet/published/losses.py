"""What lost generators have left: it is counted, and its end recorded."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import UNSET

from perfscale.config.labels import (
    ITERATION_LABEL,
    RUN_LABEL,
    SHARD_LABEL,
    WORKLOAD_LABEL,
    selector_of,
)
from perfscale.engine.accounting.due import due_of
from perfscale.engine.removal.by_uid import ObjectReference, RemovalByUid
from perfscale.engine.sharding.shard import COORDINATOR, Shard
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.engine.waits import Signal
from perfscale.errors import PerfscaleError
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.results import ChangeEntry, DueEntry, LostObjectsEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perfscale.engine.context import RunContext
    from perfscale.fleet.members import Member, Members
    from perfscale.results import AnyEntry, Replay

_LISTING_S: Final = 30.0
_LOOKING_S: Final = 10.0
_DECODER: Final = page_decoder(AnyObject)


class _Found(NamedTuple):
    """An object of the generator; ``part`` is the number that it is counted with."""

    part: int | None
    where: tuple[str, str | None, str]


class LostSearch:
    """Finds the objects of a lost generator that are in none of its entries.

    Args:
        context: The coordinator's.
        replay: What the generators have published comes to.
        shard: The generator's; it sends nothing any more.
        has_begun: Whether operations of a workload's iteration may have been sent.
    """

    def __init__(
        self,
        context: RunContext,
        replay: Replay,
        shard: int,
        has_begun: Callable[[str, int], bool],
    ) -> None:
        self._context = context
        self._shard = shard
        self._parts = replay.parts_of(shard)
        # An object of an iteration of which it has said nothing counts with the coordinator's part.
        self._others = replay.parts_of(COORDINATOR)
        self._known: set[str] = set()
        self._unanswered: dict[tuple[str, str | None, str], int] = {}
        for number, life in replay.lives_of(shard):
            if life.uid is not None:
                self._known.add(life.uid)
            elif life.unanswered:
                self._unanswered[life.resource.kind_name, life.namespace, life.name] = number
        creating = {each.name for each in context.config.workloads if each.does.creates}
        self._lost: dict[int, Counter[str]] = {
            number: Counter()
            for (workload, _), number in self._parts.items()
            if workload in creating
        }
        self._idle = [
            number
            for (workload, iteration), number in self._parts.items()
            if workload not in creating and not has_begun(workload, int(iteration))
        ]

    async def run(self) -> list[AnyEntry]:
        """The entries to record about it.

        What cannot be listed in time is a warning: it is not counted then.
        """
        context, complete = self._context, True
        entries: list[AnyEntry] = []
        created = {resource.name for resource in context.plan.resources.values()}
        try:
            async with asyncio.timeout(_LISTING_S):
                for place in context.plan.places:
                    if place != Place(NAMESPACES) and place.resource.name in created:
                        entries += self._of_place(place, await self._list(place))
        except (TimeoutError, PerfscaleError) as error:
            complete, why = False, str(error) or f"no answer within {_LISTING_S:g} s"
            left = f"what generator {self._shard} has left could not all be counted"
            context.warn(f"{left}: {why}")
        lost = self._lost.items()
        entries += [LostObjectsEntry(part, dict(counts), complete) for part, counts in lost]
        entries += [LostObjectsEntry(part, {}, complete=True) for part in self._idle]
        return entries

    async def _list(self, place: Place) -> dict[str, _Found]:
        """By UID."""
        pages = read_pages(
            self._context.client,
            place.resource,
            _DECODER,
            namespace=place.namespace,
            label_selector=selector_of(
                {RUN_LABEL: self._context.run_id, SHARD_LABEL: str(self._shard)}
            ),
        )
        found: dict[str, _Found] = {}
        kind = place.resource.kind_name
        async for page in pages:
            if page.first:
                found.clear()
            for item in page.items:
                metadata, labels = item.metadata, item.metadata.labels or {}
                if not metadata.owner_references:  # else a controller has made it
                    labelled = labels.get(WORKLOAD_LABEL, ""), labels.get(ITERATION_LABEL, "")
                    where = kind, metadata.namespace, metadata.name
                    part = self._parts.get(labelled, self._others.get(labelled))
                    found[metadata.uid] = _Found(part, where)
        return found

    def _of_place(self, place: Place, found: dict[str, _Found]) -> Iterator[AnyEntry]:
        for uid, each in found.items():
            if uid in self._known:
                continue
            number = self._unanswered.get(each.where)
            if number is not None:  # its create was sent, and this is the answer
                yield ChangeEntry(n=number, uid=uid)
            elif each.part is not None:
                counts = self._lost.setdefault(each.part, Counter())
                counts[place.resource.kind_name] += 1


class Losses:
    """The objects of generators that are lost, or that do not see what happens to theirs.

    Args:
        context: The coordinator's.
        replay: What the generators have published comes to.
        members: The generators.
        take: Counts an entry, and writes it down.
        has_begun: As `LostSearch` takes it.

    Attributes:
        published: To be notified of what generators publish.
        overdue: The workloads of which a wait for deletions timed out.
    """

    def __init__(
        self,
        context: RunContext,
        replay: Replay,
        members: Members,
        take: Callable[[AnyEntry], None],
        has_begun: Callable[[str, int], bool],
    ) -> None:
        self.published = Signal()
        self.overdue: set[str] = set()
        self._context = context
        self._replay = replay
        self._members = members
        self._take = take
        self._has_begun = has_begun
        self._removing_s = 0.0
        self._members_of: dict[int, Member] = {}
        self._unseen_since_s: dict[str, float] = {}

    async def search(self) -> None:
        """Find what they have left; what is there is deleted after that."""
        for member in self._members.lost:
            search = LostSearch(self._context, self._replay, member.shard, self._has_begun)
            for entry in (*await search.run(), *self._due(member.shard)):
                self._take(entry)
        self._removing_s = self._context.stopwatch.now()

    def _due(self, shard: int) -> Iterator[DueEntry]:
        """Of loads that end by their time: what was due of it by now, and not what was ahead."""
        context, now = self._context, self._context.stopwatch.now()
        own = Shard(shard, context.shard.count)
        parts = self._replay.parts_of(shard)
        for iteration in context.iterations.values():
            number = parts.get((iteration.workload.name, str(iteration.number)))
            known = None if number is None else self._replay.due_of(number)
            if known is None or not iteration.ends:
                continue
            began_s = now if iteration.load_began_s is None else iteration.load_began_s
            due = due_of(context, iteration, own, now - began_s)
            if due is not None:
                requested = {kind: min(n, due.get(kind, 0)) for kind, n in known.requested.items()}
                yield DueEntry(known.i, now, requested)

    def left(self) -> Iterator[tuple[int, ObjectReference]]:
        """The objects that are there, as far as generators have published, with their numbers.

        Of a lost one nothing more will come; another may not see what happens to its own.
        """
        plan = self._context.plan
        known = (*plan.resources.values(), *plan.child_resources)
        resources = {each.kind_name: each for each in known}
        for member in self._members.all:
            for number, life in self._replay.lives_of(member.shard):
                resource = resources.get(life.resource.kind_name)
                if life.uid is not None and life.present and resource is not None:
                    self._members_of[number] = member
                    yield number, ObjectReference(resource, life.namespace, life.name, life.uid)

    async def wait_until_seen(self, bound_s: float) -> None:
        """Wait until all that are not lost have published the end of their objects, or time out."""
        await self.published.wait_until(lambda: not self._is_anything_unseen(), timeout_s=bound_s)

    def _is_anything_unseen(self) -> bool:
        return any(
            life.uid is not None and life.present
            for member in self._members.all
            if member.loss is None
            for _, life in self._replay.lives_of(member.shard)
        )

    def note_gone(self, number: int) -> None:
        """Record that an object is gone; nobody has seen when it went."""
        life, now = self._replay.object_life(number), self._context.stopwatch.now()
        if life is None or not life.present:
            return
        kind, member = life.resource.kind_name, self._members_of[number]
        requested_s = life.delete_requested_s
        seen_s = self._removing_s if requested_s is None else requested_s
        if member.loss is not None:
            seen_s = member.heard_s
        self._unseen_since_s[kind] = min(self._unseen_since_s.get(kind, now), seen_s)
        self._take(
            ChangeEntry(
                n=number,
                delete_requested_s=self._removing_s if requested_s is None else UNSET,
                deleted_s=now,
            )
        )

    def note_blind(self) -> None:
        """Record in which time nothing was seen of what is gone.

        It begins with the request for its deletion, or with the last message of a lost generator.
        """
        gaps, now = self._context.gaps, self._context.stopwatch.now()
        for place in self._context.plan.places:
            kind, namespace = place.resource.kind_name, place.namespace
            since_s = self._unseen_since_s.get(kind)
            if since_s is not None:
                gaps.record(*gaps.blind.lose(kind, namespace, since_s))
                if (regained := gaps.blind.regain(kind, namespace, now)) is not None:
                    gaps.record(*regained)
        self._unseen_since_s.clear()

    async def look(self) -> None:
        """Read what no generator has seen go within the wait for it: one may be cut off.

        What nothing waited for may go at any time, and generators see that by themselves.
        """
        if not self.overdue:
            return
        numbers = {
            reference: number
            for number, reference in self.left()
            if (life := self._replay.object_life(number)) is not None
            and life.delete_requested_s is not None
            and life.scope.workload in self.overdue
        }
        looking = RemovalByUid(
            self._context.client, numbers, lambda reference: self.note_gone(numbers[reference])
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOKING_S):
                await looking.look()
        self.note_blind()

"""Whatever way the news of the same events takes, the tracker comes to the same counts.

A history is what really happens in a cluster. It reaches the tracker on two ways that know
nothing of each other: as answers to creates, and through the watches. A watch hands over its
events in their order, but may tell some of them again (it is resumed from before), or miss some
and list what there is instead. An answer may come at any time, or be lost.

Three things are not the same by design, and so no history here has them, or no count is made of
them: an object that was ready for a moment only, and was not seen in it, is not ready; what is
seen after its deletion was asked for, or its wait was over, does not count as ready or failed;
and a child that came and went unseen is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracker_story import VM, VMI

from perfscale.config.labels import run_labels
from perfscale.engine.accounting.journal_feed import JournalFeed
from perfscale.engine.sharding.portion import Requested
from perfscale.engine.tracking.readiness import Metadata, OwnerReference, Reading
from perfscale.engine.tracking.rows import TrackedObject, Transition, TransitionKind
from perfscale.engine.tracking.tracker import Tracker
from perfscale.kube.resources import Place, Resource
from perfscale.results import (
    Accounts,
    AnyEntry,
    Entry,
    ObjectRecord,
    Outcome,
    RunInfo,
    RunResult,
    WorkloadPlan,
    accounts_of,
)
from perfscale.results.journal.entries import Begin
from perfscale.results.journal.replay import Replay

RUNNING = ("Pending", "Scheduling", "Scheduled", "Running")
FATES = ("ready", "fails", "succeeds", "fails when ready", "stuck", "vanishes", "vanishes at once")
ANSWERS = ("created", "lost", "another", "refused")
"""The create is answered; its answer is lost; the first object vanishes after its answer was
lost, and another try makes a second; it is refused, and nothing is created."""


@dataclass(frozen=True)
class Plan:
    """What becomes of one object."""

    name: str
    fate: str
    answer: str
    has_child: bool

    @property
    def resource(self) -> Resource:
        return VM if self.has_child else VMI


@dataclass(frozen=True)
class Happening:
    """Something that happened to an object: an event, with the version as its time."""

    resource: Resource
    type: str
    metadata: Metadata
    phase: str | None

    @property
    def reading(self) -> Reading:
        failure = "it ended" if self.phase in {"Failed", "Succeeded"} else None
        detail = f"{self.phase} still" if self.phase in RUNNING[:2] else None
        return Reading(
            phase=self.phase, ready=self.phase == "Running", failure=failure, detail=detail
        )


class History:
    """Everything that happens, up to the deletion and from there on."""

    def __init__(self, plans: list[Plan], order: Callable[[int], int]) -> None:
        self._version = 100
        self.plans = plans
        self.answers: dict[str, Metadata] = {}
        self.present: dict[str, Happening] = {}
        self.life = list(self._merge([self._live(plan) for plan in plans], order))
        self.half_time = dict(self.present)
        leaving = [self._leave(happening) for happening in self.half_time.values()]
        self.end = list(self._merge(leaving, order))

    @staticmethod
    def _merge(
        stories: list[Iterator[Happening]], order: Callable[[int], int]
    ) -> Iterator[Happening]:
        while stories:
            story = stories[order(len(stories))]
            try:
                yield next(story)
            except StopIteration:
                stories.remove(story)

    def _happen(
        self, resource: Resource, type_: str, name: str, uid: str, phase: str | None = None,
        owner: str | None = None,
    ) -> Happening:  # fmt: skip
        self._version += 1
        metadata = Metadata(
            name=name,
            uid=uid,
            namespace="ns",
            resource_version=str(self._version),
            labels=run_labels("run", "density", 1),
            owner_references=[OwnerReference(owner)] if owner else None,
        )
        happening = Happening(resource, type_, metadata, phase)
        if type_ == "DELETED":
            del self.present[uid]
        else:
            self.present[uid] = happening
        return happening

    def _live(self, plan: Plan) -> Iterator[Happening]:
        if plan.answer == "refused":
            return
        uid = f"{plan.name}-uid"
        if plan.answer == "another":
            yield self._happen(plan.resource, "ADDED", plan.name, "old-" + uid)
            yield self._happen(plan.resource, "MODIFIED", plan.name, "old-" + uid, "Pending")
            yield self._happen(plan.resource, "DELETED", plan.name, "old-" + uid, "Pending")
        created = self._happen(plan.resource, "ADDED", plan.name, uid)
        if plan.answer != "lost":
            self.answers[plan.name] = created.metadata
        yield created
        if plan.has_child:
            yield self._happen(VMI, "ADDED", plan.name, "child-" + uid, owner=uid)
        for phase in {"stuck": RUNNING[:2], "vanishes at once": ()}.get(plan.fate, RUNNING):
            if plan.has_child:
                yield self._happen(VMI, "MODIFIED", plan.name, "child-" + uid, phase, uid)
            if phase == "Running" and plan.fate == "fails":
                break
            yield self._happen(plan.resource, "MODIFIED", plan.name, uid, phase)
        yield from self._meet_fate(plan, uid)

    def _meet_fate(self, plan: Plan, uid: str) -> Iterator[Happening]:
        ending = {"fails": "Failed", "fails when ready": "Failed", "succeeds": "Succeeded"}
        if plan.fate in ending:
            yield self._happen(plan.resource, "MODIFIED", plan.name, uid, ending[plan.fate])
        if plan.fate.startswith("vanishes"):
            last = self.present[uid].phase
            yield self._happen(plan.resource, "DELETED", plan.name, uid, last)
            if plan.has_child:
                yield self._happen(VMI, "DELETED", plan.name, "child-" + uid, last)

    def _leave(self, last: Happening) -> Iterator[Happening]:
        name, uid = last.metadata.name, last.metadata.uid
        yield self._happen(last.resource, "MODIFIED", name, uid, "Succeeded")
        yield self._happen(last.resource, "DELETED", name, uid, "Succeeded")


@dataclass
class Stream:
    """A watch on one resource."""

    resource: Resource
    happenings: list[Happening]
    state: dict[str, Happening]
    position: int = 0
    start: dict[str, Happening] = field(init=False)

    def __post_init__(self) -> None:
        self.start = {
            uid: each for uid, each in self.state.items() if each.resource is self.resource
        }
        self.happenings = [each for each in self.happenings if each.resource is self.resource]

    @property
    def ended(self) -> bool:
        return self.position == len(self.happenings)

    def at(self, position: int) -> tuple[list[Happening], int]:
        """What there is at a position, and the version of a list then."""
        state = dict(self.start)
        version = max([100, *(int(each.metadata.resource_version) for each in state.values())])
        for happening in self.happenings[:position]:
            version = int(happening.metadata.resource_version)
            if happening.type == "DELETED":
                state.pop(happening.metadata.uid)
            else:
                state[happening.metadata.uid] = happening
        return list(state.values()), version


class Notes:
    """A journal in memory, in the form that it has on disk."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def begin(self, info: RunInfo) -> None:
        """Nothing to begin."""

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Nothing: they are in the journal."""

    def finish(self, result: RunResult) -> None:
        """Nothing to end."""

    def note(self, entry: Entry) -> None:
        self._lines.append(msgspec.json.encode(entry))

    def replayed(self) -> list[ObjectRecord]:
        """The records that a report makes of it."""
        begin = Begin(
            schema_version=1, run_id="run", workloads=(WorkloadPlan("density", 1, {}, None, 1),),
            paths={}, api_versions={each.kind: each.api_version for each in (VM, VMI)},
        )  # fmt: skip
        found = Found()
        replay = Replay(begin, found)
        for line in self._lines:
            replay.take(msgspec.json.decode(line, type=AnyEntry))
        replay.close()
        return by_name(found.records)


class Found:
    """Where a replay's records go."""

    def __init__(self) -> None:
        self.records: list[ObjectRecord] = []

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        del children
        self.records += objects


def by_name(records: Iterable[ObjectRecord]) -> list[ObjectRecord]:
    return sorted(records, key=lambda each: (each.name, each.replica or 0, each.uid or ""))


class Telling:
    """A tracker that is told a history, and the rules that hold after every sentence."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._now = 0.0
        self.tracker = Tracker()
        # One object more is requested than has its turn.
        self.scope = self.tracker.open_iteration("density", 1, len(history.plans) + 1)
        self.rows: dict[str, TrackedObject] = {}
        self.doubted: list[TrackedObject] = []
        for replica, plan in enumerate(history.plans, start=1):
            row = self.tracker.schedule(self.scope, plan.resource, "ns", plan.name, replica=replica)
            self.rows[plan.name] = row
            self.tracker.send(row, self._tick())
        self.notes = Notes()
        self._journal = JournalFeed(self.notes, lambda error: pytest.fail(str(error)))
        self._journal.begin_iteration(self.scope, Requested.of_one({}), 0.0)

    def _tick(self) -> float:
        self._now += 1
        return self._now

    def answer(self, plan: Plan) -> None:
        row = self.rows[plan.name]
        if plan.answer in {"refused", "lost"}:
            certain = plan.answer == "refused"
            self.tracker.refuse(row, "it was refused, it seems", certain=certain)
        else:
            metadata = self._history.answers[plan.name]
            self.take(self.tracker.accept(row, metadata, self._tick(), is_ready=False))
        self.check()

    def take(self, changes: list[Transition]) -> None:
        self.doubted += [each.subject for each in changes if each.kind is TransitionKind.DOUBTED]

    def look(self) -> None:
        """Look for what may be gone: a history takes nobody's labels, so it is."""
        rows, self.doubted = self.doubted, []
        for row in rows:
            if row.doubted_s is not None:
                self.tracker.confirm_gone(row, self._tick())
        self.check()

    def event(self, stream: Stream, position: int) -> None:
        each = stream.happenings[position]
        self.take(
            self.tracker.observe(
                each.resource, each.type, each.metadata, each.reading, self._tick()
            )
        )
        self.check()

    def next_event(self, stream: Stream) -> None:
        self.event(stream, stream.position)
        stream.position += 1

    def relist(self, stream: Stream, position: int, place: Place) -> None:
        """The watch begins again with a list, and goes on from there."""
        stream.position = position
        state, version = stream.at(position)
        self.take(
            self.tracker.reconcile(
                place, [(each.metadata, each.reading) for each in state], version, self._tick()
            )
        )
        self.check()

    def ask_to_go(self) -> None:
        self._journal.flush_rows(self.scope.rows)
        self.tracker.request_deletion(self.scope, self._tick())
        self._journal.request_deletion(self.scope, self._now)
        self.check()

    @property
    def records(self) -> list[ObjectRecord]:
        """Those that the run itself makes, once the journal has been told everything."""
        self._journal.flush_rows(self.scope.rows)
        rows = (row for row in self.scope.rows if row.uid is not None or not row.is_child)
        return by_name(row.record() for row in rows)

    @property
    def accounts(self) -> Accounts:
        return accounts_of(row.record() for row in self.scope.objects)

    def check(self) -> None:
        if self._now % 3 == 0:  # the journal is told now and then
            self._journal.flush_rows(self.scope.rows)
        scope, accounts = self.scope, self.accounts
        assert accounts.balanced
        assert scope.created == accounts.created
        assert scope.ready == accounts.ready
        assert scope.deleted == accounts.deleted
        unanswered = sum(row.uid is None and row.error is None for row in scope.objects)
        assert scope.failed == accounts.failed - unanswered
        not_attempted = scope.requested - len(scope.objects)
        unready = sum(row.outcome is Outcome.UNREADY for row in scope.objects)
        assert scope.requested == scope.ready + accounts.failed + unready + not_attempted
        assert scope.undecided == unready + unanswered + not_attempted
        assert scope.present == scope.created - scope.deleted >= 0
        assert scope.present_children == sum(row.present for row in scope.children)
        uids = [row.uid for row in scope.rows if row.uid is not None]
        assert len(uids) == len(set(uids))
        phases = [row.phase for row in scope.objects if row.present and row.phase is not None]
        assert sorted(phase for _, phase in self.tracker.phases.elements()) == sorted(phases)
        assert all(count >= 0 for count in self.tracker.phases.values())

    @property
    def counts(self) -> dict[str, Any]:
        scope = self.scope
        return {
            "accounts": self.accounts,
            "outcomes": {name: row.outcome for name, row in self.rows.items()},
            "uids": {name: row.uid for name, row in self.rows.items()},
            "present": (scope.present, scope.present_children),
            "undecided": scope.undecided,
            "phases": +self.tracker.phases,
        }


def told_in_order(history: History) -> list[dict[str, Any]]:
    """The clean story: each create is answered before anything else is heard of its object."""
    telling = Telling(history)
    counts = []
    for plan in history.plans:
        if plan.answer != "lost":
            telling.answer(plan)
    for part in (history.life, history.end):
        for each in part:
            telling.take(
                telling.tracker.observe(
                    each.resource, each.type, each.metadata, each.reading, telling._tick()
                )
            )
            telling.look()
        for plan in history.plans:
            if part is history.life and plan.answer == "lost":
                telling.answer(plan)
        telling.look()
        counts.append(telling.counts)
        telling.ask_to_go()
    return counts


def told_anyhow(history: History, draw: Callable[[int], int]) -> list[dict[str, Any]]:
    """The same history, by whatever way it happens to take."""
    telling = Telling(history)
    counts = []
    unanswered = list(history.plans)
    for part, state in ((history.life, {}), (history.end, history.half_time)):
        streams = [Stream(VMI, part, state), Stream(VM, part, state)]
        while unanswered or not all(stream.ended for stream in streams):
            stream = streams[draw(2)]
            match draw(9):
                case 0 | 1 if unanswered:
                    telling.answer(unanswered.pop(draw(len(unanswered))))
                case 2 if stream.position:  # resumed from before
                    stream.position -= 1 + draw(stream.position)
                case 3:  # what is in between is lost
                    skipped = draw(len(stream.happenings) - stream.position + 1)
                    place = Place(stream.resource, (None, "ns")[draw(2)])
                    telling.relist(stream, stream.position + skipped, place)
                case 4 if stream.position:  # told twice
                    telling.event(stream, stream.position - 1)
                case 5:
                    telling.look()
                case _ if not stream.ended:
                    telling.next_event(stream)
                case _:
                    pass
        telling.look()
        counts.append(telling.counts)
        telling.ask_to_go()
    known = telling.records
    assert telling.notes.replayed() == known
    return counts


@st.composite
def plans(draw: st.DrawFn) -> list[Plan]:
    """Some objects; one that nobody has told of cannot vanish, or it would never be known."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        answer = draw(st.sampled_from(ANSWERS))
        fates = [fate for fate in FATES if answer != "lost" or "vanishes" not in fate]
        fate = draw(st.sampled_from(fates))
        found.append(Plan(f"vm-{number}", fate, answer, has_child=draw(st.booleans())))
    return found


@settings(max_examples=300)
@given(plans(), st.randoms(use_true_random=False))
def test_whatever_way_the_news_takes_counts_and_journal_end_the_same(
    objects: list[Plan], chance: Random
) -> None:
    history = History(objects, chance.randrange)
    assert told_anyhow(history, chance.randrange) == told_in_order(history)


@pytest.mark.parametrize("fate", FATES)
def test_the_clean_story_is_the_true_one(fate: str) -> None:
    history = History([Plan("a", fate, "created", has_child=False)], lambda _: 0)
    alive, gone = told_in_order(history)
    outcome = {"ready": Outcome.READY, "stuck": Outcome.UNREADY}.get(fate, Outcome.FAILED)
    vanished = fate.startswith("vanishes")
    assert alive["outcomes"] == gone["outcomes"] == {"a": outcome}
    assert alive["present"] == (0 if vanished else 1, 0)
    assert gone["present"] == (0, 0)
    assert gone["accounts"].deleted == 1


def test_the_journal_knows_the_name_that_the_server_gave_and_what_lost_its_labels() -> None:
    telling = Telling(History([Plan("vm-0", "ready", "created", has_child=False)], lambda _: 0))
    row = telling.rows["vm-0"]
    telling.take(
        telling.tracker.accept(
            row,
            msgspec.structs.replace(telling._history.answers["vm-0"], name="vm-0-renamed"),
            telling._tick(),
            is_ready=False,
            is_labelled=False,
        )
    )
    telling.tracker.request_deletion_of(row, telling._tick())
    telling.tracker.confirm_gone(row, telling._tick())
    [record] = telling.records
    assert (record.name, record.outcome) == ("vm-0-renamed", Outcome.FAILED)
    assert record.deleted_s is not None
    assert telling.notes.replayed() == [record]

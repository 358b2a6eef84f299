"""When operations are done: by UID, from what watches show, in whatever order it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perfscale.config.operations import MIGRATIONS, OPERATIONS, VM, VMI
from perfscale.engine.tracking.operations.effects import Effects
from perfscale.engine.tracking.operations.tracked import TrackedOperation
from perfscale.engine.tracking.operations.views import View
from perfscale.engine.tracking.rows import IterationScope
from perfscale.kube.resources import Resource
from perfscale.results import OperationOutcome

if TYPE_CHECKING:
    from perfscale.engine.tracking.operations.effects import Key

VMS = Resource("kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True)
TARGET = ("density-1", "vm-1")
ON_VM: Key = (VM, *TARGET)
ON_VMI: Key = (VMI, *TARGET)
MADE: Key = (MIGRATIONS, "density-1", "moves-1-1-12345678")


class Story:
    """One operation on one VM, told event by event; each takes a second."""

    deletes = False

    def __init__(self, name: str, *, known: View | None = None, **fields: Any) -> None:
        row = OPERATIONS[name]
        self.decided: list[TrackedOperation] = []
        target = VMI if name == "addVolume" else VM
        self.effects = Effects(
            row.effect,
            target=target if name not in {"scale", "delete"} else VM,
            follows=row.follows or VM,
            on_decided=self.decided.append,
            is_deleted_by_run=lambda _: self.deletes,
        )
        self.effects.follow([TARGET])
        self.now = 0.0
        self.operation = TrackedOperation(
            IterationScope("load", 1, 1),
            name,
            VMS,
            *TARGET,
            "vmi" if target == VMI else "vm-uid",
            **fields,
        )
        if known is not None:
            self.see(known)
        self.now = 1.0
        self.effects.send(self.operation, self.now)

    def tick(self) -> float:
        self.now += 1
        return self.now

    def see(self, view: View, key: Key | None = None) -> Story:
        key = key or (self.effects._read_off, *TARGET)
        if self.effects.follows(key):
            self.effects.observe(key, view, self.tick())
        return self

    def lose(self, uid: str, key: Key | None = None) -> Story:
        key = key or (self.effects._read_off, *TARGET)
        self.effects.observe(key, View(uid, 0), self.tick(), deleted=True)
        return self

    def relist(self, *views: View, asked_s: float | None = None) -> Story:
        resource = self.effects._read_off
        now = self.tick()
        state: dict[Key, View] = {(resource, *TARGET): view for view in views}
        asked_s = now - 0.5 if asked_s is None else asked_s
        self.effects.reconcile((resource, None), state, now, asked_s=asked_s)
        return self

    def answer(self, version: int = 0) -> Story:
        self.effects.accept(self.operation, self.tick(), version=version)
        return self

    @property
    def done_s(self) -> float | None:
        assert len(self.decided) <= 1
        return self.operation.done_s


def vmi(uid: str, phase: str | None = "Running", version: int = 1, **fields: Any) -> View:
    return View(uid, version, phase=phase, **fields)


# -- targets that others replace ----------------------------------------------


def test_nothing_is_known_of_a_loss_before_a_watch_has_shown_the_target() -> None:
    story = Story("start")
    assert story.effects.find_loss(story.operation) is None
    story.see(View("vm-uid", 1), ON_VM)
    assert story.effects.find_loss(story.operation) is None


def test_a_target_is_lost_that_is_gone_or_has_another_uid() -> None:
    story = Story("start").see(View("vm-uid", 1), ON_VM).lose("vm-uid", ON_VM)
    loss = story.effects.find_loss(story.operation)
    assert loss == "it was gone, or had lost its labels, when its turn came"
    story.see(View("other", 2), ON_VM)
    loss = story.effects.find_loss(story.operation)
    assert loss == "it was replaced by another object of its name"


@pytest.mark.parametrize("name", ["start", "restart"])
def test_the_instance_of_another_vm_of_that_name_is_no_effect(name: str) -> None:
    story = Story(name, known=vmi("old")).answer()
    story.lose("old").see(vmi("new", owners=("other-vm",)))
    assert story.operation.error == "it was replaced by another object of its name"
    mine = Story(name, known=vmi("old")).answer()
    mine.lose("old").see(vmi("new", owners=("vm-uid",)))
    assert mine.operation.error is None
    assert mine.done_s is not None


# -- start, stop, restart ---------------------------------------------------


def test_a_start_is_done_when_an_instance_of_a_new_uid_runs() -> None:
    story = Story("start").answer().see(vmi("new", "Scheduling"))
    assert story.done_s is None
    assert story.see(vmi("new")).done_s == 4.0


def test_a_start_waits_for_another_instance_than_the_one_that_had_ended() -> None:
    story = Story("start", known=vmi("old", "Succeeded")).answer().see(vmi("old", "Succeeded"))
    assert story.done_s is None
    assert story.see(vmi("new")).done_s == 4.0


def test_a_stop_is_done_when_the_old_instance_is_gone() -> None:
    story = Story("stop", known=vmi("old")).answer().see(vmi("old", "Succeeded"))
    assert story.done_s is None
    assert story.lose("old").done_s == 4.0


def test_a_stop_of_an_instance_that_nobody_had_seen_yet_is_done_when_it_goes() -> None:
    assert Story("stop").answer().see(vmi("late")).lose("late").done_s == 4.0
    assert Story("stop").answer().lose("late").done_s == 3.0


def test_a_restart_is_two_times_the_old_instance_gone_and_a_new_one_running() -> None:
    story = Story("restart", known=vmi("old")).answer().lose("old")
    assert story.done_s is None
    story.see(vmi("new", "Pending"))
    assert story.done_s is None
    assert story.see(vmi("new")).done_s == 5.0
    assert story.operation.milestones == {"Gone": 3.0}


def test_a_restart_whose_instance_was_back_before_its_first_event_is_not_lost() -> None:
    story = Story("restart", known=vmi("old")).answer().relist(vmi("new"))
    assert story.done_s == 3.0
    assert story.operation.milestones == {"Gone": 3.0}


def test_a_restart_whose_old_instance_no_watch_has_shown_is_done_by_the_new_one() -> None:
    story = Story("restart").answer().relist()
    assert story.see(vmi("new")).done_s == 4.0
    assert story.operation.milestones == {"Gone": 3.0}


def test_a_restart_is_not_done_by_the_old_instance_that_still_runs() -> None:
    story = Story("restart", known=vmi("old")).answer().see(vmi("old")).see(vmi("old"))
    assert story.done_s is None
    assert not story.operation.milestones


def test_a_restart_is_not_done_by_an_instance_that_its_watch_only_now_shows() -> None:
    story = Story("restart").answer().see(vmi("was there"))
    assert story.done_s is None
    assert story.lose("was there").see(vmi("new")).done_s == 5.0


def test_what_still_waits_is_described_by_what_was_seen_last() -> None:
    story = Story("restart", known=vmi("old")).answer()
    story.lose("old").see(vmi("new", "Scheduling"))
    assert story.effects.describe_waiting() == [story.operation]
    assert story.operation.detail == "its instance is in phase Scheduling"


def test_an_older_event_of_the_vm_that_comes_late_takes_no_new_instance_for_the_old_one() -> None:
    story = Story("restart", known=vmi("old")).answer()
    story.lose("old").see(vmi("new", "Scheduling"))
    # The watch of VMs is behind: this was there before the request left.
    story.effects.observe(ON_VM, View("vm-uid", 1), 0.5)
    story.see(vmi("new"))
    assert story.done_s is not None
    assert story.operation.milestones.keys() == {"Gone"}


def test_an_effect_before_the_answer_counts_when_it_was_seen() -> None:
    story = Story("restart", known=vmi("old")).lose("old").see(vmi("new"))
    assert not story.decided
    assert story.answer().done_s == 3.0
    assert story.operation.answered_s == 4.0


def test_an_effect_before_a_refusal_counts_for_nothing() -> None:
    story = Story("stop", known=vmi("old")).lose("old")
    story.effects.refuse(story.operation, "Conflict: VM is not running")
    assert story.operation.error == "Conflict: VM is not running"
    assert story.done_s is None
    assert len(story.decided) == 1


@pytest.mark.parametrize("answered", [True, False])
def test_a_vm_that_somebody_deletes_meanwhile_is_one_failure_with_that_reason(
    answered: bool,
) -> None:
    story = Story("restart", known=vmi("old"))
    if answered:
        story.answer()
    story.lose("old").lose("vm-uid", ON_VM)
    if not answered:
        story.answer()
    assert [each.error for each in story.decided] == ["somebody else deleted it"]
    story.see(vmi("another"))
    assert len(story.decided) == 1


def test_a_vm_of_the_same_name_and_another_uid_is_not_the_target() -> None:
    story = Story("start").answer().see(View("other-uid", 9), ON_VM)
    assert story.operation.error == "somebody else deleted it"


def test_what_comes_before_a_request_that_had_been_refused_is_not_its_effect() -> None:
    story = Story("restart", known=vmi("old")).lose("old").see(vmi("of another restart"))
    story.effects.retry(story.operation)
    assert story.answer().done_s is None
    assert not story.operation.milestones
    assert story.lose("of another restart").see(vmi("new")).done_s == 6.0


# -- pause ------------------------------------------------------------------


def test_a_pause_is_done_when_the_condition_is_true() -> None:
    story = Story("pause", known=vmi("vmi")).answer().see(vmi("vmi"))
    assert story.done_s is None
    assert story.see(vmi("vmi", paused=True)).done_s == 4.0


def test_an_unpause_is_not_done_by_an_event_from_before_the_pause() -> None:
    story = Story("unpause", known=vmi("vmi")).answer().see(vmi("vmi"))
    assert story.done_s is None
    story.see(vmi("vmi", paused=True))
    assert story.see(vmi("vmi")).done_s == 5.0


def test_a_pause_fails_when_its_instance_goes_or_is_replaced() -> None:
    assert Story("pause", known=vmi("a")).answer().lose("a").operation.error == (
        "its instance is gone"
    )
    assert Story("pause", known=vmi("a")).answer().see(vmi("b")).operation.error == (
        "its instance was replaced by another"
    )


# -- migration --------------------------------------------------------------


def migration() -> Story:
    return Story("migrate", known=vmi("vmi"), made_name=MADE[2])


def test_a_migration_is_done_when_it_succeeded_and_its_instance_names_it() -> None:
    story = migration().answer()
    for phase in ("Pending", "Scheduling", "Running", "Succeeded"):
        story.see(View("vmim", 1, phase=phase), MADE)
        assert story.done_s is None
    assert story.see(vmi("vmi", migration_uid="another")).done_s is None
    assert story.see(vmi("vmi", migration_uid="vmim")).done_s == 8.0
    assert story.operation.milestones == {
        "Pending": 3.0,
        "Scheduling": 4.0,
        "Running": 5.0,
        "Succeeded": 6.0,
    }


def test_a_migration_is_done_too_when_its_instance_names_it_first() -> None:
    story = migration().answer().see(vmi("vmi", migration_uid="vmim"))
    assert story.see(View("vmim", 1, phase="Succeeded"), MADE).done_s == 4.0


@pytest.mark.parametrize(("named_s", "succeeded_s"), [(4.0, 5.0), (5.0, 4.0)])
@pytest.mark.parametrize("name_first", [True, False])
def test_a_migration_is_done_at_the_later_moment_whichever_watch_is_worked_on_first(
    named_s: float, succeeded_s: float, name_first: bool
) -> None:
    story = migration().answer()
    events = [
        (ON_VMI, vmi("vmi", migration_uid="vmim"), named_s),
        (MADE, View("vmim", 1, phase="Succeeded"), succeeded_s),
    ]
    for event in events if name_first else reversed(events):
        story.effects.observe(*event)
    assert story.done_s == 5.0


def test_a_migration_is_done_too_when_the_next_one_is_named_before_its_success_is_seen() -> None:
    story = migration().answer().see(View("vmim", 1, phase="Running"), MADE)
    story.see(vmi("vmi", migration_uid="vmim")).see(vmi("vmi", migration_uid="next"))
    assert story.see(View("vmim", 1, phase="Succeeded"), MADE).done_s == 6.0


def test_a_migration_that_fails_says_why() -> None:
    story = migration().answer().see(View("vmim", 1, phase="Failed", reason="no target"), MADE)
    assert story.operation.error == "the migration failed: no target"


def test_a_migration_that_somebody_deletes_has_failed() -> None:
    story = migration().answer().see(View("vmim", 1, phase="Running"), MADE)
    assert story.lose("vmim", MADE).operation.error == "somebody else deleted the migration"


def test_a_list_from_before_the_request_does_not_miss_what_it_makes() -> None:
    story = migration().answer()
    story.operation.made_uid = "vmim"
    state: dict[Key, View] = {}
    story.effects.reconcile((MIGRATIONS, None), state, story.tick(), asked_s=0.5)
    assert not story.decided


# -- volumes, scale, delete -------------------------------------------------


def test_a_volume_is_added_when_its_phase_is_ready() -> None:
    story = Story("addVolume", known=vmi("vmi"), volume="data").answer()
    assert story.see(vmi("vmi", volumes={"data": "AttachedToNode"})).done_s is None
    assert story.see(vmi("vmi", volumes={"data": "Ready"})).done_s == 4.0


def test_a_volume_is_removed_when_the_status_has_it_no_more() -> None:
    known = vmi("vmi", volumes={"data": "Ready", "root": "Ready"})
    story = Story("removeVolume", known=known, volume="data").answer()
    assert story.see(vmi("vmi", volumes={"data": "Detaching", "root": "Ready"})).done_s is None
    assert story.see(vmi("vmi", volumes={"root": "Ready"})).done_s == 4.0


def scaled(replicas: int, ready: int, version: int) -> View:
    return View("vm-uid", version, replicas=replicas, ready_replicas=ready)


def test_a_scale_is_done_when_as_many_are_ready_as_wanted() -> None:
    story = Story("scale", known=scaled(1, 1, 5), wanted=3).answer(version=6)
    assert story.see(scaled(3, 1, 6)).done_s is None
    assert story.see(scaled(3, 3, 7)).done_s == 4.0


def test_a_scale_to_what_is_there_is_done_when_it_is_answered() -> None:
    assert Story("scale", known=scaled(3, 3, 5), wanted=3).answer(version=5).done_s == 2.0


def test_a_scale_is_not_done_by_a_state_from_before_it() -> None:
    story = Story("scale", known=scaled(3, 3, 5), wanted=3).answer(version=8)
    assert story.done_s is None
    assert story.see(scaled(3, 2, 8)).done_s is None
    assert story.see(scaled(3, 3, 9)).done_s == 4.0


def test_a_scale_that_took_effect_before_its_answer_counts_when_that_was_seen() -> None:
    story = Story("scale", known=scaled(1, 1, 5), wanted=3).see(scaled(3, 3, 7))
    assert story.answer(version=6).done_s == 2.0


def test_a_deletion_is_done_when_that_uid_is_gone() -> None:
    story = Story("delete", known=View("vm-uid", 1)).answer().see(View("vm-uid", 2))
    assert story.done_s is None
    assert story.lose("vm-uid").done_s == 4.0


def test_a_deletion_is_done_when_a_list_does_not_hold_it_or_another_has_its_name() -> None:
    assert Story("delete", known=View("vm-uid", 1)).answer().relist().done_s == 3.0
    assert Story("delete", known=View("vm-uid", 1)).answer().see(View("next", 9)).done_s == 3.0


# -- the rest ---------------------------------------------------------------


def test_a_deletion_is_not_lost_in_a_list_that_was_requested_just_before_it() -> None:
    story = Story("delete", known=View("vm-uid", 1)).relist(asked_s=0.5)
    assert story.answer().done_s == 2.0


def test_what_came_before_the_request_left_is_what_that_has_found_and_no_effect() -> None:
    story = Story("delete", known=View("vm-uid", 1), collective=True)
    story.effects.observe(ON_VM, View("vm-uid", 0), 0.9, deleted=True)
    assert story.answer().operation.error == (
        "it was gone, or had lost its labels, when its turn came"
    )
    restart = Story("restart", known=vmi("old"))
    restart.effects.observe(ON_VMI, vmi("old"), 0.8, deleted=True)
    restart.effects.observe(ON_VMI, vmi("new"), 0.9)
    assert restart.answer().done_s is None
    assert restart.lose("new").see(vmi("newer")).done_s == 4.0


def test_deleting_a_collection_fails_for_what_was_gone_before_and_deletes_the_rest() -> None:
    gone = Story("delete", collective=True).answer()
    assert gone.operation.outcome is OperationOutcome.FAILED
    assert (
        Story("delete", known=View("vm-uid", 1), collective=True).answer().lose("vm-uid").done_s
        == 3.0
    )


def test_what_is_answered_is_done_where_nothing_else_is_to_be_seen() -> None:
    assert Story("get").answer().done_s == 2.0


@pytest.mark.parametrize(
    ("story", "detail"),
    [
        (Story("start"), "there is no instance of it"),
        (Story("restart", known=vmi("old")), "the old instance is in phase Running"),
        (Story("pause", known=vmi("vmi")), "its condition Paused is not True"),
        (migration(), "the migration is in phase none"),
        (Story("scale", known=scaled(3, 2, 1), wanted=3), "2 of 3 replicas are ready"),
        (
            Story("delete", known=View("vm-uid", 1, finalizers=("a/b",))),
            "it is still there, held by a/b",
        ),
    ],
)
def test_what_is_unfinished_says_what_is_missing(story: Story, detail: str) -> None:
    story.answer()
    story.effects.give_up(story.operation)
    assert story.operation.record().error == detail
    assert not story.effects.waits
    assert not story.decided


def test_every_operation_has_a_judge_or_needs_none() -> None:
    for row in OPERATIONS.values():
        if not row.creates:
            Effects(
                row.effect,
                target=VM,
                follows=row.follows or VM,
                on_decided=print,
                is_deleted_by_run=lambda _: False,
            )

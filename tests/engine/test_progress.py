import pytest
from tracker_story import VM, VMI, Story

from perfscale.engine.accounting.load_progress import (
    LoadProgress,
    remaining_s,
    wait_for_operations,
    wait_in,
)
from perfscale.engine.events import Stage
from perfscale.engine.tracking.operations.tracked import TrackedOperation


def test_what_remains_takes_as_long_as_it_did_lately() -> None:
    assert remaining_s([(10.0, 100), (12.0, 140)], 200) == pytest.approx(3.0)


@pytest.mark.parametrize("steps", [[], [(1.0, 5)], [(1.0, 5), (6.0, 5)]])
def test_nothing_is_said_of_what_does_not_go_on(steps: list[tuple[float, int]]) -> None:
    assert remaining_s(steps, 10) is None


def test_nothing_is_said_of_what_goes_backwards() -> None:
    assert remaining_s([(1.0, 5), (2.0, 4)], 10) is None


def test_nothing_remains_once_all_is_done() -> None:
    assert remaining_s([(1.0, 5), (2.0, 10)], 10) == 0


def test_how_long_an_object_is_in_its_phase_counts_from_that_phase(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    for phase in ("Pending", "Scheduling", "Pending"):
        story.becomes(row, phase)
    wait = wait_in(Stage.WAITING_READY, [scope], story.now + 30, began_s=0.0)
    assert wait is not None
    [slow] = wait.slowest
    assert (slow.phase, slow.in_phase_s) == ("Pending", 30.0)
    assert slow.waited_s > 30.0


def test_a_wait_for_readiness_tells_of_the_children_that_are_not_ready(story: Story) -> None:
    scope = story.iteration()
    owner = story.created(scope, "set", resource=VM)
    for name, phase in (("a", "Running"), ("b", "Scheduling"), ("c", "Scheduling")):
        story.seen("ADDED", story.metadata(name, owner=owner.uid), phase)
    wait = wait_in(Stage.WAITING_READY, [scope], story.now, began_s=0.0)
    assert wait is not None
    assert wait.child_phases == {(VMI.kind, "Scheduling"): 2}
    assert story.tracker.child_phases == {(VMI.kind, "Running"): 1, (VMI.kind, "Scheduling"): 2}


def test_iterations_of_a_round_of_churn_are_followed_together(story: Story) -> None:
    load = LoadProgress(story.iteration())
    first, second = (story.tracker.open_iteration("density", n, 1, 1) for n in (2, 3))
    for scope in (first, second):
        load.follow(scope)
    story.becomes(story.created(first, "a"), "Pending")
    ready = story.created(second, "b")
    story.becomes(ready, "Running")
    load.enter(Stage.WAITING_READY, ("density", 3), story.now)
    wait = load.wait(story.now + 60, ())
    assert wait is not None
    assert (wait.missing, wait.slowest[0].name) == (1, "a")
    assert (load.total("requested"), load.total("ready"), load.total("sent")) == (2, 1, 2)
    load.follow(story.tracker.open_iteration("density", 4, 1, 2))
    assert load.total("requested") == 1
    load.attend([first, second])
    assert load.total("requested") == 2


def test_only_a_stage_that_waits_is_told_of_as_a_wait(story: Story) -> None:
    assert wait_in(Stage.CREATING, [story.iteration()], story.now, began_s=0.0) is None


def test_a_wait_for_operations_tells_how_far_they_have_come_the_slowest_first(
    story: Story,
) -> None:
    scope = story.iteration()
    open_operations = [
        TrackedOperation(scope, "restart", VM, "ns", f"vm-{n}", f"uid-{n}", sent_s=float(n))
        for n in range(1, 6)
    ]
    open_operations[0].milestones = {"Gone": 3.0}
    wait = wait_for_operations(open_operations, 11.0, began_s=1.0)
    assert (wait.stage, wait.missing, wait.waited_s) == (Stage.WAITING_DONE, 5, 10.0)
    assert wait.phases == {(VM.kind, "Gone"): 1, (VM.kind, ""): 4}
    slow = [(each.name, each.phase, each.waited_s, each.in_phase_s) for each in wait.slowest]
    assert slow == [
        ("vm-1", "Gone", 10.0, 8.0),
        ("vm-2", None, 9.0, None),
        ("vm-3", None, 8.0, None),
    ]

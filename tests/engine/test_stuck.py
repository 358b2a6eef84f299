from tracker_story import Story

from perfscale.engine.tracking.readiness import Reading
from perfscale.engine.tracking.stuck import (
    describe_failed,
    describe_leftover,
    describe_unready,
)


def test_stuck_objects_are_grouped_by_phase_and_reason(story: Story) -> None:
    scope = story.iteration(4)
    for number in range(3):
        row = story.created(scope, f"vmi-{number}")
        reading = Reading(phase="Scheduling", detail="Unschedulable: 0/3 nodes are available")
        story.tracker.observe(
            row.resource, "MODIFIED", story.metadata(row.name), reading, story.tick()
        )
    story.becomes(story.created(scope, "vmi-3"), "Pending")
    reason = "Unschedulable: 0/3 nodes are available"
    assert describe_unready(scope) == [
        f"3 VirtualMachineInstance not ready, in phase Scheduling: {reason}",
        "1 VirtualMachineInstance not ready, in phase Pending",
    ]


def test_an_objects_own_name_does_not_make_its_reason_different(story: Story) -> None:
    scope = story.iteration(2)
    for name in ("vmi-1", "vmi-2"):
        story.tracker.refuse(
            story.sent(scope, name), f'Invalid: "{name}" has no spec', certain=True
        )
    assert describe_failed(scope) == [
        '2 VirtualMachineInstance failed: Invalid: "<name>" has no spec'
    ]


def test_a_name_of_one_letter_leaves_the_words_of_a_reason_alone(story: Story) -> None:
    scope = story.iteration(2)
    for name in ("a", "b"):
        text = f'"{name}" was rejected by a.example: bad labels of {name}.'
        story.tracker.refuse(story.sent(scope, name), text, certain=True)
    reason = '"<name>" was rejected by a.example: bad labels of <name>.'
    assert describe_failed(scope) == [f"2 VirtualMachineInstance failed: {reason}"]


def test_many_reasons_are_cut_short_and_counted(story: Story) -> None:
    scope = story.iteration(9)
    for number in range(9):
        story.tracker.refuse(
            story.sent(scope, f"vmi-{number}"), f"reason {'ABCDEFGH'[number % 8]}", certain=True
        )
    sentences = describe_failed(scope)
    assert len(sentences) == 6
    assert sentences[0] == "2 VirtualMachineInstance failed: reason A"
    assert sentences[-1] == "3 more, for 3 other reasons"


def test_what_is_left_over_is_what_was_asked_to_go_and_is_still_there(story: Story) -> None:
    scope = story.iteration(2)
    gone, stays = story.created(scope, "a"), story.created(scope, "b")
    story.becomes(stays, "Running")
    story.tracker.request_deletion(scope, story.tick())
    story.vanishes(gone)
    assert describe_leftover(scope) == ["1 VirtualMachineInstance still there, in phase Running"]


def test_what_could_not_be_read_is_not_reported_as_still_there_nor_the_reverse(
    story: Story,
) -> None:
    scope = story.iteration(2)
    read, unread = story.created(scope, "a"), story.created(scope, "b")
    for row in (read, unread):
        story.becomes(row, "Running")
    story.tracker.request_deletion(scope, story.tick())
    assert unread.uid is not None
    assert describe_leftover(scope, {unread.uid: "no answer within 10 s"}) == [
        "1 VirtualMachineInstance still there, in phase Running",
        "1 VirtualMachineInstance not known to be gone: no answer within 10 s",
    ]

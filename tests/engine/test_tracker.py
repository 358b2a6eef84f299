from hypothesis import given
from hypothesis import strategies as st
from tracker_story import VM, VMI, Story

from perfscale.engine.tracking.readiness import Reading
from perfscale.engine.tracking.rows import TransitionKind
from perfscale.results import REPLACEMENT, Outcome, accounts_of


def test_an_object_is_ready_once_it_is_seen_running(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    for phase in ("Pending", "Scheduling", "Scheduled"):
        story.becomes(row, phase)
    assert scope.undecided == 1
    changes = story.becomes(row, "Running")
    assert [each.kind for each in changes] == [TransitionKind.PHASE, TransitionKind.READY]
    assert row.outcome is Outcome.READY
    assert scope.undecided == 0
    assert list(row.phases_s.names) == ["Pending", "Scheduling", "Scheduled", "Running"]


def test_a_repeated_event_changes_nothing(story: Story) -> None:
    row = story.created(story.iteration(), "a")
    story.becomes(row, "Running")
    ready_s = row.ready_s
    assert story.becomes(row, "Running") == []
    assert row.ready_s == ready_s


def test_a_milestone_counts_when_it_is_seen_first_and_is_no_phase(story: Story) -> None:
    row = story.created(story.iteration(), "a")
    story.becomes(row, "Running")

    def comes_to(*milestones: str) -> list[TransitionKind]:
        reading = Reading(phase="Running", ready=True, milestones=milestones)
        metadata = story.metadata("a")
        changes = story.tracker.observe(VMI, "MODIFIED", metadata, reading, story.tick())
        return [each.kind for each in changes]

    assert comes_to("IP") == [TransitionKind.PHASE]
    assert comes_to("IP") == []
    first_s = story.now - 1
    assert (row.phases_s.get("IP"), row.phase) == (first_s, "Running")
    assert story.tracker.phases == {(VMI.kind, "Running"): 1}


def test_an_event_that_overtakes_the_answer_is_not_lost(story: Story) -> None:
    scope = story.iteration()
    row = story.sent(scope, "a")
    story.seen("ADDED", story.metadata("a"), "Running")
    assert row.uid == "uid-a"
    story.answered(row)
    assert scope.created == scope.present == 1
    assert row.outcome is Outcome.READY


def test_only_an_event_tells_when_a_watch_told_of_an_object(story: Story) -> None:
    scope = story.iteration(2)
    told, found = story.created(scope, "a"), story.created(scope, "b")
    story.listed(story.metadata("b"))
    story.seen("ADDED", story.metadata("a"))
    first_s = told.observed_s
    story.seen("ADDED", story.metadata("a"))
    assert (told.observed_s, found.observed_s) == (first_s, None)
    assert first_s is not None


def test_an_object_that_was_gone_before_its_answer_does_not_come_back(story: Story) -> None:
    scope = story.iteration()
    row = story.sent(scope, "a")
    story.seen("ADDED", story.metadata("a"))
    story.seen("DELETED", story.metadata("a", deleting=True))
    story.answered(row)
    assert scope.present == 0
    assert row.deleted_s is not None


def test_an_object_of_the_same_name_that_was_never_asked_for_is_not_mistaken_for_ours(
    story: Story,
) -> None:
    scope = story.iteration()
    row = story.tracker.schedule(scope, VM, "ns", "a", replica=1)
    story.seen("ADDED", story.metadata("a"), resource=VM)
    assert row.uid is None
    assert len(scope.children) == 1


def test_the_answer_corrects_a_row_that_had_been_bound_to_an_older_object(story: Story) -> None:
    scope = story.iteration()
    row = story.sent(scope, "a")
    story.seen("ADDED", story.metadata("a", uid="old"))
    story.answered(row, uid="new")
    assert (row.uid, scope.present, scope.created) == ("new", 1, 1)
    assert story.seen("MODIFIED", story.metadata("a", uid="new"), "Running")


def test_a_refused_object_has_failed_and_settles_the_wait(story: Story) -> None:
    scope = story.iteration()
    row = story.sent(scope, "a")
    story.tracker.refuse(row, "Forbidden: quota", certain=True)
    assert row.outcome is Outcome.FAILED
    assert row.explanation == "Forbidden: quota"
    assert scope.undecided == 0


def test_an_object_that_the_watch_has_seen_was_not_refused(story: Story) -> None:
    row = story.sent(story.iteration(), "a")
    story.seen("ADDED", story.metadata("a"))
    story.tracker.refuse(row, "the connection was lost", certain=False)
    assert row.error is None


def test_an_unanswered_create_that_was_never_seen_has_failed(story: Story) -> None:
    row = story.sent(story.iteration(), "a")
    assert row.outcome is Outcome.FAILED
    assert row.explanation
    assert "before the server answered" in row.explanation


def test_an_object_that_fails_after_it_was_ready_has_failed(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.becomes(row, "Running")
    story.becomes(row, "Failed")
    assert row.outcome is Outcome.FAILED
    assert (scope.ready, scope.failed) == (0, 1)


def test_an_object_that_succeeds_before_it_was_asked_to_go_has_failed(story: Story) -> None:
    row = story.created(story.iteration(), "a")
    story.becomes(row, "Succeeded")
    assert row.outcome is Outcome.FAILED


def test_an_object_that_ends_after_it_was_asked_to_go_has_not_failed(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.becomes(row, "Running")
    story.tracker.request_deletion(scope, story.tick())
    story.becomes(row, "Failed")
    story.vanishes(row)
    assert row.outcome is Outcome.READY
    assert scope.present == 0


def test_an_object_that_somebody_else_deleted_has_failed(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.becomes(row, "Running")
    story.vanishes(row)
    assert row.explanation == "somebody else deleted it"
    assert accounts_of(row.record() for row in scope.objects).deleted == 1


def test_an_object_that_had_gone_before_it_was_asked_to_has_failed(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.becomes(row, "Running")
    gone_s, asked_s = story.tick(), story.tick()
    story.tracker.request_deletion(scope, asked_s)
    metadata = story.metadata("a", deleting=True)
    story.tracker.observe(row.resource, "DELETED", metadata, Reading(), gone_s)
    assert row.explanation == "somebody else deleted it"
    assert (row.delete_requested_s, row.deleted_s) == (None, gone_s)


def test_an_object_that_somebody_else_asked_to_go_has_not_ended_by_itself(story: Story) -> None:
    row = story.created(story.iteration(), "a")
    metadata = story.metadata("a", deleting=True)
    story.seen("MODIFIED", metadata, "Succeeded", failure="it ended in phase Succeeded")
    assert row.explanation == "somebody else deleted it"


def test_what_happened_before_the_run_asked_is_not_its_doing_however_late_it_is_heard_of(
    story: Story,
) -> None:
    scope = story.iteration(4)
    rows = [story.created(scope, name) for name in "abcd"]
    for row in rows:
        story.becomes(row, "Running")
    deleted, failed = story.metadata("a", deleting=True), story.metadata("b")
    left, stays = story.metadata("c"), story.metadata("d")
    story.tracker.request_deletion(scope, story.tick(), {VMI.name: int(left.resource_version)})
    story.seen("MODIFIED", deleted, "Running")
    story.seen("MODIFIED", failed, "Failed", failure="it ended in phase Failed")
    [doubt] = story.seen("DELETED", left, "Running")
    story.tracker.confirm_gone(doubt.subject, story.tick())
    story.seen("MODIFIED", stays, "Failed", failure="it ended in phase Failed")
    for row in rows[:2]:
        story.vanishes(row)
    story.seen("DELETED", story.metadata("d"), "Failed")
    assert [row.explanation for row in rows] == [
        "somebody else deleted it", "it ended in phase Failed", "somebody else deleted it", None,
    ]  # fmt: skip
    assert (scope.ready, scope.failed, scope.deleted, scope.present) == (1, 3, 4, 0)


def test_what_the_run_deleted_by_itself_is_its_doing_also_where_it_deletes_all_the_rest_meanwhile(
    story: Story,
) -> None:
    scope = story.iteration(2)
    going, rest = story.created(scope, "a"), story.created(scope, "b")
    for row in (going, rest):
        story.becomes(row, "Running")
    story.tracker.request_deletion_of(going, story.tick())
    deleted = story.metadata("a", deleting=True)
    version = int(story.metadata("c").resource_version)
    for _ in range(2):  # the end of its iteration, and that of the run
        story.tracker.request_deletion(scope, story.tick(), {VMI.name: version})
    story.seen("MODIFIED", deleted, "Running")
    story.vanishes(going)
    story.vanishes(rest)
    assert [row.outcome for row in (going, rest)] == [Outcome.READY] * 2
    assert going.delete_requested_s is not None
    assert (scope.ready, scope.failed, scope.deleted) == (2, 0, 2)


def test_what_leaves_the_watch_is_looked_at_before_it_is_called_gone(story: Story) -> None:
    scope = story.iteration(2)
    gone, stripped = story.created(scope, "a"), story.created(scope, "b")
    for row in (gone, stripped):
        story.becomes(row, "Running")
        assert [each.kind for each in story.leaves_the_watch(row)] == [TransitionKind.DOUBTED]
    heard_s = story.now - 2
    assert (scope.present, scope.deleted, scope.doubted) == (2, 0, 2)
    story.tracker.confirm_gone(gone, story.tick())
    story.found(stripped, labelled=False)
    assert (scope.present, scope.deleted, scope.doubted) == (1, 1, 0)
    assert (gone.explanation, gone.deleted_s) == ("somebody else deleted it", heard_s)
    assert (stripped.outcome, stripped.unlabelled) == (Outcome.READY, True)


def test_an_object_that_loses_its_labels_before_it_is_ready_has_failed(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.leaves_the_watch(row)
    story.found(row, labelled=False)
    assert row.explanation
    assert "took the run's labels" in row.explanation
    assert scope.undecided == 0


def test_an_object_that_was_created_without_labels_has_failed_and_no_list_calls_it_gone(
    story: Story,
) -> None:
    scope = story.iteration()
    row = story.sent(scope, "a")
    story.listed(version=1000)
    metadata = story.metadata("a")
    story.tracker.accept(row, metadata, story.tick(), is_ready=True, is_labelled=False)
    assert row.outcome is Outcome.FAILED
    assert scope.undecided == 0
    story.tracker.request_deletion_of(row, story.tick())
    story.listed(version=2000)
    assert row.present
    story.tracker.confirm_gone(row, story.tick())
    accounts = accounts_of(row.record() for row in scope.objects)
    assert (accounts.created, accounts.failed, accounts.deleted) == (1, 1, 1)


def test_what_is_found_with_its_labels_is_followed_on(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.leaves_the_watch(row)
    story.found(row, labelled=True)
    story.becomes(row, "Running")
    assert row.outcome is Outcome.READY
    assert scope.doubted == 0


def test_what_becomes_ready_after_the_wait_stays_unready(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.tracker.close_readiness(scope)
    story.becomes(row, "Running")
    assert row.outcome is Outcome.UNREADY
    assert "Running" in row.phases_s.names


def test_what_becomes_ready_after_its_deletion_was_asked_for_stays_unready(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.tracker.request_deletion(scope, story.tick())
    story.becomes(row, "Running")
    assert row.outcome is Outcome.UNREADY


def test_what_an_object_says_while_it_goes_is_not_why_it_was_not_ready(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    waiting, going = "Unschedulable: no room", "PodTerminating: its pod is terminating"
    for detail, deleting in ((waiting, False), (going, False), (going, True)):
        reading = Reading(phase="Scheduling", detail=detail)
        metadata = story.metadata("a", deleting=deleting)
        story.tracker.observe(VMI, "MODIFIED", metadata, reading, story.tick())
        story.tracker.request_deletion(scope, story.tick())
    assert row.detail == waiting


def test_what_a_relist_does_not_hold_is_gone(story: Story) -> None:
    scope = story.iteration(2)
    stays, goes = story.created(scope, "stays"), story.created(scope, "goes")
    story.tracker.request_deletion(scope, story.tick())
    story.listed(story.metadata("stays"))
    assert stays.present
    assert goes.deleted_s is not None


def test_a_relist_does_not_judge_what_was_created_after_it(story: Story) -> None:
    before = story.version
    row = story.created(story.iteration(), "a")
    story.listed(version=before)
    assert row.present


def test_a_relist_brings_what_was_missed(story: Story) -> None:
    scope = story.iteration()
    row = story.sent(scope, "a")
    story.listed(story.metadata("a"))
    assert row.uid == "uid-a"
    assert scope.created == 1


def test_a_child_is_known_by_its_labels_and_counted_apart(story: Story) -> None:
    scope = story.iteration()
    owner = story.created(scope, "a", resource=VM)
    story.seen("ADDED", story.metadata("a", uid="child", owner=owner.uid), "Running")
    (child,) = scope.children
    assert (scope.present, scope.present_children) == (1, 1)
    assert child.outcome is Outcome.READY
    assert child.owner_uid == owner.uid
    assert scope.ready == 0


def test_a_child_that_its_controller_replaces_has_not_failed(story: Story) -> None:
    scope = story.iteration()
    story.created(scope, "a", resource=VM)
    story.seen("ADDED", story.metadata("b", uid="child"), "Running")
    story.seen("DELETED", story.metadata("b", uid="child"), "Running")
    assert scope.children[0].outcome is Outcome.READY
    assert scope.present_children == 0


def test_a_child_that_appears_during_the_deletion_counts_as_asked_to_go(story: Story) -> None:
    scope = story.iteration()
    story.created(scope, "a", resource=VM)
    story.tracker.request_deletion(scope, story.tick())
    story.seen("ADDED", story.metadata("b", uid="child"))
    assert accounts_of(row.record() for row in scope.children).leftover == 1


def test_a_child_whose_readiness_is_heard_of_late_was_ready(story: Story) -> None:
    scope = story.iteration()
    owner = story.created(scope, "a", resource=VM)
    story.seen("ADDED", story.metadata("b", uid="child", owner=owner.uid), "Scheduled")
    story.becomes(owner, "Running")
    story.tracker.request_deletion(scope, story.tick())
    story.seen("MODIFIED", story.metadata("b", uid="child"), "Running")
    story.seen("DELETED", story.metadata("b", uid="child", deleting=True), "Succeeded")
    assert accounts_of(row.record() for row in scope.children).ready == 1


def test_a_child_that_runs_only_while_it_goes_was_not_ready(story: Story) -> None:
    scope = story.iteration()
    story.created(scope, "a", resource=VM)
    story.seen("ADDED", story.metadata("b", uid="child"), "Scheduled")
    story.tracker.request_deletion(scope, story.tick())
    story.seen("MODIFIED", story.metadata("b", uid="child", deleting=True), "Running")
    assert accounts_of(row.record() for row in scope.children).unready == 1


def test_objects_of_two_iterations_with_the_same_name_are_told_apart_by_uid(story: Story) -> None:
    first = story.iteration()
    old = story.sent(first, "a")
    story.answered(old, uid="old")
    story.tracker.request_deletion(first, story.tick())
    second = story.iteration(number=2)
    new = story.sent(second, "a")
    story.answered(new, uid="new")
    story.seen("DELETED", story.metadata("a", uid="old"))
    assert old.deleted_s is not None
    assert new.present


def test_events_about_a_retired_iteration_are_ignored(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.tracker.retire(scope)
    story.tracker.forget(scope.rows)
    assert story.becomes(row, "Running") == []
    assert story.tracker.open_scopes() == []


def test_the_phase_counts_hold_only_what_is_in_the_cluster(story: Story) -> None:
    scope = story.iteration(2)
    first, second = story.created(scope, "a"), story.created(scope, "b")
    story.becomes(first, "Running")
    story.becomes(second, "Running")
    story.vanishes(second)
    assert +story.tracker.phases == {("VirtualMachineInstance", "Running"): 1}


_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "Pending", "Running", "Failed", "delete", "gone", "list"]),
        st.integers(0, 2),
    ),
    max_size=40,
)


@given(_EVENTS)
def test_the_accounts_add_up_whatever_happens(events: list[tuple[str, int]]) -> None:
    story = Story()
    scope = story.iteration(3)
    rows = [story.sent(scope, f"vmi-{number}") for number in range(3)]
    for event, number in events:
        row = rows[number]
        metadata = story.metadata(row.name)
        match event:
            case "answer":
                story.answered(row)
            case "delete":
                story.tracker.request_deletion(scope, story.tick())
            case "gone":
                story.seen("DELETED", metadata)
            case "list":
                story.listed(metadata)
            case phase:
                failure = "it failed" if phase == "Failed" else None
                story.seen("MODIFIED", metadata, phase, failure=failure)
    accounts = accounts_of(row.record() for row in scope.objects)
    assert accounts.balanced
    assert accounts.requested == 3
    assert accounts.created == scope.created
    assert accounts.deleted == scope.deleted
    assert accounts.ready == scope.ready
    assert scope.present == accounts.created - accounts.deleted
    assert 0 <= scope.undecided <= 3


def test_a_late_event_of_what_churn_has_let_go_is_no_child(story: Story) -> None:
    scope = story.iteration(2)
    row, stays = story.created(scope, "a"), story.created(scope, "b")
    story.tracker.request_deletion_of(row, story.tick())
    story.tracker.confirm_gone(row, story.tick())
    story.tracker.release([row])
    scope.drop({row}, ())
    story.seen("MODIFIED", story.metadata("a", deleting=True), "Running")
    assert scope.children == []
    assert scope.objects == [stays]
    assert (scope.present, scope.deleted, scope.created) == (1, 1, 2)


def test_objects_of_a_round_of_churn_count_anew_and_what_is_made_for_them_is_theirs(
    story: Story,
) -> None:
    scope = story.iteration(1)
    story.created(scope, "a", resource=VM)
    story.tracker.close_readiness(scope)
    scope.extend(1)
    assert scope.requested == 2
    new = story.created(scope, "b", resource=VM)
    story.seen("ADDED", story.metadata("b", uid="child", owner=new.uid))
    story.tracker.adopt(scope, [new], 3)
    assert [child.round for child in scope.children] == [3]


def test_a_phase_that_is_seen_first_after_readiness_is_apart(story: Story) -> None:
    row = story.created(story.iteration(), "a", resource=VM)
    for phase in ("Stopped", "Running", "Stopping", "Stopped", "Starting", "Running"):
        story.becomes(row, phase)
    record = row.record()
    assert list(record.phases_s) == ["Stopped", "Running"]
    assert list(record.later_phases_s) == ["Stopping", "Stopped", "Starting", "Running"]
    assert row.phase == "Running"


def test_children_that_come_after_an_operation_on_what_was_ready_are_made_by_it(
    story: Story,
) -> None:
    scope = story.iteration(2)
    owner, other = (story.created(scope, name, resource=VM) for name in ("a", "b"))
    story.seen("ADDED", story.metadata("a", uid="first", owner=owner.uid), "Running")
    story.tracker.operate(other, "patch")  # which is not ready yet
    story.seen("ADDED", story.metadata("b", uid="of-b", owner=other.uid), "Running")
    story.becomes(owner, "Running")
    story.seen("ADDED", story.metadata("late", uid="late", owner=owner.uid), "Running")
    story.tracker.operate(owner, "restart")
    story.seen("ADDED", story.metadata("a", uid="second", owner=owner.uid), "Running")
    story.seen("ADDED", story.metadata("pod", uid="pod", owner="second"))
    made_by = {child.uid: child.made_by for child in scope.children}
    assert made_by == {
        "first": None, "of-b": None, "late": None, "second": "restart", "pod": "restart",
    }  # fmt: skip


def test_a_child_in_the_place_of_another_is_a_replacement_once_its_owner_was_ready(
    story: Story,
) -> None:
    scope = story.iteration()
    owner = story.created(scope, "a", resource=VM)
    for uid in ("crashed", "first"):  # the first start may take several
        story.seen("ADDED", story.metadata("a", uid=uid, owner=owner.uid), "Scheduling")
        if uid == "crashed":
            story.seen("MODIFIED", story.metadata("a", uid=uid), "Failed", failure="it ended")
    story.becomes(owner, "Running")
    story.seen("MODIFIED", story.metadata("a", uid="first"), "Succeeded", failure="it ended")
    story.seen("ADDED", story.metadata("a", uid="second", owner=owner.uid), "Running")
    assert [child.made_by for child in scope.children] == [None, None, REPLACEMENT]


def test_what_is_in_a_namespace_is_known_as_it_comes_and_goes(story: Story) -> None:
    scope = story.iteration(3)
    rows = [story.created(scope, name) for name in ("a", "b")]
    assert set(story.tracker.contents_of("ns")) == set(rows)
    rows.append(story.created(scope, "c"))
    assert set(story.tracker.contents_of("ns")) == set(rows)
    story.tracker.forget(rows[:1])
    assert set(story.tracker.contents_of("ns")) == set(rows[1:])
    assert story.tracker.contents_of("other") == []

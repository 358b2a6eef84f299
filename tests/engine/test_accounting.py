from tracker_story import VM, VMI, Story

from perfscale.engine.tracking.readiness import rule_for
from perfscale.engine.tracking.rows import IterationScope
from perfscale.results import Accounts, IterationTally

PATHS = {resource.kind: rule_for(resource).path for resource in (VM, VMI)}


def tally_of(scope: IterationScope) -> IterationTally:
    tally = IterationTally(PATHS, children=True)
    tally.add(row.record() for row in scope.objects)
    tally.add((row.record() for row in scope.children), children=True)
    return tally


def test_latencies_count_from_the_create_request(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    for phase in ("Pending", "Scheduling", "Scheduled", "Running"):
        story.becomes(row, phase)
    tally = tally_of(scope).kinds["VirtualMachineInstance"]
    # Sent at 1, answered at 2, then a phase at each second.
    assert {phase: list(samples.values) for phase, samples in tally.phases.items()} == {
        "Pending": [2.0],
        "Scheduling": [3.0],
        "Scheduled": [4.0],
        "Running": [5.0],
        "Ready": [5.0],
    }


def test_an_object_that_is_stuck_is_missing_from_the_phases_it_did_not_reach(
    story: Story,
) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.becomes(row, "Scheduling")
    phases = tally_of(scope).kinds["VirtualMachineInstance"].phases
    assert {phase: samples.missing for phase, samples in phases.items()} == {
        "Pending": 1,
        "Scheduling": 0,
        "Scheduled": 1,
        "Running": 1,
        "Ready": 1,
    }


def test_a_refused_object_counts_as_never_ready(story: Story) -> None:
    scope = story.iteration()
    story.tracker.refuse(story.sent(scope, "a"), "Invalid: no", certain=True)
    tally = tally_of(scope).kinds["VirtualMachineInstance"]
    assert tally.phases["Ready"].missing == 1
    assert tally.accounts == Accounts(requested=1, failed=1)


def test_an_object_that_failed_after_it_was_ready_has_no_ready_latency(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.becomes(row, "Running")
    story.becomes(row, "Failed")
    ready = tally_of(scope).kinds["VirtualMachineInstance"].phases["Ready"]
    assert (list(ready.values), ready.missing) == ([], 1)


def test_an_object_that_was_never_sent_is_missing_from_nothing(story: Story) -> None:
    scope = story.iteration()
    story.tracker.schedule(scope, VM, "ns", "a", replica=1)
    tally = tally_of(scope).kinds["VirtualMachine"]
    assert tally.accounts == Accounts(requested=1, not_attempted=1)
    assert tally.phases == {}


def test_deletion_counts_from_the_request_to_delete(story: Story) -> None:
    scope = story.iteration(2)
    gone, stays = story.created(scope, "a"), story.created(scope, "b")
    story.tracker.request_deletion(scope, story.tick())
    story.vanishes(gone)
    deletion = tally_of(scope).kinds["VirtualMachineInstance"].deletion
    assert (list(deletion.values), deletion.missing) == ([1.0], 1)
    assert stays.present


def test_a_childs_latencies_count_from_its_owners_create_request(story: Story) -> None:
    scope = story.iteration()
    owner = story.sent(scope, "a", resource=VM)
    # The child is seen before the owner's create is even answered.
    story.seen("ADDED", story.metadata("a", uid="child", owner="uid-a"), "Pending")
    story.answered(owner, uid="uid-a")
    tally = tally_of(scope).child_kinds["VirtualMachineInstance"]
    assert list(tally.phases["Pending"].values) == [1.0]


def test_a_record_tells_one_objects_life(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.becomes(row, "Running")
    record = row.record()
    assert (record.kind, record.namespace, record.name) == ("VirtualMachineInstance", "ns", "a")
    assert (record.sent_s, record.created_s, record.ready_s) == (1.0, 2.0, 3.0)
    assert record.server == {"creationTimestamp": "2026-01-01T00:00:00Z"}
    assert record.error is None

"""The tracker, of a cluster that goes back to an older state: a list is the truth."""

from tracker_story import Story

from perfscale.engine.tracking.rows import TransitionKind


def test_what_a_list_of_an_older_version_does_not_hold_is_gone(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.tracker.go_back(5, story.tick())
    changes = story.listed(version=5, asked_s=story.tick())
    assert [each.kind for each in changes] == [TransitionKind.DOUBTED]
    story.tracker.confirm_gone(row, story.tick())
    assert row.error == "it was lost when the cluster went back to an older state"
    assert (scope.present, scope.failed) == (0, 1)


def test_what_was_created_after_such_a_list_was_asked_for_is_left_alone(story: Story) -> None:
    asked_s = story.tick()
    row = story.created(story.iteration(), "a")
    assert story.listed(version=5, asked_s=asked_s) == []
    assert row.present


def test_what_had_been_asked_to_go_is_gone_whatever_the_version(story: Story) -> None:
    scope = story.iteration()
    row = story.created(scope, "a")
    story.tracker.request_deletion(scope, story.tick(), {row.resource.name: 1000})
    story.tracker.go_back(5, story.tick())
    story.listed(version=5, asked_s=story.tick())
    assert not row.present
    assert (scope.deleted, scope.failed) == (1, 0)


def test_creates_of_a_younger_version_than_an_older_list_are_not_taken_for_gone(
    story: Story,
) -> None:
    story.listed(version=100_000)
    story.tracker.go_back(5, story.tick())
    row = story.created(story.iteration(), "a")
    assert row.present
    assert row.doubted_s is None

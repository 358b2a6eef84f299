"""Thresholds that end a run: as soon as they are lost for good, and not before."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracker_story import Story
from workloads import config, objects, workload

from perfscale.config import Threshold
from perfscale.engine.accounting.abort_thresholds import AbortThresholds
from perfscale.engine.tracking.rows import IterationScope
from perfscale.results import (
    Accounts,
    Calls,
    KindResult,
    LatencySamples,
    Rate,
    WorkloadPlan,
    WorkloadResult,
)
from perfscale.results.verdicts.thresholds import judge_threshold

VMI = "VirtualMachineInstance"
MINUTE_S = 60.0


class Watched:
    """The thresholds of one workload of so many instances, and a story to look at."""

    def __init__(self, story: Story, count: int, *thresholds: dict[str, Any], **keys: Any) -> None:
        self.story = story
        self.calls = Calls()
        limits = [{"abortOnFail": True, **threshold} for threshold in thresholds]
        load = config(workload(objects(count=count), thresholds=limits, **keys))
        info = WorkloadPlan("density", 1, {VMI: count}, None, 1)
        self.threshold = load.workloads[0].thresholds[0]
        self.thresholds = AbortThresholds(load, [info], lambda _: self.calls)
        self.scope: IterationScope = story.iteration(count)

    def lost(self, now: float | None = None) -> str | None:
        error = self.thresholds.check([self.scope], self.story.now if now is None else now)
        return None if error is None else str(error)


def ready(quantile: str, most: str) -> dict[str, Any]:
    return {"metric": "vmiReady", "quantile": quantile, "max": most}


def test_a_ready_object_still_has_to_come_to_a_milestone_in_time(story: Story) -> None:
    agent = {"metric": "vmiAgentConnected", "quantile": "max", "max": "1m"}
    watched = Watched(story, 1, agent)
    row = story.created(watched.scope, "a")
    story.becomes(row, "Running")
    assert row.sent_s is not None
    assert watched.lost(row.sent_s + MINUTE_S) is None
    assert watched.lost(row.sent_s + MINUTE_S + 1) is not None


def test_an_object_that_was_asked_to_go_before_its_time_was_up_may_have_been_in_time(
    story: Story,
) -> None:
    agent = {"metric": "vmiAgentConnected", "quantile": "max", "max": "1m"}
    watched = Watched(story, 1, agent)
    row = story.created(watched.scope, "a")
    story.becomes(row, "Running")
    assert row.sent_s is not None
    row.delete_requested_s = row.sent_s + 30
    assert watched.lost(row.sent_s + 2 * MINUTE_S) is None


def test_an_object_whose_time_is_up_counts_before_it_gets_there(story: Story) -> None:
    watched = Watched(story, 2, ready("max", "1m"))
    row = story.created(watched.scope, "a")
    assert row.sent_s is not None
    assert watched.lost(row.sent_s + MINUTE_S) is None
    told = watched.lost(row.sent_s + MINUTE_S + 1)
    assert told is not None
    assert "density: vmiReady max cannot be met any more: 1 of 2 have taken longer than 1m" in told


def missed(threshold: Threshold, latencies: LatencySamples) -> bool:
    """Whether the verdict at the end is that the threshold was missed."""
    nothing = LatencySamples().summarize()
    kind = KindResult(Accounts(), {"Ready": latencies.summarize()}, nothing)
    rate = Rate(target=None, achieved=None, held_back_s=0.0)
    result = WorkloadResult(
        name="density", iteration_count=1, iterations=(), accounts=Accounts(), children=Accounts(),
        rate=rate, kinds={VMI: kind}, child_kinds={},
    )  # fmt: skip
    return not judge_threshold(threshold, result).passed


@given(
    st.lists(st.none() | st.floats(0, 200), min_size=1, max_size=12),
    st.sampled_from(["p50", "p90", "p95", "p99", "p99.9", "max"]),
    st.integers(1, 400),
)
def test_what_is_called_lost_is_missed_in_the_end_whatever_comes_after(
    took_s: list[float | None], quantile: str, now_s: int
) -> None:
    story = Story()
    watched = Watched(story, len(took_s), ready(quantile, "1m"))
    latencies = LatencySamples()
    for number, latency_s in enumerate(took_s):
        row = story.created(watched.scope, str(number))
        assert row.sent_s is not None
        if latency_s is None:
            latencies.add_missing()
            continue
        latencies.add(latency_s)
        if row.sent_s + latency_s <= now_s:
            row.ready_s = row.sent_s + latency_s
    if watched.lost(now_s) is not None:
        assert missed(watched.threshold, latencies)


def test_what_got_there_in_time_does_not_count_however_late_it_is_looked_at(story: Story) -> None:
    watched = Watched(story, 2, ready("max", "1m"))
    story.becomes(story.created(watched.scope, "a"), "Running")
    assert watched.lost(1000 * MINUTE_S) is None


@pytest.mark.parametrize(("quantile", "enough"), [("p50", 6), ("p90", 2), ("p99", 2), ("max", 1)])
def test_a_percentile_is_lost_once_the_rest_cannot_bring_it_back(
    quantile: str, enough: int, story: Story
) -> None:
    watched = Watched(story, 10, ready(quantile, "1m"))
    for number in range(enough - 1):
        story.created(watched.scope, str(number))
    assert watched.lost(10 * MINUTE_S) is None
    story.now = 10 * MINUTE_S
    story.created(watched.scope, "last")
    assert watched.lost(20 * MINUTE_S) is not None


def test_a_phase_that_was_skipped_on_the_way_to_readiness_counts_for_nothing(
    story: Story,
) -> None:
    watched = Watched(story, 1, {"metric": "vmiScheduling", "quantile": "max", "max": "1m"})
    story.becomes(story.created(watched.scope, "a"), "Running")
    assert watched.lost(10 * MINUTE_S) is None


def test_an_object_that_failed_never_gets_there(story: Story) -> None:
    watched = Watched(story, 1, ready("p99", "1m"))
    row = story.created(watched.scope, "a")
    story.becomes(row, "Running")
    story.becomes(row, "Failed")
    assert watched.lost(10 * MINUTE_S) is not None


def test_the_deletion_counts_from_when_it_was_asked_for(story: Story) -> None:
    watched = Watched(story, 1, {"metric": "vmiDeletion", "quantile": "p50", "max": "1m"})
    story.created(watched.scope, "a")
    assert watched.lost(10 * MINUTE_S) is None
    story.tracker.request_deletion(watched.scope, 10 * MINUTE_S)
    assert watched.lost(11 * MINUTE_S) is None
    assert watched.lost(12 * MINUTE_S) is not None


def test_an_iteration_that_is_let_go_keeps_counting(story: Story) -> None:
    watched = Watched(story, 4, ready("max", "1m"), {"metric": "failed", "max": 1})
    story.becomes(story.created(watched.scope, "a"), "Failed")
    story.created(watched.scope, "b")
    assert watched.lost() is None
    watched.thresholds.close(watched.scope)
    watched.scope = story.iteration(2, number=2)
    told = watched.lost()
    assert told is not None
    assert "2 of 4" in told


def test_a_number_of_failures_is_lost_with_the_first_that_is_too_many(story: Story) -> None:
    watched = Watched(story, 10, {"metric": "failed", "max": "10%"})
    story.becomes(story.created(watched.scope, "a"), "Failed")
    assert watched.lost() is None
    story.becomes(story.created(watched.scope, "b"), "Failed")
    told = watched.lost()
    assert told == ("density: failed cannot be met any more: it is 2, and at most 10% is wanted")


def test_errors_of_the_api_are_counted_as_they_come(story: Story) -> None:
    watched = Watched(story, 10, {"metric": "apiErrors", "max": 2})
    for _ in range(2):
        watched.calls.of(("create", "pods")).answer(500, 0.1)
    assert watched.lost() is None
    watched.calls.of(("list", "pods")).timeouts += 1
    assert watched.lost() is not None


def test_a_threshold_that_does_not_ask_for_it_ends_nothing(story: Story) -> None:
    watched = Watched(story, 2, {**ready("max", "1m"), "abortOnFail": False})
    story.created(watched.scope, "a")
    assert watched.lost(10 * MINUTE_S) is None


def test_children_of_which_nobody_knows_how_many_come_are_left_to_the_end(story: Story) -> None:
    watched = Watched(story, 2, {"metric": "podReady", "quantile": "max", "max": "1s"})
    story.created(watched.scope, "a")
    assert watched.lost(10 * MINUTE_S) is None


def test_what_churn_deletes_and_creates_leaves_the_count_of_the_first_objects_right(
    story: Story,
) -> None:
    watched = Watched(story, 4, ready("p50", "1m"))
    scope = watched.scope
    rows = [story.created(scope, name) for name in "abcd"]
    for row in rows[:2]:
        story.becomes(row, "Running")
    story.now += MINUTE_S  # the other two are late
    assert watched.lost() is None
    gone = {rows[0], rows[2]}
    watched.thresholds.drop(scope, gone)
    scope.drop(gone, ())
    new = story.sent(scope, "e")
    new.round = 1
    # Two of the four are late; the new one, which would be the third, is none of them.
    assert watched.lost(story.now + 2 * MINUTE_S) is None
    watched.thresholds.close(scope)

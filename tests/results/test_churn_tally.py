"""Latencies of churn: apart from the first objects, by round, and in bounded memory."""

from __future__ import annotations

from typing import Any

import pytest
from lives import record

from perfscale.results import ObjectRecord
from perfscale.results.measure.statistics.percentiles import percentile
from perfscale.results.measure.tallies.churn import MOST_ROUNDS, ChurnTally, SketchedLatency
from perfscale.results.measure.tallies.kinds import IterationTally
from perfscale.results.model.records import Outcome


def churned(created_in: int | None, deleted_in: int | None, **facts: Any) -> ObjectRecord:
    """Ready after two seconds, in a round or at first, and gone three after it was asked to go."""
    times = {"sent_s": 1.0, "created_s": 1.5, "ready_s": 3.0, "phases_s": {"Running": 3.0}}
    if deleted_in is not None:
        times |= {"delete_requested_s": 10.0, "deleted_s": 13.0}
    return record(**{**times, "round": created_in, "replaced_in": deleted_in, **facts})


def tallied(*records: ObjectRecord) -> ChurnTally:
    tally = ChurnTally()
    for each in records:
        tally.measure(each, each.sent_s, ("Running",))
    return tally


def test_what_is_created_in_a_round_and_deleted_in_another_counts_in_each() -> None:
    result = tallied(churned(None, 1), churned(1, 3), churned(2, None)).result()
    assert [(each.first, each.last) for each in result.rounds] == [(1, 1), (2, 2), (3, 3)]
    assert [each.ready.count for each in result.rounds] == [1, 1, 0]
    assert [each.deletion.count for each in result.rounds] == [1, 0, 1]
    assert result.phases["Ready"].count == result.phases["Running"].count == 2
    assert result.phases["Ready"].p99 == pytest.approx(2.0, rel=0.01)
    assert result.deletion.max == 3.0
    assert result.creation is not None
    assert result.creation.mean == 0.5


def test_the_first_objects_are_measured_without_what_churn_did() -> None:
    tally = IterationTally({"Pod": ("Running",)}, children=False)
    cleanup = {"delete_requested_s": 20.0, "deleted_s": 21.0}
    tally.add([churned(None, None, **cleanup), churned(None, 1), churned(1, None, **cleanup)])
    pods = tally.kinds["Pod"].result()
    assert pods.accounts.requested == pods.accounts.deleted == 3
    assert pods.phases["Ready"].count == 2
    # Those of the cleanup; that of the churn is apart.
    assert (pods.deletion.count, pods.deletion.max) == (2, 1.0)
    assert pods.churn is not None
    assert (pods.churn.deletion.count, pods.churn.phases["Ready"].count) == (1, 1)


def test_what_is_never_ready_is_longer_than_every_sample() -> None:
    failed = churned(1, None, ready_s=None, phases_s={}, outcome=Outcome.UNREADY)
    ready = tallied(*[churned(1, None)] * 9, failed).result().phases["Ready"]
    assert (ready.count, ready.missing, ready.max, ready.p99) == (9, 1, None, None)
    assert ready.p50 == 2.0
    assert tallied(churned(1, None), failed).result().phases["Running"].missing == 1


@pytest.mark.parametrize("missing", [0, 1, 5, 50, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 99, 100])
def test_percentiles_are_those_of_the_samples_with_what_is_missing_at_the_end(
    count: int, missing: int
) -> None:
    latency = SketchedLatency()
    samples = [1.0 + number for number in range(count)]
    for each in (*samples, *[None] * missing):
        latency.add(each)
    summary = latency.summarize()
    for quantile, value in ((0.5, summary.p50), (0.9, summary.p90), (0.99, summary.p99)):
        exact = percentile(samples, quantile, missing=missing)
        assert value == (None if exact is None else pytest.approx(exact, rel=0.011))


def test_rounds_without_end_are_counted_together_and_none_is_lost() -> None:
    tally = ChurnTally()
    rounds = 5 * MOST_ROUNDS + 1
    for number in range(1, rounds + 1):
        tally.measure(churned(number, number + 1), 1.0)
    result = tally.result()
    assert len(result.rounds) <= MOST_ROUNDS
    assert result.rounds[0].first == 1
    assert result.rounds[-1].last == rounds + 1
    for one, other in zip(result.rounds, result.rounds[1:], strict=False):
        assert other.first == one.last + 1
    assert sum(each.ready.count for each in result.rounds) == rounds
    assert sum(each.deletion.count for each in result.rounds) == rounds


@pytest.mark.parametrize("first_rounds", [3, 3 * MOST_ROUNDS])
def test_tallies_of_several_iterations_add_up_whichever_has_more_rounds(first_rounds: int) -> None:
    total, other = ChurnTally(), ChurnTally()
    for number in range(1, first_rounds + 1):
        total.measure(churned(number, None), 1.0)
    for number in range(1, 2 * MOST_ROUNDS):
        other.measure(churned(number, None), 1.0)
    total.add(other)
    result = total.result()
    assert sum(each.ready.count for each in result.rounds) == first_rounds + 2 * MOST_ROUNDS - 1
    assert result.rounds[0].ready.count >= 2
    assert len(result.rounds) <= MOST_ROUNDS

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.results.measure.statistics.sketch import RELATIVE_ERROR, Sketch

latencies = st.lists(st.floats(1e-6, 36000), min_size=1, max_size=200)


def sketch(*values: float) -> Sketch:
    result = Sketch()
    for value in values:
        result.count(value)
    return result


@given(latencies)
def test_a_percentile_is_within_one_per_cent_of_the_sample_of_its_rank(
    values: list[float],
) -> None:
    summary = sketch(*values).summarize()
    found = (summary.p50, summary.p90, summary.p95, summary.p99, summary.p999)
    for percentile, quantile in zip(found, (0.5, 0.9, 0.95, 0.99, 0.999), strict=True):
        exact = float(np.quantile(values, quantile, method="lower"))
        assert percentile == pytest.approx(exact, rel=RELATIVE_ERROR * 1.000001)


@given(latencies)
def test_the_ends_and_the_mean_are_exact(values: list[float]) -> None:
    summary = sketch(*values).summarize()
    assert (summary.count, summary.min, summary.max) == (len(values), min(values), max(values))
    assert summary.mean == pytest.approx(sum(values) / len(values))


@given(latencies, latencies)
def test_two_sketches_add_up_to_that_of_all_samples(some: list[float], others: list[float]) -> None:
    together = sketch(*some)
    together.add(sketch(*others))
    of_all = sketch(*some, *others)
    assert together.buckets == of_all.buckets
    assert together.summarize().p99 == of_all.summarize().p99


@given(latencies, st.lists(st.floats(1e-5, 36000), max_size=20).map(sorted))
def test_samples_are_counted_up_to_each_bound_within_one_per_cent_of_it(
    values: list[float], bounds: list[float]
) -> None:
    *found, everything = sketch(*values).cumulate(bounds)
    assert everything == len(values)
    for bound, count in zip(bounds, found, strict=True):
        margin = RELATIVE_ERROR * 1.02
        fewest = sum(value <= bound * (1 - margin) for value in values)
        most = sum(value <= bound * (1 + margin) for value in values)
        assert fewest <= count <= most


def test_a_copy_does_not_count_on() -> None:
    original = sketch(1.0)
    kept = original.copy()
    original.count(2.0)
    assert kept == sketch(1.0)


def test_however_many_samples_there_are_the_buckets_are_few() -> None:
    of_many = sketch(*np.random.default_rng(1).lognormal(-4, 2, size=100_000).tolist())
    assert len(of_many.buckets) < 1200


def test_what_took_no_time_is_counted_too() -> None:
    summary = sketch(0.0, -0.001).summarize()
    assert (summary.count, summary.min, summary.max) == (2, -0.001, 0.0)

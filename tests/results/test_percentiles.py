import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.results.measure.statistics.percentiles import LatencySamples, percentile


def samples(*values: float, missing: int = 0) -> LatencySamples:
    result = LatencySamples()
    for value in values:
        result.add(value)
    for _ in range(missing):
        result.add_missing()
    return result


def test_without_samples_there_are_no_statistics() -> None:
    summary = samples().summarize()
    assert summary.count == summary.missing == 0
    assert summary.min is summary.p50 is summary.p99 is summary.max is summary.mean is None


def test_percentiles_interpolate_between_the_closest_ranks() -> None:
    summary = samples(4, 1, 3, 2).summarize()
    assert summary.p50 == 2.5
    assert summary.p90 == pytest.approx(3.7)
    assert (summary.min, summary.max, summary.mean) == (1, 4, 2.5)


def test_a_single_sample_is_every_percentile() -> None:
    summary = samples(7).summarize()
    assert {summary.p50, summary.p90, summary.p95, summary.p99, summary.p999, summary.max} == {7}


def test_with_five_of_a_hundred_missing_p99_is_not_reached_but_p90_is() -> None:
    summary = samples(*range(1, 96), missing=5).summarize()
    assert summary.p90 == pytest.approx(90.1)
    assert summary.p99 is None
    assert summary.max is None
    assert summary.mean is None
    assert (summary.count, summary.missing) == (95, 5)


def test_p95_is_not_reached_if_it_lies_between_a_sample_and_a_missing_one() -> None:
    assert samples(*range(95), missing=5).summarize().p95 is None


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=50),
    st.integers(0, 20),
    st.floats(0, 1),
)
def test_a_missing_object_counts_as_longer_than_every_sample(
    values: list[float], missing: int, quantile: float
) -> None:
    ordered = sorted(values)
    result = percentile(ordered, quantile, missing=missing)
    everything = [*ordered, *[math.inf] * missing]
    rank = (len(everything) - 1) * quantile
    neighbours = everything[math.floor(rank)], everything[math.ceil(rank)]
    if math.inf in neighbours:
        assert result is None
    else:
        assert result is not None
        assert neighbours[0] <= result <= neighbours[1]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_percentiles_are_those_of_numpy(values: list[float]) -> None:
    summary = samples(*values).summarize()
    ours = [summary.p50, summary.p90, summary.p95, summary.p99, summary.p999]
    assert ours == [float(np.quantile(values, q)) for q in (0.5, 0.9, 0.95, 0.99, 0.999)]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0, 1e6), st.booleans())
def test_what_is_counted_after_a_summary_is_in_the_next(
    values: list[float], later: float, missing: bool
) -> None:
    counted, whole = samples(*values), samples(*values, later, missing=missing)
    assert counted.summarize() == counted.summarize() == samples(*values).summarize()
    counted.extend(samples(later, missing=missing))
    assert counted.summarize() == whole.summarize()


def test_samples_that_are_folded_are_within_one_per_cent_and_keep_what_is_missing() -> None:
    chance = random.Random(7)
    exact, folded, part = LatencySamples(), LatencySamples(), LatencySamples()
    for number in range(5000):
        seconds = chance.lognormvariate(0, 1)
        exact.add(seconds)
        (part if number % 3 else folded).add(seconds)
        if number % 10 == 0:
            for each in (exact, part if number % 3 else folded):
                each.doubt(seconds, seconds / 2)
        folded.fold(500)
        part.fold(700)
    for each in (exact, folded):
        for _ in range(7):
            each.add_missing()
    folded.extend(part)
    folded.fold(500)
    assert len(folded.values) <= 500
    assert folded.total == exact.total == 5007
    truth, found = exact.summarize(), folded.summarize()
    assert (found.count, found.missing, found.min) == (truth.count, truth.missing, truth.min)
    assert found.max is found.mean is found.p999 is truth.p999 is None
    assert truth.earliest is not None
    assert found.earliest is not None
    assert found.earliest.uncertain == truth.earliest.uncertain == 500
    for name in ("p50", "p90", "p95", "p99"):
        assert getattr(found, name) == pytest.approx(getattr(truth, name), rel=0.02)
        early = getattr(truth.earliest, name)
        assert getattr(found.earliest, name) == pytest.approx(early, rel=0.02)


def test_few_samples_are_kept_as_they_are() -> None:
    samples = LatencySamples()
    for seconds in (3.0, 1.0, 2.0):
        samples.add(seconds)
    samples.fold(3)
    assert list(samples.values) == [3.0, 1.0, 2.0]

"""The two tests, against values that others have published or computed."""

import math
import random

import pytest

from perfscale.results import LatencySamples
from perfscale.results.comparison.significance import quantile_test, rank_sum_test

EARLY = [1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 7, 8]
LATE = [3, 4, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10]


def samples(values: list[float] | list[int], missing: int = 0) -> LatencySamples:
    made = LatencySamples()
    for value in values:
        made.add(value)
    for _ in range(missing):
        made.add_missing()
    return made


@pytest.mark.parametrize(
    ("base", "new", "missing", "p_value"),
    [
        # From SciPy 1.17, mannwhitneyu with alternative="greater" and method="asymptotic";
        # what is missing is infinite there.
        (EARLY, LATE, 0, 0.011679996506363203),
        (EARLY, LATE, 2, 0.004168837607442155),
        (EARLY, EARLY, 0, 0.5116680268764028),
        (
            [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29],
            [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30],
            0,
            0.06645972909265946,
        ),
    ],
)
def test_the_rank_sum_test_gives_the_values_of_scipy(
    base: list[float], new: list[float], missing: int, p_value: float
) -> None:
    assert rank_sum_test(samples(base), samples(new, missing)) == pytest.approx(p_value, rel=1e-9)


@pytest.mark.parametrize(
    ("above_base", "above_new", "size", "p_value"),
    [
        # Fisher's lady who tastes tea: The Design of Experiments (1935), chapter II.
        (0, 4, 4, 1 / 70),
        (1, 3, 4, 17 / 70),
        # From SciPy 1.17, fisher_exact with alternative="greater".
        (5, 15, 100, 0.015860019543155274),
    ],
)
def test_the_quantile_test_gives_the_values_of_fishers_exact_test(
    above_base: int, above_new: int, size: int, p_value: float
) -> None:
    def split(above: int) -> LatencySamples:
        return samples([1.0] * (size - above) + [2.0] * above)

    quantile = 1 - (above_base + above_new) / (2 * size) - 0.02
    assert quantile_test(split(above_base), split(above_new), quantile) == pytest.approx(p_value)


def test_equal_samples_are_never_different() -> None:
    equal = samples([1.0] * 50)
    assert rank_sum_test(equal, equal) == 1.0
    assert quantile_test(equal, equal, 0.5) == 1.0


def test_a_longer_tail_is_found_where_the_middle_is_the_same() -> None:
    rng = random.Random(1)
    base = [rng.random() for _ in range(1000)]
    new = sorted(rng.random() for _ in range(1000))
    new[-30:] = [value + 1 for value in new[-30:]]
    assert rank_sum_test(samples(base), samples(new)) > 0.01
    assert quantile_test(samples(base), samples(new), 0.99) < 1e-5


def test_a_missing_object_is_longer_than_every_other() -> None:
    base = samples([1.0] * 100)
    assert quantile_test(base, samples([1.0] * 80, missing=20), 0.85) < 1e-5
    assert rank_sum_test(base, samples([], missing=100)) < 1e-20


def test_where_the_quantile_was_not_reached_the_missing_objects_are_what_is_above_it() -> None:
    base = samples([1.0] * 100)
    assert quantile_test(base, samples([1.0] * 85, missing=15), 0.95) < 1e-4
    assert quantile_test(samples([1.0] * 85, missing=15), base, 0.95) == pytest.approx(1.0)
    assert quantile_test(base, samples([], missing=100), 0.9) < 1e-20
    assert quantile_test(samples([], missing=50), samples([], missing=50), 0.9) == 1.0


@pytest.mark.parametrize("size", [10, 50, 200])
def test_chance_is_taken_for_a_difference_as_rarely_as_promised(size: int) -> None:
    rng = random.Random(size)
    rounds, false = 400, 0
    for _ in range(rounds):
        base, new = (samples([rng.lognormvariate(0, 0.5) for _ in range(size)]) for _ in "ab")
        false += min(rank_sum_test(base, new), quantile_test(base, new, 0.9)) < 0.05 / 2
    assert false / rounds < 0.05 + 2 * math.sqrt(0.05 * 0.95 / rounds)

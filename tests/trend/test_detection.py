"""Where a series has changed, and how sure that is."""

import random

import pytest

from perfscale.trend.changes import Limits
from perfscale.trend.detection import find_changes


def noisy(levels: list[tuple[float, int]], *, noise: float = 0.05, seed: int = 1) -> list[float]:
    """So many values of each level, with that share of noise."""
    chance = random.Random(seed)
    return [level * (1 + chance.gauss(0, noise)) for level, count in levels for _ in range(count)]


def test_a_shift_of_a_tenth_in_noise_of_a_twentieth_is_found_and_sure() -> None:
    (change,) = find_changes(noisy([(100, 40), (110, 20)]), Limits())
    assert abs(change.index - 40) <= 3
    assert change.first <= 40 <= change.last
    assert change.p_value < 1e-3
    assert change.before == pytest.approx(100, rel=0.03)
    assert change.share == pytest.approx(0.1, abs=0.03)


def test_hardly_anything_is_found_where_nothing_changes() -> None:
    found = [bool(find_changes(noisy([(100, 60)], seed=seed), Limits())) for seed in range(200)]
    assert sum(found) <= 4  # 0.5 % are to be expected


def test_most_changes_are_found_where_there_are_ten_values_after_them() -> None:
    found = [
        any(
            abs(each.index - 90) <= 3
            for each in find_changes(noisy([(100, 90), (110, 10)], seed=seed), Limits())
        )
        for seed in range(100)
    ]
    assert sum(found) >= 75


def test_one_or_two_odd_values_are_no_change() -> None:
    values = noisy([(100, 40)])
    values[20] *= 3
    values[30:32] = [290.0, 310.0]
    assert find_changes(values, Limits()) == []
    assert find_changes([*values[:20], *values[21:30], 300.0, 310.0], Limits()) == []


def test_several_changes_are_each_found() -> None:
    values = noisy([(100, 30), (130, 30), (90, 30), (120, 8)], noise=0.03)
    assert [each.index for each in find_changes(values, Limits())] == [30, 60, 90]


def test_what_is_too_small_to_matter_is_left_out() -> None:
    values = noisy([(100, 60), (104, 60)], noise=0.01)
    assert find_changes(values, Limits()) == []
    assert len(find_changes(values, Limits(threshold=0.02))) == 1
    assert find_changes(values, Limits(threshold=0.02, least=10.0)) == []


@pytest.mark.parametrize(
    "values", [[], [1.0], [1.0] * 5, [7.0] * 50, [0.0] * 50, [1.0, 2.0, 3.0, 4.0, 5.0]]
)
def test_too_few_values_and_those_that_are_all_equal_have_no_change(values: list[float]) -> None:
    assert find_changes(values, Limits()) == []


def test_a_level_of_nothing_can_end() -> None:
    (change,) = find_changes([0.0] * 20 + [5.0, 6.0, 5.5, 5.0, 6.0, 5.2], Limits())
    assert change.index == 20
    assert change.share == float("inf")


def test_steps_without_noise_are_found_where_they_are() -> None:
    (change,) = find_changes([3.0] * 12 + [4.0] * 12, Limits())
    assert (change.index, change.before, change.after) == (12, 3.0, 4.0)

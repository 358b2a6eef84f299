"""Which values a search tries, with clusters that are simulated by nothing but a limit."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perfscale.search.deciding.decision import Try, decide
from perfscale.search.deciding.plan import SearchPlan, Strategy
from perfscale.search.deciding.trials import Answer, Trial, Verdict

FROM_5_TO_200 = SearchPlan(5, 200)
Predicate = Callable[[float], Verdict]


def limited_to(limit: float, *, noise: float = 0.0, seed: int = 0) -> Predicate:
    """A cluster that holds up to a limit, which moves by so much from run to run."""
    chance = random.Random(seed)

    def holds(value: float) -> Verdict:
        moved = limit * math.exp(chance.gauss(0, noise))
        return Verdict.HOLDS if value <= moved else Verdict.LOST

    return holds


def search(plan: SearchPlan, verdict_of: Predicate) -> tuple[Answer, list[Trial]]:
    trials: list[Trial] = []
    while isinstance(decision := decide(plan, trials), Try):
        trials.append(Trial(decision.value, verdict_of(decision.value)))
        assert len(trials) < 100, "it does not end"
    return decision, trials


def is_within(answer: Answer, limit: float, tolerance: float = 0.05) -> bool:
    return answer.holds is not None and abs(answer.holds.value / limit - 1) <= tolerance


def limits(count: int) -> list[float]:
    """Some, by factors as likely anywhere in the range."""
    chance = random.Random(7)
    return [math.exp(chance.uniform(math.log(5.5), math.log(190))) for _ in range(count)]


def test_each_end_of_the_answer_is_run_three_times() -> None:
    answer, trials = search(FROM_5_TO_200, limited_to(42.7))
    assert answer.holds is not None
    assert answer.lost is not None
    assert (answer.holds.value, answer.holds.held, answer.holds.runs) == (41.8, 3, 3)
    assert (answer.lost.value, answer.lost.held, answer.lost.runs) == (43.7, 0, 3)
    assert len(trials) == 11


@given(limit=st.floats(5.3, 199), seed=st.integers(0, 1000))
def test_without_noise_the_limit_is_between_two_values_that_are_a_tolerance_apart(
    limit: float, seed: int
) -> None:
    answer, trials = search(FROM_5_TO_200, limited_to(limit, seed=seed))
    assert answer.holds is not None
    assert answer.lost is not None
    assert answer.holds.value <= limit <= answer.lost.value
    assert answer.lost.value <= answer.holds.value * 1.051
    assert len(trials) <= 12


@pytest.mark.parametrize("twenty", range(20))
def test_with_a_noise_of_one_per_cent_19_of_20_are_right_in_12_runs(twenty: int) -> None:
    right = 0
    for seed, limit in enumerate(limits(400)[20 * twenty :][:20]):
        answer, trials = search(FROM_5_TO_200, limited_to(limit, noise=0.01, seed=seed))
        right += is_within(answer, limit) and len(trials) <= 12
    assert right >= 19


def test_of_many_searches_as_many_are_right_as_the_documents_say() -> None:
    shares = {}
    for noise in (0.01, 0.02):
        found = [
            (search(FROM_5_TO_200, limited_to(limit, noise=noise, seed=seed)), limit)
            for seed, limit in enumerate(limits(1000))
        ]
        right = sum(is_within(answer, limit) and len(runs) <= 12 for (answer, runs), limit in found)
        shares[noise] = right / len(found)
    assert shares[0.01] >= 0.97
    assert shares[0.02] >= 0.91


@given(noise=st.floats(0, 0.5), seed=st.integers(0, 10_000), limit=st.floats(1, 500))
def test_it_ends_however_noisy_the_cluster_is(noise: float, seed: int, limit: float) -> None:
    answer, _ = search(FROM_5_TO_200, limited_to(limit, noise=noise, seed=seed))
    if answer.holds is not None and answer.lost is not None:
        assert answer.holds.value < answer.lost.value
        assert answer.holds.held * 2 > answer.holds.runs == 3
        assert answer.lost.held * 2 <= answer.lost.runs == 3


@given(limit=st.integers(10, 999))
def test_whole_numbers_are_searched_down_to_neighbours(limit: int) -> None:
    plan = SearchPlan(10, 1000, tolerance=0.0001, whole=True)
    answer, trials = search(plan, limited_to(limit))
    assert answer.holds is not None
    assert answer.lost is not None
    assert (answer.holds.value, answer.lost.value) == (limit, limit + 1)
    assert all(float(each.value).is_integer() for each in trials)


@given(
    start=st.floats(0.1, 1000),
    factor=st.floats(1.001, 10_000),
    tolerance=st.floats(0.01, 1),
    place=st.floats(0, 1),
    whole=st.booleans(),
)
@example(start=204, factor=1.015625, tolerance=0.01171875, place=0, whole=False)
def test_any_range_comes_to_an_answer_within_it(
    start: float, factor: float, tolerance: float, place: float, whole: bool
) -> None:
    low, high = (start, start * factor) if not whole else (math.ceil(start), math.ceil(start) + 99)
    plan = SearchPlan(low, high, tolerance=tolerance, whole=whole, repeat=2)
    answer, trials = search(plan, limited_to(low * (high / low) ** place))
    assert all(low <= each.value <= high for each in trials)
    assert answer.holds or answer.lost


def test_without_an_end_the_value_is_doubled_until_it_is_lost() -> None:
    _, trials = search(SearchPlan(5), limited_to(42.7))
    assert [each.value for each in trials][:5] == [5, 10, 20, 40, 80]


def test_a_value_that_holds_up_to_the_end_is_the_answer() -> None:
    answer, trials = search(FROM_5_TO_200, limited_to(1000))
    assert answer.holds is not None
    assert (answer.holds.value, answer.holds.runs) == (200, 3)
    assert answer.lost is None
    assert len(trials) <= 12


def test_what_is_lost_from_the_beginning_on_says_so() -> None:
    answer, trials = search(FROM_5_TO_200, limited_to(1))
    assert answer.holds is None
    assert answer.lost is not None
    assert (answer.lost.value, answer.lost.runs) == (5, 3)
    assert len(trials) <= 12


def test_an_end_that_its_other_runs_refute_becomes_the_other_end() -> None:
    unlucky = {50.0: [Verdict.LOST]}  # the limit is 52

    def verdict_of(value: float) -> Verdict:
        once = unlucky.get(value)
        return once.pop() if once else limited_to(52)(value)

    answer, trials = search(FROM_5_TO_200, verdict_of)
    assert answer.holds is not None
    assert answer.lost is not None
    assert (answer.holds.value, answer.holds.held, answer.holds.runs) == (50, 2, 3)
    assert answer.lost.value == 52.5
    assert len(trials) == 12


def not_counted_from(ceiling: float, limit: float) -> Predicate:
    """A generator that is the limit itself from a value on."""

    def verdict_of(value: float) -> Verdict:
        return Verdict.NOT_COUNTED if value >= ceiling else limited_to(limit)(value)

    return verdict_of


def test_a_value_that_cannot_be_judged_is_no_loss_of_the_cluster() -> None:
    answer, _ = search(FROM_5_TO_200, not_counted_from(60, limit=1000))
    assert answer.lost is None
    assert answer.holds is not None
    assert answer.not_judged is not None
    assert answer.holds.value < 60 <= answer.not_judged.value <= answer.holds.value * 1.051
    assert answer.not_judged.not_counted == 2


def test_the_clusters_limit_is_found_below_what_cannot_be_judged() -> None:
    answer, _ = search(FROM_5_TO_200, not_counted_from(60, limit=30))
    assert answer.not_judged is None
    assert is_within(answer, 30)


def test_one_run_that_is_not_counted_is_done_again() -> None:
    once = [Verdict.NOT_COUNTED]

    def verdict_of(value: float) -> Verdict:
        return once.pop() if once and value > 20 else limited_to(42.7)(value)

    answer, trials = search(FROM_5_TO_200, verdict_of)
    assert is_within(answer, 42.7)
    assert len(trials) == 12


def test_an_end_that_most_of_its_runs_confirm_stays_one_when_others_cannot_be_judged() -> None:
    ran: list[float] = []

    def verdict_of(value: float) -> Verdict:
        ran.append(value)
        late = value == 41.8 and ran.count(value) > 2
        return Verdict.NOT_COUNTED if late else limited_to(42.7)(value)

    answer, _ = search(FROM_5_TO_200, verdict_of)
    assert answer.holds is not None
    assert answer.lost is not None
    assert (answer.holds.value, answer.holds.held, answer.holds.runs) == (41.8, 2, 2)
    assert (answer.lost.value, answer.lost.runs) == (43.7, 3)


def test_a_search_in_which_nothing_can_be_judged_ends_soon() -> None:
    answer, trials = search(FROM_5_TO_200, lambda _: Verdict.NOT_COUNTED)
    assert answer.holds is answer.lost is None
    assert answer.not_judged is not None
    assert len(trials) == 4


@given(limit=st.floats(5.3, 199), seed=st.integers(0, 1000), noise=st.floats(0, 0.05))
def test_what_comes_next_depends_on_what_was_tried_and_on_nothing_else(
    limit: float, seed: int, noise: float
) -> None:
    answer, trials = search(FROM_5_TO_200, limited_to(limit, noise=noise, seed=seed))
    for count, trial in enumerate(trials):
        assert decide(FROM_5_TO_200, trials[:count]) == Try(trial.value)
    assert decide(FROM_5_TO_200, trials) == answer


def test_steps_go_through_the_whole_range_also_where_it_is_lost() -> None:
    plan = SearchPlan(10, 1000, strategy=Strategy.STEPS, steps=5, repeat=1)
    answer, trials = search(plan, limited_to(100))
    assert [each.value for each in trials] == [10, 31.6, 100, 316, 1000]
    assert answer.holds is not None
    assert answer.lost is not None
    assert (answer.holds.value, answer.lost.value) == (100, 316)


def test_steps_run_each_value_as_often_as_is_wanted() -> None:
    plan = SearchPlan(10, 1000, strategy=Strategy.STEPS, steps=3, repeat=2)
    _, trials = search(plan, limited_to(100))
    assert [each.value for each in trials] == [10, 10, 100, 100, 1000, 1000]
    assert plan.most_runs == 6


def test_steps_without_an_end_double_until_it_is_lost() -> None:
    plan = SearchPlan(10, strategy=Strategy.STEPS, repeat=1)
    _, trials = search(plan, limited_to(100))
    assert [each.value for each in trials] == [10, 20, 40, 80, 160]


def test_values_have_as_few_digits_as_their_place_allows() -> None:
    _, trials = search(FROM_5_TO_200, limited_to(42.7))
    assert [each.value for each in trials][:7] == [12, 50, 24.5, 35, 41.8, 45.7, 43.7]


@pytest.mark.parametrize("seed", range(60))
def test_it_ends_where_the_tolerance_is_less_than_the_last_digit(seed: int) -> None:
    search(SearchPlan(5, 200, tolerance=0.0001), limited_to(50, noise=0.05, seed=seed))

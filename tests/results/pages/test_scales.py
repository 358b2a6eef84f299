import pytest

from perfscale.results.pages.scales import by_factors, from_zero, of_latencies


@pytest.mark.parametrize("high", [0.0, 0.003, 1.0, 7.0, 99.9, 50_000.0])
def test_an_axis_from_zero_has_a_few_round_values_and_ends_at_one(high: float) -> None:
    axis = from_zero("objects", high, to_tick=True)
    assert 3 <= len(axis.ticks) <= 7
    assert axis.ticks[0] == 0.0
    assert axis.place(axis.ticks[-1]) == pytest.approx(1.0)
    assert axis.place(high) <= 1.0


def test_an_axis_that_ends_where_the_run_does_has_no_value_beyond() -> None:
    axis = from_zero("seconds", 6.27)
    assert axis.high == 6.27
    assert axis.marks()[-1] == ("6", 6 / 6.27)


def test_equal_factors_are_equal_distances() -> None:
    axis = by_factors("seconds", 0.001, 10.0)
    assert [label for label, _ in axis.marks()] == ["0.001", "0.01", "0.1", "1", "10"]
    assert [place for _, place in axis.marks()] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert axis.place(0.0) == 0.0
    few = by_factors("seconds", 0.9, 11.0)
    assert [label for label, _ in few.marks()] == ["1", "2", "5", "10"]


def test_latencies_that_differ_much_are_on_a_logarithmic_axis() -> None:
    axis = of_latencies([0.002, 3.0])
    assert axis.logarithmic
    assert axis.low < 0.002
    assert axis.high == 3.0


def test_latencies_that_are_alike_are_on_an_axis_from_zero() -> None:
    axis = of_latencies([1.0, 3.0])
    assert (axis.low, axis.high, axis.logarithmic) == (0.0, 3.0, False)

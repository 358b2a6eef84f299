import pytest

from perfscale.engine.progress import remaining_s


def test_what_remains_takes_as_long_as_it_did_lately() -> None:
    assert remaining_s([(10.0, 100), (12.0, 140)], 200) == pytest.approx(3.0)


@pytest.mark.parametrize("steps", [[], [(1.0, 5)], [(1.0, 5), (6.0, 5)]])
def test_nothing_is_said_of_what_does_not_go_on(steps: list[tuple[float, int]]) -> None:
    assert remaining_s(steps, 10) is None


def test_nothing_is_said_of_what_goes_backwards() -> None:
    assert remaining_s([(1.0, 5), (2.0, 4)], 10) is None


def test_nothing_remains_once_all_is_done() -> None:
    assert remaining_s([(1.0, 5), (2.0, 10)], 10) == 0

import pytest
from lives import record

from perfscale.results.pages.rates import Rates

DUE, SENT, GONE = "due by the target rate", "creates sent", "seen gone"


def test_every_object_is_in_one_interval_and_the_rate_is_a_second() -> None:
    rates = Rates(600.0)
    assert rates.width_s == 5
    for number in range(100):
        rates.add(record(scheduled_s=number / 10, sent_s=10 + number / 5, deleted_s=600.0))
    found = rates.rates()
    assert found[DUE][:3] == [10.0, 10.0, 0.0]
    assert found[SENT][2:7] == [5.0, 5.0, 5.0, 5.0, 0.0]
    assert [sum(values) * rates.width_s for values in found.values()] == [100, 100, 100]
    assert found[GONE][-1] == 20.0


def test_what_never_happened_is_in_no_interval() -> None:
    rates = Rates(10.0)
    rates.add(record(scheduled_s=1.0))
    assert {name: sum(values) for name, values in rates.rates().items()} == {
        DUE: 1.0, SENT: 0.0, GONE: 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("duration_s", [0.0, 0.5, 59.0, 3600.0, 1e6])
def test_a_run_of_any_length_has_a_bounded_number_of_intervals(duration_s: float) -> None:
    rates = Rates(duration_s)
    assert 1 <= len(rates.starts_s) <= 300
    assert rates.starts_s[-1] <= duration_s

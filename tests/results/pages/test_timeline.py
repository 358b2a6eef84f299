"""The plots over time: nothing of the time series is lost in them."""

from itertools import pairwise

from lives import record

from perfscale.results.measure.timeseries import TimeSeries
from perfscale.results.pages.timeline import DUE, NO_PHASE, KindKey, Timeline

POD = KindKey("Pod", children=False)
OTHER = KindKey("Pod", children=True)


def timeline(*, until_s: float) -> Timeline:
    """Forty pods, one a second, of which each has a child; both live for twenty seconds."""
    series = TimeSeries()
    for number in range(40):
        at_s = float(number)
        life = record(
            scheduled_s=at_s,
            sent_s=at_s + 0.2,
            created_s=at_s + 0.4,
            phases_s={"Pending": at_s + 1.4, "Running": at_s + 2.4},
            ready_s=at_s + 2.4,
            delete_requested_s=at_s + 18.0,
            deleted_s=at_s + 20.0,
        )
        series.record([life])
        series.record([life], children=True)
    return Timeline(list(series.points(until_s)))


def test_at_every_instant_the_bands_are_what_was_created_and_is_not_gone() -> None:
    over_time = timeline(until_s=100.0)
    progress, phases = over_time.progress(), over_time.phases()
    assert phases[POD] == phases[OTHER]
    assert set(phases[POD]) == {NO_PHASE, "Pending", "Running"}
    for index in range(len(over_time.at_s)):
        there = progress["created"][index] - progress["gone"][index]
        assert sum(counts[index] for counts in phases[POD].values()) == there
    assert max(map(sum, zip(*phases[POD].values(), strict=True))) == 20


def test_progress_never_goes_back_and_ends_with_everything() -> None:
    progress = timeline(until_s=100.0).progress()
    assert {counts[0] for counts in progress.values()} == {0}
    assert {counts[-1] for counts in progress.values()} == {40}
    for counts in progress.values():
        assert all(before <= after for before, after in pairwise(counts))


def test_rates_are_a_second_however_long_the_run_is() -> None:
    for until_s, width_s in ((60.0, 1.0), (3600.0, 8.0)):
        over_time = timeline(until_s=until_s)
        assert over_time.width_s == width_s
        rates = over_time.create_rates()
        assert len(over_time.rates_s) == len(rates[DUE])
        assert over_time.rates_s[1] - over_time.rates_s[0] == width_s
        assert {sum(values) * width_s for values in rates.values()} == {40.0}
        assert rates[DUE][0] == rates["creates sent"][0] == 1.0

import pytest
from snapshots import VMI, snapshot

from perfscale.live.samples import Samples
from perfscale.results import Sketch
from perfscale.results.measure.timeseries import TimePoint


def sampled(seconds: int, *, rate: int = 10) -> Samples:
    samples = Samples()
    for second in range(1, seconds + 1):
        samples.take(snapshot(float(second), created=rate * second))
    return samples


def test_what_happened_in_each_second_is_the_difference_of_two_samples() -> None:
    points = sampled(3).points()
    assert [(point.at_s, point.objects.created) for point in points] == [
        (1.0, 10), (2.0, 10), (3.0, 10),
    ]  # fmt: skip
    assert points[-1].objects.phases == {VMI: {"Running": 30}}


def test_a_sample_is_taken_only_when_it_is_due() -> None:
    samples = Samples()
    samples.take(snapshot(0.4, created=1))
    assert samples.points() == []


def test_a_long_run_has_longer_intervals_and_loses_nothing() -> None:
    samples = sampled(10_000)
    points = samples.points()
    assert len(points) <= 121
    assert samples.interval_s == 128.0
    created = sum(point.objects.created for point in points)
    assert created == 10 * int(points[-1].at_s)


def test_intervals_are_the_same_whenever_they_are_looked_at() -> None:
    looked_at, samples = list[TimePoint](), Samples()
    for second in range(1, 200):
        samples.take(snapshot(float(second), created=10 * second))
        looked_at = [*samples.points()]
    assert looked_at == sampled(199).points()


def test_what_was_missed_while_the_run_stood_still_comes_with_the_next_sample() -> None:
    samples = Samples()
    samples.take(snapshot(3.2, created=50))
    assert [point.objects.created for point in samples.points()] == [50, 0, 0]


def test_the_latencies_of_an_interval_are_of_what_got_there_in_it() -> None:
    samples, latency = Samples(), Sketch()
    for second, seconds in ((1.0, 0.5), (2.0, 4.0), (3.0, None)):
        if seconds is not None:
            latency.count(seconds)
        samples.take(snapshot(second, ready=latency.copy()))
        samples.latencies()
    half, four = ([pytest.approx(each, rel=0.01)] * 2 for each in (0.5, 4.0))
    assert samples.latencies() == {"density": [half, four, [None, None]]}

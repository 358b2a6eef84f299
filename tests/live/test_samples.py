from dataclasses import replace
from datetime import UTC, datetime

from perfscale.engine.snapshot import Lags, ObjectCounts, RunCourse, RunSnapshot
from perfscale.live.samples import Samples
from perfscale.results import RequestSums, Sketch, WatchCounts

VMI = "VirtualMachineInstance"
COURSE = RunCourse(0.0, {}, (), (), (), (), (), (), {}, RequestSums())


def snapshot(*, created: int, workload: str = "density") -> RunSnapshot:
    counts = ObjectCounts(workload, VMI, 100_000, created, created, 0, 0, 0, Sketch())
    return RunSnapshot(
        run_id="0f2d",
        server_version=None,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        stage=None,
        workload=workload,
        stages={},
        rates={},
        targets={},
        objects=(counts,),
        operations=(),
        phases={(VMI, "Running"): created},
        in_flight=0,
        most_in_flight=256,
        calls=(),
        watch=WatchCounts(),
        lags=Lags(Sketch(), Sketch(), Sketch()),
    )


def sampled(seconds: int, *, rate: int = 10) -> Samples:
    samples = Samples()
    for second in range(1, seconds + 1):
        course = replace(COURSE, elapsed_s=float(second))
        samples.take(snapshot(created=rate * second), course)
    return samples


def test_what_happened_in_each_second_is_the_difference_of_two_samples() -> None:
    points = sampled(3).points()
    assert [(point.at_s, point.objects.created) for point in points] == [
        (1.0, 10), (2.0, 10), (3.0, 10),
    ]  # fmt: skip
    assert points[-1].objects.phases == {VMI: {"Running": 30}}


def test_a_sample_is_taken_only_when_it_is_due() -> None:
    samples = Samples()
    samples.take(snapshot(created=1), replace(COURSE, elapsed_s=0.4))
    assert samples.points() == []


def test_a_long_run_has_longer_intervals_and_loses_nothing() -> None:
    samples = sampled(10_000)
    points = samples.points()
    assert len(points) <= 121
    assert samples.interval_s == 128.0
    created = sum(point.objects.created for point in points)
    assert created == 10 * int(points[-1].at_s)


def test_what_was_missed_while_the_run_stood_still_comes_with_the_next_sample() -> None:
    samples = Samples()
    samples.take(snapshot(created=50), replace(COURSE, elapsed_s=3.2))
    assert [point.objects.created for point in samples.points()] == [50, 0, 0]

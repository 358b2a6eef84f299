import pytest

from perfscale.sim.latency import Latencies, LogNormal, Stage

DRAWS = 10_000


def totals(latencies: Latencies, *stages: Stage) -> list[float]:
    return sorted(sum(latencies.draw(stage) for stage in stages) for _ in range(DRAWS))


def test_creation_to_running_has_a_median_of_5_s_and_a_p99_of_12_s() -> None:
    latencies = Latencies(seed=1)
    total = totals(
        latencies, Stage.NOW, Stage.VMI_PENDING, Stage.VMI_SCHEDULING, Stage.VMI_SCHEDULED
    )
    assert total[DRAWS // 2] == pytest.approx(5.0, rel=0.03)
    assert total[DRAWS * 99 // 100] == pytest.approx(12.0, rel=0.05)


def test_most_of_the_way_is_scheduling_as_on_real_clusters() -> None:
    latencies = Latencies(seed=1)
    medians = {
        stage: totals(latencies, stage)[DRAWS // 2]
        for stage in (Stage.VMI_PENDING, Stage.VMI_SCHEDULING, Stage.VMI_SCHEDULED)
    }
    whole = sum(medians.values())
    assert medians[Stage.VMI_PENDING] / whole == pytest.approx(0.02, abs=0.01)
    assert medians[Stage.VMI_SCHEDULING] / whole == pytest.approx(0.77, abs=0.02)
    assert medians[Stage.VMI_SCHEDULED] / whole == pytest.approx(0.21, abs=0.02)


def test_a_vmi_is_gone_about_2_s_after_its_deletion() -> None:
    total = totals(Latencies(seed=1), Stage.VMI_STOPPING, Stage.VMI_FINALIZING)
    assert total[DRAWS // 2] == pytest.approx(2.0, rel=0.05)
    assert total[DRAWS // 100] > 1.0
    assert total[DRAWS * 99 // 100] < 3.5


def test_99_of_100_pods_start_within_5_s() -> None:
    assert totals(Latencies(seed=1), Stage.POD_STARTING)[DRAWS * 99 // 100] < 5.0


def test_speed_divides_every_latency() -> None:
    slow, quick = Latencies(seed=7), Latencies(seed=7, speed=10)
    for stage in Stage:
        assert quick.draw(stage) == pytest.approx(slow.draw(stage) / 10)


def test_the_same_seed_gives_the_same_latencies() -> None:
    first, second, other = (Latencies(seed=seed) for seed in (3, 3, 4))
    drawn = [first.draw(Stage.VMI_SCHEDULING) for _ in range(5)]
    assert drawn == [second.draw(Stage.VMI_SCHEDULING) for _ in range(5)]
    assert drawn != [other.draw(Stage.VMI_SCHEDULING) for _ in range(5)]


def test_a_distribution_without_spread_is_its_median() -> None:
    latencies = Latencies(distributions={Stage.POD_STARTING: LogNormal(3.0)})
    assert latencies.draw(Stage.POD_STARTING) == pytest.approx(3.0)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_no_positive_number_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be a positive number"):
        Latencies(speed=speed)

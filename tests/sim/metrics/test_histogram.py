from perfscale.sim.metrics.histogram import Histogram


def test_a_value_on_a_bound_is_in_its_bucket() -> None:
    histogram = Histogram((1.0, 2.5))
    for value in (0.5, 1.0, 1.5, 2.5, 2.6):
        histogram.observe(value)
    assert histogram.buckets() == [("1", 2), ("2.5", 4), ("+Inf", 5)]
    assert histogram.sum == 8.1

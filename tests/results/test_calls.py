"""What became of a run's requests, together."""

from perfscale.results import RequestMeter, RequestSums


def test_answers_are_summed_by_the_class_of_their_status() -> None:
    meter = RequestMeter.since(0.0)
    for status in (200, 201, 302, 404, 410, 429, 429, 503):
        meter.answered(("create", "pods"), status, 1.0, 2.0, None)
    meter.unanswered(("list", "pods"), timeout=True)
    meter.unanswered(("list", "pods"), timeout=False)
    meter.retried(("list", "pods"), 0.5)
    sums = RequestSums(sent=10)
    sums.add(meter.counted())
    assert sums == RequestSums(
        sent=10,
        succeeded=2,
        client_errors=2,
        expired=1,
        throttled=2,
        server_errors=1,
        connection_errors=1,
        timeouts=1,
        retries=1,
    )

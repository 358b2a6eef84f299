from lives import record

from perfscale.results.measure.latencies import RequestTimes


def test_a_child_of_a_child_counts_from_the_request_that_made_both() -> None:
    times = RequestTimes(children=True)
    times.of(record(uid="pool", sent_s=1.0))
    vm = record(uid="vm", owner_uid="pool", replica=None, created_s=3.0)
    vmi = record(uid="vmi", owner_uid="vm", replica=None, created_s=5.0)
    assert [times.of(each) for each in (vm, vmi)] == [1.0, 1.0]


def test_a_child_of_nobody_of_the_run_counts_from_when_it_was_seen() -> None:
    times = RequestTimes(children=True)
    claim = record(uid="claim", replica=None, created_s=3.0)
    assert times.of(claim) == 3.0

from lives import record

from perfscale.results import Outcome
from perfscale.results.pages.slowest import Slowest


def test_only_the_slowest_are_kept_and_the_slowest_comes_first() -> None:
    slowest = Slowest()
    for number in range(100):
        slowest.add(record(name=f"pod-{number}", sent_s=float(number), ready_s=2.0 * number))
    found = slowest.found()
    assert [slow.record.name for slow in found] == [f"pod-{99 - place}" for place in range(20)]
    assert found[0].ready_after_s == 99.0


def test_what_never_became_ready_is_not_among_them() -> None:
    slowest = Slowest()
    slowest.add(record(sent_s=0.0, ready_s=9.0, outcome=Outcome.FAILED, error="gone"))
    slowest.add(record(sent_s=0.0, outcome=Outcome.UNREADY))
    assert slowest.found() == []


def test_the_way_to_readiness_is_told_without_a_gap() -> None:
    slowest = Slowest()
    slowest.add(
        record(
            sent_s=10.0,
            created_s=10.5,
            phases_s={"Pending": 11.0, "Running": 14.0, "Succeeded": 20.0},
            ready_s=15.0,
        )
    )
    (slow,) = slowest.found()
    assert slow.stays == (
        ("create request", 0.0, 0.5), ("created", 0.5, 1.0), ("Pending", 1.0, 4.0),
        ("Running", 4.0, 5.0),
    )  # fmt: skip

from lives import record

from perfscale.results import ObjectRecord, Outcome, Slowest


def test_only_the_slowest_are_kept_and_the_slowest_comes_first() -> None:
    slowest: Slowest[ObjectRecord] = Slowest()
    for number in range(100):
        slowest.add(record(name=f"pod-{number}", sent_s=float(number), ready_s=2.0 * number))
    names = [each.name for each in slowest.found()]
    assert names == [f"pod-{99 - place}" for place in range(20)]


def test_what_is_not_slower_than_the_bound_changes_nothing() -> None:
    slowest: Slowest[ObjectRecord] = Slowest()
    for number in range(30):
        slowest.add(record(name=f"pod-{number}", sent_s=0.0, ready_s=float(number)))
    assert slowest.bound_s == 10.0
    before = list(slowest.found())
    slowest.add(record(name="late", sent_s=0.0, ready_s=10.0))
    assert list(slowest.found()) == before


def test_what_never_became_ready_is_not_among_them() -> None:
    slowest: Slowest[ObjectRecord] = Slowest()
    slowest.add(record(sent_s=0.0, ready_s=9.0, outcome=Outcome.FAILED, error="gone"))
    slowest.add(record(sent_s=0.0, outcome=Outcome.UNREADY))
    assert list(slowest.found()) == []

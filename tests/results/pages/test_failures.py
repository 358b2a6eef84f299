from lives import record

from perfscale.results import Outcome
from perfscale.results.pages.failures import Failures


def test_equal_reasons_are_one_group_whatever_names_and_numbers_are_in_them() -> None:
    failures = Failures()
    for number in range(50):
        name = f"pod-{number}"
        error = f'pods "{name}" is forbidden: exceeded quota, used: {number}, limited: 50'
        failures.add(record(name=name, outcome=Outcome.FAILED, error=error))
    failures.add(record(name="slow", outcome=Outcome.UNREADY, error=None))
    failures.add(record(name="fine"))
    quota, unready = failures.found()
    assert (quota.count, quota.outcome) == (50, "failed")
    assert quota.reason == 'pods "pod-0" is forbidden: exceeded quota, used: 0, limited: 50'
    assert quota.examples == ["density-1/pod-0", "density-1/pod-1", "density-1/pod-2"]
    assert (unready.count, unready.reason) == (1, "no reason is known")


def test_the_number_of_groups_is_bounded_and_no_object_is_lost() -> None:
    failures = Failures()
    letters = "abcdefghijklmnopqrstuvwxyz"
    for first in letters:
        for second in letters:
            failures.add(record(name="x", outcome=Outcome.FAILED, error=first + second))
    found = failures.found()
    assert len(found) <= 42
    assert found[0].reason == "other reasons"
    assert sum(group.count for group in found) == 26 * 26

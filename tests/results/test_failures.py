from lives import record

from perfscale.results import Failures, Outcome


def test_equal_reasons_are_one_group_whatever_names_and_numbers_are_in_them() -> None:
    failures = Failures()
    for number in range(50):
        name = f"pod-{number}"
        error = f'pods "{name}" is forbidden: exceeded quota, used: {number}, limited: 50'
        failures.add(record(name=name, outcome=Outcome.FAILED, error=error))
    failures.add(record(name="slow", outcome=Outcome.UNREADY, error=None))
    failures.add(record(name="fine"))
    quota, unready = failures.found()
    assert (quota.count, quota.state) == (50, "failed")
    assert quota.reason == 'pods "pod-0" is forbidden: exceeded quota, used: 0, limited: 50'
    assert quota.examples == ["density-1/pod-0", "density-1/pod-1", "density-1/pod-2"]
    assert (unready.count, unready.reason) == (1, None)


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


def quota(pod: str, used: int) -> str:
    return (
        f'admission webhook "quota.example" denied the request: pods "{pod}" is forbidden: '
        f"exceeded quota: small, used: pods={used}, limited: pods=10"
    )


def test_names_that_a_controller_made_up_make_no_reason_different() -> None:
    failures = Failures()
    pods = ["virt-launcher-vmi-1-x7k2p", "virt-launcher-vmi-2-zz4wq", "set-5d89f7c9b8-bcdfg"]
    for number, pod in enumerate(pods):
        failures.count("VirtualMachineInstance", "failed", quota(pod, number), name=f"vmi-{number}")
    assert [group.count for group in failures.found()] == [2, 1]
    assert failures.sentences()[0] == (
        f"2 VirtualMachineInstance failed, for example: {quota(pods[0], 0)}"
    )


def test_words_are_not_taken_for_names_that_were_made_up() -> None:
    failures = Failures()
    for word in ("not-ready", "not-schedulable", "node-rhythm"):
        failures.count("Pod", "failed", word, name="pod-1")
    assert len(failures.found()) == 3


def test_one_that_failed_is_told_with_its_own_name() -> None:
    failures = Failures()
    failures.count("Pod", "failed", 'pods "a" is forbidden', name="a")
    assert failures.sentences() == ['1 Pod failed: pods "a" is forbidden']

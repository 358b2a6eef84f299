from dataclasses import dataclass

from perfscale.live.budget import Budget


@dataclass
class Times:
    now_s: float = 0.0
    used_s: float = 0.0

    def budget(self) -> Budget:
        return Budget(lambda: self.now_s, lambda: self.used_s)


def test_the_first_page_is_drawn_at_once() -> None:
    assert Times().budget().allows()


def test_the_page_is_drawn_once_a_second_at_most() -> None:
    times = Times(used_s=100.0)
    budget = times.budget()
    budget.spend(0.001)
    times.now_s = 0.8
    assert not budget.allows()
    times.now_s = 1.0
    assert budget.allows()


def test_who_looks_a_little_early_is_not_late_by_a_whole_look() -> None:
    times = Times(used_s=100.0)
    budget = times.budget()
    budget.spend(0.001)
    times.now_s = 0.99
    assert budget.allows()


def test_the_page_waits_until_it_is_a_small_share_of_what_the_process_used() -> None:
    times = Times(used_s=1.0)
    budget = times.budget()
    budget.spend(0.02)
    times.now_s = 2.0
    assert not budget.allows()
    times.used_s = 4.1
    assert budget.allows()


def test_in_a_hurry_the_page_is_drawn_after_a_second_and_once() -> None:
    times = Times(used_s=0.0)
    budget = times.budget()
    budget.spend(1.0)
    budget.hurry()
    times.now_s = 0.5
    assert not budget.allows()
    times.now_s = 1.0
    assert budget.allows()
    budget.spend(1.0)
    times.now_s = 2.0
    assert not budget.allows()


def test_readers_of_a_run_that_does_nothing_wait_five_seconds_at_most() -> None:
    times = Times(used_s=0.0)
    budget = times.budget()
    budget.spend(1.0)
    times.now_s = 4.8
    assert not budget.allows()
    times.now_s = 5.0
    assert budget.allows()


def test_the_share_holds_over_a_whole_run() -> None:
    times = Times()
    budget = times.budget()
    spent_s = 0.0
    for _ in range(10_000):  # of a tenth of a second, in which the run uses a hundredth
        times.now_s += 0.1
        times.used_s += 0.01
        if budget.allows():
            budget.spend(0.01)
            times.used_s += 0.01
            spent_s += 0.01
    assert spent_s <= 0.05 * times.used_s

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from virtual_time import in_virtual_time

from perfscale.config import Workload
from perfscale.engine.load.pacing import Pacing, WorkloadPacing
from perfscale.engine.load.slots import Slots


def workload(**keys: Any) -> Workload:
    return Workload.model_validate(
        {"name": keys.pop("name", "a"), "objects": [{"templateFile": "t.yaml"}], **keys}
    )


def pacing_of(seed: int = 1, **keys: Any) -> WorkloadPacing:
    return WorkloadPacing(workload(**keys), seed, lambda: 0.0)


def due_of(pacing: Pacing, count: int, *, now: float = 0.0) -> list[float]:
    """When each of so many is due, as far as the load goes on."""
    return [due_s for _, due_s in pacing.due(range(count), lambda: now, lambda _: None)]


def test_iterations_at_one_rate_share_a_bucket() -> None:
    pacing = pacing_of(qps=10, burst=2)
    assert due_of(pacing.of_iteration(4), 4) == pytest.approx([0, 0, 0.1, 0.2])
    assert due_of(pacing.of_iteration(2), 2, now=0.25) == pytest.approx([0.3, 0.4])


def test_what_is_spread_takes_the_time_that_it_says_for_each_iteration() -> None:
    pacing = pacing_of(spread="10s")
    assert due_of(pacing.of_iteration(4), 4, now=5) == pytest.approx([5, 7.5, 10, 12.5])
    assert due_of(pacing.of_iteration(2), 2, now=50) == pytest.approx([50, 55])


def test_stages_begin_at_the_rate_of_the_workload_and_anew_with_each_iteration() -> None:
    pacing = pacing_of(qps=10, stages=[{"duration": "1s", "qps": 10}, {"duration": "1s", "qps": 0}])
    for begun_s in (0.0, 100.0):
        found = pacing.of_iteration(1000)
        assert found.ends
        due = due_of(found, 1000, now=begun_s)
        assert len(due) == 15
        assert due[:10] == pytest.approx([begun_s + n / 10 for n in range(1, 11)])


def test_a_load_that_ends_requests_what_is_due_by_then() -> None:
    found = pacing_of(qps=10, burst=1, duration="2s").of_iteration(1000)
    assert len(due_of(found, 1000)) == 20
    assert due_of(pacing_of(qps=10, burst=1, duration="2s").of_iteration(3), 3)[-1] == 0.2


def test_what_is_due_and_comes_too_late_for_the_end_is_missed_and_not_forgotten() -> None:
    found = pacing_of(qps=10, burst=1, duration="4s").of_iteration(1000)
    times = iter([0.0, 0.0, 6.0])
    now = 0.0

    def clock() -> float:
        nonlocal now
        now = next(times, now)
        return now

    missed: list[int] = []
    sent = [number for number, _ in found.due(range(1000), clock, missed.append)]
    assert sent == [0]
    assert missed == list(range(1, 40))


def test_random_arrivals_are_the_same_for_the_same_seed_and_for_no_other_workload() -> None:
    def due(seed: int = 1, name: str = "a") -> list[float]:
        return due_of(pacing_of(seed, name=name, qps=5, arrival="poisson").of_iteration(50), 50)

    assert due() == due()
    assert due() != due(seed=2)
    assert due() != due(name="b")


def test_no_two_iterations_have_the_same_random_gaps() -> None:
    pacing = pacing_of(qps=5, arrival="poisson")
    first, second = (due_of(pacing.of_iteration(20), 20) for _ in range(2))
    assert first != second
    assert all(earlier < later for earlier, later in pairwise(second))


def test_a_place_is_taken_in_each_bound_or_in_none() -> None:
    async def main() -> None:
        own, run = asyncio.Semaphore(1), asyncio.Semaphore(5)
        slots, others = Slots(own, run), Slots(run)
        await slots.acquire()
        assert slots.are_taken()
        assert not others.are_taken()
        waiting = asyncio.create_task(slots.acquire())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        slots.release()
        for _ in range(5):
            assert not others.are_taken()
            await others.acquire()
        waiting = asyncio.create_task(slots.acquire())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert not own.locked()

    in_virtual_time(main)

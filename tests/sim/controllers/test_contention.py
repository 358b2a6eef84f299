"""Whether the controller that breaks at a known rate does break there, and nowhere else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from virtual_timers import VirtualTimers

from perfscale.sim.controllers.contention import Bottleneck, Capacity
from perfscale.sim.controllers.objects import Key
from perfscale.sim.controllers.schedule import Item, Schedule
from perfscale.sim.latency import Latencies, LogNormal, Stage


def vmi(number: int) -> Item:
    return Item("VirtualMachineInstance", Key("load", f"vmi-{number}"))


def waits(
    per_second: float, seconds: float, *, limit: float = 40.0, seed: int = 0, jitter: float = 0.2
) -> list[float]:
    """How long each of the objects waits that come evenly at a rate, in their order."""
    loop = VirtualTimers()
    capacity = Capacity(Stage.VMI_PENDING, limit, jitter=jitter, seed=seed)
    bottleneck = Bottleneck(loop, capacity)
    arrived: dict[Item, float] = {}
    waited: list[float] = []
    for number in range(int(per_second * seconds)):
        loop.pass_until(number / per_second)
        arrived[vmi(number)] = loop.now
        bottleneck.enter(lambda item: waited.append(loop.now - arrived[item]), vmi(number))
    loop.pass_until(100_000.0)
    return waited


@pytest.mark.parametrize("seed", range(10))
def test_below_the_limit_waits_stay_short_however_long_it_goes_on(seed: int) -> None:
    found = waits(0.95 * 40, 600.0, seed=seed)
    assert len(found) == int(0.95 * 40 * 600)
    assert max(found) < 0.5
    assert sum(found[-1000:]) < 2 * sum(found[1000:2000])


@pytest.mark.parametrize("seed", range(10))
def test_above_the_limit_latency_runs_away(seed: int) -> None:
    found = waits(1.05 * 40, 20.0, seed=seed)
    first, last = found[: len(found) // 4], found[-10:]
    assert min(last) > 10 * sum(first) / len(first)
    assert min(last) > 2.0


def test_the_more_wait_the_longer_each_turn_takes() -> None:
    at_once = waits(100_000.0, 0.001, jitter=0.0)  # a hundred at the same time
    turns = [after - before for before, after in pairwise(at_once)]
    # 99 wait behind the first, 89 too many at 2 % each; the last ones have the queue to themselves.
    assert turns[0] == pytest.approx((1 + 0.02 * 89) / 40, rel=0.02)
    assert turns[-1] == pytest.approx(1 / 40, rel=0.01)
    assert all(after < before + 1e-9 for before, after in pairwise(turns))


def test_a_queue_that_is_emptied_is_as_fast_as_before() -> None:
    loop = VirtualTimers()
    bottleneck = Bottleneck(loop, Capacity(Stage.VMI_PENDING, 40.0, jitter=0.0))
    through: list[float] = []
    crowd = [bottleneck.enter(lambda _: through.append(loop.now), vmi(n)) for n in range(500)]
    loop.pass_until(1.0)
    before = len(through)
    for each in crowd:
        each.cancel()
    loop.pass_until(2.0)
    assert len(through) == before
    bottleneck.enter(lambda _: through.append(loop.now), vmi(1000))
    loop.pass_until(3.0)
    assert through[-1] == pytest.approx(2.0 + 1 / 40)


def test_the_seed_lets_the_same_happen_again() -> None:
    assert waits(38.0, 10.0, seed=3) == waits(38.0, 10.0, seed=3)
    assert waits(38.0, 10.0, seed=3) != waits(38.0, 10.0, seed=4)


def scheduled(loop: VirtualTimers) -> tuple[Schedule, list[tuple[float, Item]]]:
    """A schedule with two turns a second after the first stage, and what gets due, and when."""
    due: list[tuple[float, Item]] = []
    latencies = Latencies(
        distributions={Stage.VMI_PENDING: LogNormal(1.0), Stage.VMI_SCHEDULING: LogNormal(4.0)}
    )
    bottleneck = Bottleneck(loop, Capacity(Stage.VMI_PENDING, 2.0, jitter=0.0))
    schedule = Schedule(
        loop,
        latencies,
        lambda item: due.append((loop.now, item)),
        {Stage.VMI_PENDING: bottleneck},
    )
    return schedule, due


def test_an_object_queues_after_its_stage_and_begins_the_next_one_when_it_was_its_turn() -> None:
    loop = VirtualTimers()
    schedule, due = scheduled(loop)
    for number in range(2):
        assert not schedule.is_due(vmi(number), "uid", Stage.VMI_PENDING)
    loop.pass_until(2.0)
    assert due == [(1.5, vmi(0)), (2.0, vmi(1))]
    assert schedule.is_due(vmi(0), "uid", Stage.VMI_PENDING)
    assert not schedule.is_due(vmi(0), "uid", Stage.VMI_SCHEDULING)
    loop.pass_until(10.0)
    assert due[2:] == [(5.5, vmi(0))]


def test_an_object_that_is_deleted_while_it_queues_takes_nobodys_turn() -> None:
    loop = VirtualTimers()
    schedule, due = scheduled(loop)
    for number in range(3):
        schedule.is_due(vmi(number), "uid", Stage.VMI_PENDING)
    loop.pass_until(1.2)
    schedule.forget(vmi(1))
    loop.pass_until(10.0)
    assert due == [(1.5, vmi(0)), (2.0, vmi(2))]

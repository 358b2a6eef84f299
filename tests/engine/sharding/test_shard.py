import math
import random
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfscale.config.sections.shape import Slope
from perfscale.engine.load.schedule import (
    Arrivals,
    Constant,
    EveryNth,
    RateLine,
    Schedule,
    evenly,
    poisson,
)
from perfscale.engine.sharding.shard import COORDINATOR, WHOLE, Shard

counts = st.integers(1, 12)
totals = st.integers(0, 500)


def shards(count: int) -> list[Shard]:
    return [Shard(index, count) for index in range(count)]


def due(schedule: Schedule, most: int, *, begun_s: float = 0.0) -> list[float]:
    schedule.begin(begun_s)
    found: list[float] = []
    while len(found) < most and (at_s := schedule.next_due(begun_s)) is not None:
        found.append(at_s)
    return found


@given(counts, totals, st.integers(0, 40))
def test_each_replica_is_exactly_one_shards_and_its_numbers_are_contiguous(
    count: int, total: int, turn: int
) -> None:
    ranges = [each.replicas(total, turn) for each in shards(count)]
    assert list(chain.from_iterable(ranges)) == list(range(1, total + 1))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@given(counts, st.lists(st.integers(1, 7), min_size=1, max_size=40))
def test_what_cannot_be_divided_goes_round(count: int, entries: list[int]) -> None:
    turns = [sum(entries[:n]) for n in range(len(entries))]
    sums = [
        sum(each.share(entry, turn) for entry, turn in zip(entries, turns, strict=True))
        for each in shards(count)
    ]
    assert sum(sums) == sum(entries)
    assert max(sums) - min(sums) <= 1


@given(counts, st.integers(0, 300), st.data())
def test_all_shards_together_draw_what_one_would_and_none_more_than_it_has(
    count: int, wanted: int, data: st.DataObject
) -> None:
    present = tuple(data.draw(st.lists(totals, min_size=count, max_size=count)))
    drawn = [each.draw(wanted, present) for each in shards(count)]
    assert sum(drawn) == min(wanted, sum(present))
    assert all(some <= there for some, there in zip(drawn, present, strict=True))


@given(counts, st.floats(0.001, 1e6))
def test_shares_of_a_rate_add_up_exactly(count: int, qps: float) -> None:
    rates = [each.rate(qps) for each in shards(count)]
    assert math.fsum(rates) == qps
    assert rates == pytest.approx([qps / count] * count)


@given(counts, st.integers(1, 300))
def test_shares_of_a_bound_add_up_and_are_one_at_least(count: int, bound: int) -> None:
    limits = [each.limit(bound) for each in shards(count)]
    assert min(limits) >= 1
    assert sum(limits) == max(bound, count)
    assert {each.limit(0) for each in shards(count)} == {0}


@given(counts, st.integers(1, 40))
def test_no_two_shards_number_things_alike_nor_does_the_coordinator(count: int, each: int) -> None:
    everybody = [*shards(count), Shard(COORDINATOR, count)]
    numbers = [shard.number(n) for shard in everybody for n in range(1, each + 1)]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) == 1


def test_nothing_of_the_load_is_the_coordinators() -> None:
    coordinator = Shard(COORDINATOR, 3)
    assert coordinator.share(10) == 0
    assert not coordinator.replicas(10)
    assert coordinator.draw(5, (3, 4, 5)) == 0
    assert (coordinator.label, WHOLE.label, Shard(1, 3).label) == (None, None, 1)


@given(counts, st.floats(0.5, 5000), st.integers(1, 50), st.integers(1, 200))
def test_the_shards_of_a_steady_rate_are_together_the_one_even_stream(
    count: int, qps: float, burst: int, each: int
) -> None:
    whole = due(Constant(qps, burst), each * count)
    parts = [due(EveryNth(Constant(qps, burst), shard), each) for shard in shards(count)]
    assert sorted(chain.from_iterable(parts)) == pytest.approx(whole)
    for shard, part in zip(shards(count), parts, strict=True):
        places = [max(0, shard.index + count * n - burst + 1) for n in range(each)]
        assert part == pytest.approx([place / qps for place in places])


@given(counts, st.integers(0, 5), st.sampled_from([0.0, 1.0, 1000.0]))
def test_the_shards_of_a_rate_are_in_step_again_in_each_iteration(
    count: int, each: int, pause_s: float
) -> None:
    whole = Constant(20.0, 3)
    parts = [EveryNth(Constant(20.0, 3), shard) for shard in shards(count)]
    for begun_s in (0.0, pause_s):
        expected = due(whole, each * count, begun_s=begun_s)
        found = [due(part, each, begun_s=begun_s) for part in parts]
        assert sorted(chain.from_iterable(found)) == pytest.approx(expected)


@given(counts, st.integers(0, 99))
def test_the_shards_of_random_arrivals_are_together_those_of_the_seed(
    count: int, seed: int
) -> None:
    def arrivals(shard: Shard) -> Arrivals:
        ramp = RateLine([Slope(5.0, 0.0, 20.0), Slope(5.0, 20.0, 4.0)])
        return Arrivals(ramp, shard.every_nth(poisson(random.Random(seed))))

    whole = due(arrivals(WHOLE), 10_000)
    parts = [due(arrivals(shard), 10_000) for shard in shards(count)]
    assert sorted(chain.from_iterable(parts)) == whole


@given(counts)
def test_the_shards_of_a_ramp_end_with_it(count: int) -> None:
    def ramp(shard: Shard) -> Arrivals:
        return Arrivals(RateLine([Slope(4.0, 0.0, 10.0)]), shard.every_nth(evenly()))

    parts = [due(ramp(shard), 1000) for shard in shards(count)]
    assert sum(map(len, parts)) == 20
    assert max(chain.from_iterable(parts)) <= 4.0 + 1e-9

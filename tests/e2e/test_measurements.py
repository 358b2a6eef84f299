"""What a run measured beside its objects: the requests it sent, and the server's clock."""

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from clusters import ClusterUnderTest
from faulty_runs import faulty_run
from moments import MOMENTS, AtMoment
from workloads import config, objects, workload

from perfscale.engine.accounting.wallclock import WallClock
from perfscale.results import CallResult

CREATE = ("create", "virtualmachineinstances")


def by_call(calls: Iterable[CallResult]) -> dict[tuple[str, str], CallResult]:
    return {(call.verb, call.resource): call for call in calls}


async def test_requests_are_told_by_verb_and_resource_of_the_iteration_they_were_for(
    cluster: ClusterUnderTest,
) -> None:
    load = config(
        workload(objects(count=4), iterationCount=2, namespacedIterations=True),
        workload(objects(count=3), name="last"),
    )
    result = await cluster.run(load)
    calls = by_call(result.calls)
    assert calls[CREATE].statuses == {201: 11}
    assert calls[CREATE].latency.count == 11
    assert calls["create", "namespaces"].statuses == {201: 3}
    assert calls["watch", "virtualmachineinstances"].statuses[200] >= 1
    first, last = result.workloads
    assert by_call(first.calls)[CREATE].sent == 8
    assert [by_call(each.calls)[CREATE].sent for each in first.iterations] == [4, 4]
    assert by_call(last.calls)[CREATE].sent == 3
    assert not {call.verb for call in last.calls} & {"watch"}


async def test_what_the_calls_counted_is_what_the_client_counted(tmp_path: Path) -> None:
    faults = [
        {"fault": "tooManyRequests", "share": 0.2, "retryAfter": "0s"},
        {"fault": "internalError", "share": 0.1},
        {"fault": "resetAfter", "share": 0.1},
    ]
    async with faulty_run(tmp_path, config(workload(objects(count=30))), requests=faults) as run:
        calls, requests = run.result.calls, run.result.requests
        statuses: Counter[int] = Counter()
        for call in calls:
            statuses.update(call.statuses)
        assert sum(call.sent for call in calls) == requests["sent"]
        assert sum(call.retries for call in calls) == requests["retries"] > 0
        assert statuses[429] == requests["throttled"] > 0
        assert sum(call.throttled_s for call in calls) > 0
        assert sum(call.errors for call in calls) > statuses[429]


async def test_the_clock_of_a_server_on_this_machine_is_ours(
    simulated: ClusterUnderTest,
) -> None:
    result = await simulated.run(config(workload(objects(count=10))))
    assert result.clock is not None
    assert result.clock.low_s <= 0 <= result.clock.high_s


async def test_every_latency_of_an_object_is_known_and_no_two_clocks_are_mixed(
    cluster: ClusterUnderTest,
) -> None:
    result = await cluster.run(config(workload(objects(count=6))))
    kind = result.kinds["VirtualMachineInstance"]
    assert kind.creation is not None
    assert kind.watch_delay is not None
    early, late = kind.watch_delay.at_least, kind.watch_delay.at_most
    assert (kind.creation.count, early.count, late.count) == (6, 6, 6)
    assert early.max is not None
    assert late.max is not None
    assert 0 <= early.max <= late.max
    for phase in kind.path:
        stamped = kind.server_phases[phase]
        assert (stamped.count, stamped.missing) == (6, 0)
        assert stamped.max is not None
        assert stamped.max.is_integer()
    between = {(each.before, each.after): each.duration for each in kind.transitions}
    assert between[kind.path[-2], kind.path[-1]].count == 6


async def test_a_controllers_clock_that_is_behind_is_bounded_and_no_latency_is_negative(
    tmp_path: Path,
) -> None:
    load = config(workload(objects(count=6)))
    async with faulty_run(tmp_path, load, cluster={"clockOffset": "-7s"}) as run:
        kind = run.result.kinds["VirtualMachineInstance"]
    clock = kind.phase_clock
    assert clock is not None
    assert clock.low_s <= -7 <= clock.high_s
    assert clock.negative > 0
    assert clock.reason is not None
    assert all(each.min is None or each.min >= 0 for each in kind.server_phases.values())


async def test_a_run_ends_after_its_start_whatever_the_wall_clock_says(
    simulated: ClusterUnderTest, at_moment: AtMoment, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind_s = 0.0

    def wall() -> float:
        return time.time() - behind_s

    def set_back() -> None:
        nonlocal behind_s
        behind_s = 3600.0

    monkeypatch.setattr(WallClock.__init__, "__defaults__", (wall,))

    async with simulated.generator(config(workload(objects(count=6)))) as generator:
        at_moment(MOMENTS["in the middle of the creation wait"], set_back)
        result = await generator.run()
    assert (result.finished_at - result.info.started_at).total_seconds() == result.duration_s
    assert result.generator is not None
    [step] = [each for each in result.generator.reasons if "wall clock" in each]
    assert "set back by 1h" in step

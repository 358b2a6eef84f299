"""What is said of a run while it goes on."""

import io
from typing import Any

import pytest
from rich.console import Console

from perfscale.cli.output.display import _panels, follow
from perfscale.cli.output.loads import Loads
from perfscale.engine.events import (
    EventStream,
    GeneratorsProgress,
    IterationFinished,
    IterationStarted,
    OperationFailed,
    Progress,
    SlowObject,
    Stage,
    StageStarted,
    StillWaiting,
)
from perfscale.engine.snapshot import GeneratorState

VMIRS = "VirtualMachineInstanceReplicaSet"
VMI = "VirtualMachineInstance"


async def test_a_long_wait_tells_of_phases_since_when_and_of_children(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stuck = SlowObject(VMI, "ns", "a", "Scheduling", 31.2, 12.4, "Unschedulable: no node fits")
    events = EventStream()
    events.put(
        StillWaiting(
            stage=Stage.WAITING_READY,
            waited_s=30.0,
            missing=2,
            phases={(VMIRS, ""): 1, (VMI, "Scheduling"): 1},
            child_phases={(VMI, "Pending"): 3},
            slowest=(stuck, SlowObject(VMIRS, "ns", "set", None, 31.0, None, None)),
        )
    )
    events.close()
    await follow(events)
    phases = f"{VMIRS} without=1; {VMI} Scheduling=1; {VMI} (children) Pending=3"
    assert capsys.readouterr().err.splitlines() == [
        f"still {Stage.WAITING_READY.value} after 30s: 2 to go ({phases})",
        f"  {VMI} ns/a, 31s, 12s of it in Scheduling: Unschedulable: no node fits",
        f"  {VMIRS} ns/set, 31s",
    ]


def progress_of(workload: str, elapsed_s: float, **counts: Any) -> Progress:
    return Progress(
        **{
            **dict.fromkeys(
                ("requested", "sent", "created", "ready", "failed", "deleted", "in_flight"), 0
            ),
            **dict.fromkeys(("present_children", "request_errors", "throttled"), 0),
            "phases": {},
            "child_phases": {},
            "rate": 0.0,
            "target": None,
            **dict.fromkeys(("ready_p50_s", "ready_p99_s", "remaining_s")),
            "elapsed_s": elapsed_s,
            "workload": workload,
            "iteration": 1,
            "stage": Stage.CREATING,
            **counts,
        }
    )


async def test_operations_are_called_so_and_nothing_of_them_is_deleted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = EventStream()
    events.put(IterationStarted("storm", 1, 50, "restart"))
    counts = {"requested": 50, "sent": 40, "created": 38, "ready": 9, "failed": 1, "open": 30}
    effect = {"effect_p50_s": 1.25, "effect_p99_s": 3.0}
    of = {"operation": "restart", "ready_p50_s": 7.0, "ready_p99_s": 8.0, **effect}
    events.put(progress_of("storm", 3.0, stage=Stage.OPERATING, **counts, **of))
    events.put(progress_of("storm", 3.5, stage=Stage.PAUSING, **counts, **of))
    events.put(
        OperationFailed("storm", "restart", "VirtualMachine", "ns", "vm", "409: not running")
    )
    events.close()
    await follow(events)
    assert capsys.readouterr().err.splitlines() == [
        "storm, iteration 1: 50 restart operations",
        "[    3.0s] operating: sent 40/50 done 9 failed 1 open 30, done so far p50 1.25s p99 3s",
        "[    3.5s] pausing: sent 40/50 done 9 failed 1 open 30, done so far p50 1.25s p99 3s",
        "failed: restart of VirtualMachine ns/vm: 409: not running",
    ]


async def test_workloads_that_go_on_at_the_same_time_are_told_apart_and_one_alone_needs_no_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = EventStream()
    events.put(progress_of("ramp", 1.0, requested=9, created=3))
    for elapsed_s in range(2, 9):
        events.put(progress_of("reads", elapsed_s, requested=1, created=30))
        events.put(progress_of("ramp", elapsed_s, requested=9, created=4))
    events.put(StageStarted(Stage.WAITING_READY, "ramp", 1, deadline_s=60.0))
    events.put(progress_of("ramp", 14.0, requested=9, created=9, stage=Stage.WAITING_READY))
    events.close()
    await follow(events)
    lines = [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "creating: created 3/9 ready 0 failed 0 deleted 0",
        "reads: creating: created 30 ready 0 failed 0 deleted 0",
        "ramp: creating: created 4/9 ready 0 failed 0 deleted 0",
        "reads: creating: created 30 ready 0 failed 0 deleted 0",
        "waiting until ready, up to 1m: created 9/9 ready 0 failed 0 deleted 0",
    ]


async def test_a_workload_that_is_over_is_not_shown_beside_the_one_that_comes_after_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ready = {"ready_p50_s": 2.0, "ready_p99_s": 3.0}
    events = EventStream()
    events.put(progress_of("vms", 1.0, requested=9, created=9, ready=8, **ready))
    events.put(IterationFinished("vms", 1, ()))
    counts = {"requested": 9, "sent": 4, "operation": "restart"}
    events.put(progress_of("storm", 1.2, stage=Stage.OPERATING, **counts, **ready))
    events.close()
    await follow(events)
    lines = [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "creating: created 9/9 ready 8 failed 0 deleted 0, ready so far p50 2s p99 3s",
        "operating: sent 4/9 done 0 failed 0 open 0",
    ]


def generator_of(index: int, **changed: Any) -> GeneratorState:
    calm = {"rate": 25.0, "in_flight": 0, "lag_s": 0.001, "cpu": 0.12, "reconnects": 0}
    return GeneratorState(
        index=index, name="worker", **{**calm, "relists": 0, "silent_s": 0.5, **changed}
    )


async def test_each_generator_of_several_stands_below_their_sum(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = EventStream()
    silent = generator_of(1, rate=0.0, silent_s=7.2, in_flight=3)
    events.put(GeneratorsProgress((generator_of(0), silent)))
    events.put(progress_of("density", 3.0, rate=25.0, target=50.0))
    events.close()
    await follow(events)
    whole, each = capsys.readouterr().err.splitlines()
    assert "sent 25.0 of 50/s" in whole
    assert each.strip() == (
        "generator 0  25.0/s  lag 1ms  CPU 12%  watches well; "
        "generator 1  0.0/s  lag 1ms  CPU 12%  3 in flight  silent for 7s"
    )


def test_on_a_narrow_terminal_no_number_is_cut_off() -> None:
    loads = Loads()
    loads.generators = (generator_of(0, in_flight=250, reconnects=123, relists=45),)
    waiting = progress_of("churning", 731.0, stage=Stage.WAITING_READY, remaining_s=754.0)
    loads.enter(StageStarted(Stage.WAITING_READY, "churning", 1, 900.0, None))
    loads.take(waiting)
    console = Console(file=io.StringIO(), width=60, color_system=None)
    console.print(_panels(loads))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert all(len(row) <= 60 for row in shown.splitlines())
    assert "…" not in shown
    words = " ".join(shown.split())
    assert "12m34s to go" in words
    for number in ("250 in flight", "123", "45"):
        assert number in words


async def test_of_many_generators_those_in_trouble_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = EventStream()
    many = [generator_of(index) for index in range(20)]
    many[13] = generator_of(13, lag_s=0.9)
    events.put(GeneratorsProgress(tuple(many)))
    events.put(progress_of("density", 3.0))
    events.close()
    await follow(events)
    line = capsys.readouterr().err.splitlines()[-1].strip()
    assert line.startswith("generator 13  25.0/s  lag 900ms")
    assert line.endswith("12 more generators")

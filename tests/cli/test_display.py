"""What is said of a run while it goes on."""

import pytest

from perfscale.cli.output.display import follow
from perfscale.engine.events import EventStream, SlowObject, Stage, StillWaiting

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

from dataclasses import dataclass, field

import pytest
from virtual_timers import VirtualTimers

from perfscale.sim.controllers.objects import Key
from perfscale.sim.controllers.schedule import Item, Schedule
from perfscale.sim.latency import Latencies, LogNormal, Stage

VMI = Item("VirtualMachineInstance", Key("load", "vmi-1"))


@dataclass
class Scene:
    timers: VirtualTimers = field(default_factory=lambda: VirtualTimers(now=100.0))
    rung: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        distributions = {
            stage: LogNormal(seconds)
            for stage, seconds in [
                (Stage.VMI_PENDING, 1.0),
                (Stage.VMI_SCHEDULING, 4.0),
                (Stage.VMI_STOPPING, 2.0),
            ]
        }
        latencies = Latencies(distributions=distributions)
        self.schedule = Schedule(self.timers, latencies, self.rung.append)

    def is_due(self, stage: Stage, uid: str = "uid-1") -> bool:
        return self.schedule.is_due(VMI, uid, stage)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_stage_without_a_wait_is_due_at_once(scene: Scene) -> None:
    assert scene.is_due(Stage.NOW)


def test_an_object_is_due_when_its_wait_is_over(scene: Scene) -> None:
    assert not scene.is_due(Stage.VMI_PENDING)
    scene.timers.pass_time(0.9)
    assert not scene.is_due(Stage.VMI_PENDING)
    assert scene.rung == []
    scene.timers.pass_time(0.2)
    assert scene.rung == [VMI]
    assert scene.is_due(Stage.VMI_PENDING)


def test_other_changes_of_the_object_do_not_begin_the_wait_again(scene: Scene) -> None:
    for _ in range(5):
        scene.is_due(Stage.VMI_PENDING)
        scene.timers.pass_time(0.3)
    assert scene.rung == [VMI]


def test_what_the_writes_take_does_not_add_to_the_waits(scene: Scene) -> None:
    scene.is_due(Stage.VMI_PENDING)
    scene.timers.pass_time(3.0)
    assert not scene.is_due(Stage.VMI_SCHEDULING)
    # Due at 1 s + 4 s, though the first write came back after 3 s only.
    scene.timers.pass_time(2.1)
    assert scene.is_due(Stage.VMI_SCHEDULING)


def test_a_deletion_cuts_the_wait_short_and_begins_its_own(scene: Scene) -> None:
    scene.is_due(Stage.VMI_SCHEDULING)
    scene.timers.pass_time(1.0)
    assert not scene.is_due(Stage.VMI_STOPPING)
    scene.timers.pass_time(1.9)
    assert scene.rung == []
    scene.timers.pass_time(0.2)
    assert scene.rung == [VMI]
    scene.timers.pass_time(10.0)
    assert scene.rung == [VMI]


def test_another_object_of_the_same_name_waits_for_itself(scene: Scene) -> None:
    scene.is_due(Stage.VMI_PENDING, "uid-1")
    scene.timers.pass_time(2.0)
    assert scene.is_due(Stage.VMI_PENDING, "uid-1")
    assert not scene.is_due(Stage.VMI_PENDING, "uid-2")


def test_an_object_that_is_gone_never_rings(scene: Scene) -> None:
    scene.is_due(Stage.VMI_PENDING)
    scene.schedule.forget(VMI)
    scene.timers.pass_time(10.0)
    assert scene.rung == []


def test_nothing_rings_after_the_end(scene: Scene) -> None:
    scene.is_due(Stage.VMI_PENDING)
    scene.schedule.close()
    scene.timers.pass_time(10.0)
    assert scene.rung == []

import itertools
from collections.abc import Sequence
from typing import Any

from perfscale.sim.controllers.actions import Action, Create, Delete, UpdateStatus
from perfscale.sim.controllers.kubevirt.vmirs import reconcile
from perfscale.sim.controllers.workloads.replicas import MAX_CHANGES_AT_ONCE

JSON = dict[str, Any]


def replica_set(replicas: int | None = 3, **spec: object) -> JSON:
    template = {"metadata": {"labels": {"app": "vmi"}}, "spec": {"domain": {}}}
    made: JSON = {
        "metadata": {"namespace": "load", "name": "set", "uid": "set-uid"},
        "spec": {
            "selector": {"matchLabels": {"b": "2", "a": "1"}},
            "template": template,
            **spec,
        },
    }
    if replicas is not None:
        made["spec"]["replicas"] = replicas
    return made


def vmi(name: str, phase: str = "Running", **metadata: object) -> JSON:
    ready = "True" if phase == "Running" else "False"
    return {
        "metadata": {"namespace": "load", "name": name, "uid": name, **metadata},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]},
    }


def decide(vmirs: JSON, vmis: Sequence[JSON] = (), in_creation: int = 0) -> tuple[Action, ...]:
    numbers = itertools.count()
    return reconcile(vmirs, vmis, in_creation, lambda: f"{next(numbers):05}")


def created(actions: tuple[Action, ...]) -> list[JSON]:
    return [action.obj for action in actions if isinstance(action, Create)]


def deleted(actions: tuple[Action, ...]) -> list[str]:
    return [action.obj["metadata"]["name"] for action in actions if isinstance(action, Delete)]


def status(actions: tuple[Action, ...]) -> JSON:
    (written,) = (action.obj for action in actions if isinstance(action, UpdateStatus))
    result: JSON = written["status"]
    return result


def test_a_new_set_creates_its_replicas_named_after_it() -> None:
    made = created(decide(replica_set(3)))
    assert [obj["metadata"]["name"] for obj in made] == ["set00000", "set00001", "set00002"]
    assert made[0]["metadata"]["labels"] == {"app": "vmi"}
    assert made[0]["metadata"]["ownerReferences"][0]["uid"] == "set-uid"


def test_a_set_without_a_number_of_replicas_has_one() -> None:
    assert len(created(decide(replica_set(None)))) == 1


def test_replicas_that_are_on_their_way_are_not_created_again() -> None:
    assert created(decide(replica_set(3), [vmi("one")], in_creation=2)) == []
    assert len(created(decide(replica_set(3), [vmi("one")], in_creation=1))) == 1


def test_a_large_set_is_created_in_portions() -> None:
    assert len(created(decide(replica_set(1000)))) == MAX_CHANGES_AT_ONCE
    assert len(created(decide(replica_set(1000), in_creation=900))) == 100


def test_a_set_that_shrinks_gives_up_those_that_are_not_ready_first() -> None:
    vmis = [
        vmi("old", creationTimestamp="2026-03-01T12:00:00Z"),
        vmi("young", creationTimestamp="2026-03-01T12:00:09Z"),
        vmi("starting", "Scheduling", creationTimestamp="2026-03-01T12:00:05Z"),
    ]
    assert deleted(decide(replica_set(1), vmis)) == ["starting", "young"]


def test_the_same_decision_twice_deletes_the_same() -> None:
    vmis = [vmi(name) for name in "abcde"]
    assert deleted(decide(replica_set(2), vmis)) == deleted(decide(replica_set(2), vmis[::-1]))


def test_finished_replicas_are_replaced() -> None:
    actions = decide(replica_set(2), [vmi("good"), vmi("bad", "Failed")])
    assert deleted(actions) == ["bad"]
    assert len(created(actions)) == 1


def test_a_replica_that_is_going_does_not_count() -> None:
    actions = decide(replica_set(2), [vmi("stays"), vmi("goes", deletionTimestamp="x")])
    assert deleted(actions) == []
    assert len(created(actions)) == 1
    assert status(actions)["replicas"] == 1


def test_the_status_counts_replicas_and_those_that_are_ready() -> None:
    assert status(decide(replica_set(2), [vmi("a"), vmi("b", "Scheduled")])) == {
        "replicas": 2,
        "readyReplicas": 1,
        "labelSelector": "a=1,b=2",
    }


def test_nothing_is_written_when_nothing_has_changed() -> None:
    vmis = [vmi("a"), vmi("b")]
    vmirs = replica_set(2)
    vmirs["status"] = status(decide(vmirs, vmis))
    assert decide(vmirs, vmis) == ()


def test_a_paused_set_neither_creates_nor_deletes() -> None:
    actions = decide(replica_set(2, paused=True), [vmi("bad", "Failed")])
    assert created(actions) == []
    assert deleted(actions) == []

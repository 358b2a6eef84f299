"""Workloads that do something to objects: which keys they take, and what is said of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import ValidationError

from perfscale.config import Config, dump_config
from perfscale.config.operations import OPERATIONS
from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

VMS: dict[str, Any] = {"name": "vms", "objects": [{"templateFile": "vm.yaml"}]}
OWN = {"workload": "vms"}
NEEDED: dict[str, Any] = {
    "patch": {"patch": {"templateFile": "patch.yaml"}},
    "scale": {"to": 3},
    "addVolume": {"volume": {"name": "data", "disk": {}, "volumeSource": {}}},
    "removeVolume": {"volume": {"name": "data"}},
}


def on_vms(operation: str, **keys: Any) -> dict[str, Any]:
    base = {"name": "load", "operation": operation, "targets": OWN}
    return {**base, **NEEDED.get(operation, {}), **keys}


def problems(load: Callable[..., Config], *workloads: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(yaml.safe_dump({"workloads": [VMS, *workloads]}, sort_keys=False))
    return [str(problem).partition(": ")[2] for problem in refused.value.problems]


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "create"])
def test_every_operation_is_read_and_dumped_as_it_was_written(
    operation: str, load: Callable[..., Config]
) -> None:
    text = yaml.safe_dump({"workloads": [VMS, on_vms(operation)]})
    config = load(text)
    assert config.workloads[1].does is OPERATIONS[operation]
    assert load(dump_config(config)).workloads == config.workloads


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            on_vms("restart", iterationCleanup=True),
            (
                "workloads[1].iterationCleanup: restart creates nothing, and only create "
                "takes this key: remove it"
            ),
        ),
        (
            on_vms("get", objects=[{"templateFile": "vm.yaml"}]),
            "workloads[1].objects: get creates nothing, and only create takes this key: remove it",
        ),
        (
            on_vms("start", gracePeriod="10s"),
            "workloads[1].gracePeriod: start takes no such key, only stop and restart: remove it",
        ),
        (
            on_vms("restart", gracePeriod="10s"),
            (
                "workloads[1].gracePeriod: KubeVirt takes no other gracePeriod than 0s for a "
                "restart: write 0s, or remove it"
            ),
        ),
        (
            on_vms("list", targets={**OWN, "count": 3}),
            "workloads[1].targets.count: list reads whole collections: remove this key",
        ),
        (
            on_vms("restart", targets={"workload": "other"}),
            'workloads[1].targets.workload: "other" is no workload of this file: write one of vms',
        ),
        (
            on_vms("restart", targets={**OWN, "namespace": "a"}),
            (
                "workloads[1].targets.namespace: objects of a workload are found without this key: "
                "remove it, or remove workload"
            ),
        ),
        (
            on_vms("get", targets={"kind": "Pod"}),
            "workloads[1].targets.apiVersion: this key is needed with kind, as in kubevirt.io/v1",
        ),
        (
            on_vms("get", targets={**OWN, "share": "10%", "count": 2}),
            "workloads[1].targets.count: share and this key both say how many: remove one of them",
        ),
        (
            on_vms("get", targets={**OWN, "share": "110%"}),
            (
                'workloads[1].targets.share: "110%" is no share: write more than 0% and 100% at '
                "the most, as in 10%"
            ),
        ),
        (
            {"name": "load", "operation": "restart"},
            "workloads[1].targets: this key is missing",
        ),
        (on_vms("restrat"), 'workloads[1].operation: "restrat" is not known here'),
        (
            {"name": "more", "objects": VMS["objects"], "targets": OWN},
            "workloads[1].targets: create takes no such key",
        ),
    ],
)
def test_keys_that_do_not_fit_the_operation_are_refused(
    keys: dict[str, Any], message: str, load: Callable[..., Config]
) -> None:
    assert any(problem.startswith(message) for problem in problems(load, keys))


def test_everything_that_does_not_fit_is_said_at_once(load: Callable[..., Config]) -> None:
    found = problems(
        load, on_vms("restart", iterationCleanup=True, namespacedIterations=True, qps=-1)
    )
    assert [problem.partition(":")[0] for problem in found] == [
        "workloads[1].iterationCleanup",
        "workloads[1].namespacedIterations",
        "workloads[1].qps",
    ]


@pytest.mark.parametrize(
    "selector", ["tier=web", "tier==web,env in (a, b)", "!gone", "x.io/tier!=web,env notin (a)"]
)
def test_objects_of_others_are_named_by_kind_and_selector(selector: str) -> None:
    targets = {"kind": "VirtualMachine", "apiVersion": "kubevirt.io/v1", "labelSelector": selector}
    config = Config.model_validate({"workloads": [on_vms("get", targets=targets)]})
    read = config.workloads[0].targets
    assert read is not None
    assert read.label_selector == selector


@pytest.mark.parametrize("selector", ["tier web", "=web", "env in a", "a=b,,c=d", ""])
def test_what_is_no_label_selector_is_refused(selector: str) -> None:
    targets = {"kind": "Pod", "apiVersion": "v1", "labelSelector": selector}
    with pytest.raises(ValidationError, match="label selector"):
        Config.model_validate({"workloads": [on_vms("get", targets=targets)]})


def test_what_a_workload_deletes_at_its_end_is_no_target(load: Callable[..., Config]) -> None:
    cleaning = {**VMS, "name": "gone", "iterationCleanup": True}
    (problem,) = problems(load, cleaning, on_vms("restart", targets={"workload": "gone"}))
    assert problem.endswith("gone deletes its objects at its end: remove iterationCleanup there")


@pytest.mark.parametrize("key", ["iterationWait", "iterationCreationWait", "iteration_wait"])
def test_the_wait_of_a_create_has_two_names(key: str) -> None:
    workload = Config.model_validate({"workloads": [{**VMS, key: True}]}).workloads[0]
    assert workload.iteration_creation_wait
    assert workload.iteration_wait


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("load", "a workload's targets are what an earlier one made: write one of vms"),
        ("later", '"later" comes after this workload: write one of vms'),
        ("vm", '"vm" is no workload of this file: write one of vms'),
    ],
)
def test_a_target_that_is_no_earlier_workload_is_said_to_be_what_it_is(
    name: str, message: str, load: Callable[..., Config]
) -> None:
    listing = {"name": "lists", "operation": "list", "targets": OWN}
    here = on_vms("restart", targets={"workload": name})
    (problem,) = problems(load, listing, here, {**VMS, "name": "later"})
    assert problem == f"workloads[2].targets.workload: {message}"


def test_where_no_earlier_workload_makes_objects_none_is_offered(
    load: Callable[..., Config],
) -> None:
    first = {"name": "first", "operation": "list", "targets": {"workload": "vms"}}
    with pytest.raises(ConfigError) as refused:
        load(yaml.safe_dump({"workloads": [first, VMS]}, sort_keys=False))
    (problem,) = refused.value.problems
    assert problem.message.endswith('"vms" comes after this workload: no earlier one makes objects')

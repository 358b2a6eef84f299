"""What objects ask of their namespace, from their manifests alone."""

from decimal import Decimal
from typing import Any

import pytest
from clusters import CONFIGMAPS, PODS, VMIRS, VMIS, VMS

from perfscale.kube.resources import Resource
from perfscale.preflight.quota.needs import needs_of

JSON = dict[str, Any]


def container(**resources: Any) -> JSON:
    return {"name": "c", "resources": resources}


def charged(resource: Resource, spec: JSON, *, waits: bool = True) -> dict[str, str]:
    found = needs_of({"spec": spec}, resource, waits=waits)
    return {name: str(amount) for name, amount in found.charges.items()}


def instance(**domain: Any) -> JSON:
    resources = {"requests": {"memory": "64Mi", "cpu": "100m"}}
    return {"domain": {"resources": resources, **domain}}


def test_a_pod_asks_for_its_containers_together_or_for_the_largest_before_them() -> None:
    spec = {
        "containers": [
            container(requests={"cpu": "100m"}, limits={"cpu": 1, "memory": "1Mi"}),
            container(requests={"cpu": "200m", "example.org/gpu": "2"}),
        ],
        "initContainers": [container(requests={"cpu": "2", "memory": "1Ki"})],
    }
    assert charged(PODS, spec) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "2",
        "requests.cpu": "2",
        "memory": "1048576",
        "requests.memory": "1048576",
        "example.org/gpu": "2",
        "requests.example.org/gpu": "2",
        "limits.cpu": "1",
        "limits.memory": "1048576",
    }


@pytest.mark.parametrize("ends", [{"restartPolicy": "Never"}, {"activeDeadlineSeconds": 5}])
def test_a_pod_that_may_have_ended_is_an_object_and_no_more(ends: JSON) -> None:
    spec = {"containers": [container(requests={"cpu": 1})], **ends}
    assert charged(PODS, spec) == {"count/pods": "1"}


def test_core_kinds_are_counted_by_both_of_their_names() -> None:
    assert charged(CONFIGMAPS, {}) == {"count/configmaps": "1", "configmaps": "1"}


def test_an_instance_has_one_pod_that_asks_for_no_less_than_it() -> None:
    limits = {"requests": {"memory": "64Mi"}, "limits": {"cpu": "2"}}
    assert charged(VMIS, {"domain": {"resources": limits}}) == {
        "count/virtualmachineinstances.kubevirt.io": "1",
        "count/pods": "1",
        "pods": "1",
        "memory": "67108864",
        "requests.memory": "67108864",
        "cpu": "2",
        "requests.cpu": "2",
        "limits.cpu": "2",
    }


@pytest.mark.parametrize(
    ("domain", "unknown"),
    [
        ({"memory": {"hugepages": {"pageSize": "2Mi"}}}, "requests.memory"),
        ({"cpu": {"dedicatedCpuPlacement": True}}, "requests.cpu"),
        ({"memory": {"guest": "1Gi"}, "resources": {}}, "requests.memory"),
    ],
)
def test_nothing_is_said_of_what_only_kubevirt_can_work_out(domain: JSON, unknown: str) -> None:
    found = charged(VMIS, instance(**domain))
    assert unknown not in found
    assert found["pods"] == "1"


@pytest.mark.parametrize(
    ("resource", "spec", "pods"),
    [
        (VMS, {"running": True}, 1),
        (VMS, {"runStrategy": "Always"}, 1),
        (VMS, {"runStrategy": "RerunOnFailure"}, 0),
        (VMS, {"runStrategy": "Halted"}, 0),
        (VMIRS, {}, 1),
        (VMIRS, {"replicas": 4}, 4),
        (VMIRS, {"replicas": 4, "paused": True}, 0),
    ],
)
def test_owners_ask_for_as_many_instances_as_are_sure_to_run(
    resource: Resource, spec: JSON, pods: int
) -> None:
    found = charged(resource, {"template": {"spec": instance()}, **spec})
    assert found[f"count/{resource.name}"] == "1"
    for name in ("pods", "count/pods", "count/virtualmachineinstances.kubevirt.io"):
        assert found.get(name, "0") == str(pods)
    assert Decimal(found.get("requests.cpu", "0")) == pods * Decimal("0.1")


def test_where_nobody_waits_for_them_nothing_is_said_of_what_controllers_make() -> None:
    assert charged(VMIS, instance(), waits=False) == {
        "count/virtualmachineinstances.kubevirt.io": "1"
    }


def test_quantities_that_are_none_are_left_to_the_server() -> None:
    spec = {"containers": [container(requests={"cpu": "much"}), "nonsense"]}
    assert charged(PODS, spec) == {"count/pods": "1", "pods": "1"}

"""Namespaces that stay when they are deleted, and what they say of it."""

from datetime import datetime
from typing import Any

import pytest
from controlled_store import until, until_gone, until_phase
from faulty_cluster import NAMESPACES, VMIS, FaultyApi, faulty
from simulated_api import VMI

from perfscale.kube.resources import NAMESPACES as NAMESPACE
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.faults import Faults

JSON = dict[str, Any]


async def terminating(api: FaultyApi, condition: str) -> dict[str, JSON]:
    """Delete the namespace; return its conditions, once the one that is named holds.

    The pods of its instances are on their way out when it is looked at first.
    """
    await api.create("a")
    await api("DELETE", f"{NAMESPACES}/demo")

    def of_demo(found: list[JSON]) -> dict[str, JSON]:
        (demo,) = (each for each in found if each["metadata"]["name"] == "demo")
        assert demo["status"]["phase"] == "Terminating"
        return {each["type"]: each for each in demo["status"].get("conditions", ())}

    def is_so(found: list[JSON]) -> bool:
        said = of_demo(found)
        remaining = said.get("NamespaceContentRemaining", {}).get("message", "")
        return said.get(condition, {}).get("status") == "True" and "pods." not in remaining

    return of_demo(await until(api.store, NAMESPACE, is_so))


async def test_a_group_that_cannot_be_asked_keeps_a_namespace_that_is_empty() -> None:
    fault = {"fault": "discoveryFails", "undiscovered": ["metrics.k8s.io/v1beta1"]}
    async with faulty(namespaces=[fault]) as api:
        said = await terminating(api, "NamespaceDeletionDiscoveryFailure")
        failure = said["NamespaceDeletionDiscoveryFailure"]
        assert failure["reason"] == "DiscoveryFailed"
        assert "metrics.k8s.io/v1beta1: stale GroupVersion discovery" in failure["message"]
        assert {kind for kind, each in said.items() if each["status"] == "True"} == {
            failure["type"]
        }
        await until_gone(api.store, VMI)
        assert (await api("GET", f"{NAMESPACES}/demo"))[0] == 200
        assert api.injected == {"discoveryFails": 1}


async def test_a_finalizer_of_something_unseen_keeps_a_namespace() -> None:
    fault = {"fault": "finalizersRemain", "finalizer": "example.com/backup"}
    async with faulty(namespaces=[fault]) as api:
        said = await terminating(api, "NamespaceFinalizersRemaining")
        message = said["NamespaceFinalizersRemaining"]["message"]
        assert message.endswith("finalizers remaining: example.com/backup in 1 resource instances")
        assert said["NamespaceContentRemaining"]["status"] == "True"


async def test_an_object_that_is_held_is_named_by_its_namespace() -> None:
    async with faulty(objects=[{"fault": "held", "finalizer": "example.com/hold"}]) as api:
        said = await terminating(api, "NamespaceFinalizersRemaining")
        assert "example.com/hold in 1 resource" in said["NamespaceFinalizersRemaining"]["message"]
        remaining = said["NamespaceContentRemaining"]["message"]
        assert remaining.startswith("Some resources are remaining: ")
        assert "virtualmachineinstances.kubevirt.io has 1 resource instances" in remaining
        assert said["NamespaceDeletionDiscoveryFailure"]["status"] == "False"


async def test_a_namespace_that_nobody_looks_after_stays_as_it_is() -> None:
    async with faulty(namespaces=[{"fault": "unprocessed"}]) as api:
        await api.create("a")
        await until_phase(api.store, VMI, "Running")
        await api("DELETE", f"{NAMESPACES}/demo")
        assert await api.create("b") == 403
        status = (await api("GET", f"{NAMESPACES}/demo"))[1]["status"]
        assert status == {"phase": "Terminating"}
        (vmi,) = (await api("GET", VMIS))[1]["items"]
        assert "deletionTimestamp" not in vmi["metadata"]
        assert api.injected == {"unprocessed": 1}


@pytest.mark.parametrize("fault", ["discoveryFails", "finalizersRemain", "unprocessed"])
async def test_a_namespace_goes_once_the_fault_is_over(fault: str) -> None:
    async with faulty(namespaces=[{"fault": fault, "lasts": "1ms"}]) as api:
        await api.create("a")
        await api("DELETE", f"{NAMESPACES}/demo")
        await until(
            api.store,
            NAMESPACE,
            lambda found: "demo" not in [each["metadata"]["name"] for each in found],
        )
        await until_gone(api.store, VMI)
        assert api.injected == {fault: 1}


async def test_a_namespace_that_is_made_again_is_kept_again() -> None:
    async with faulty(namespaces=[{"fault": "discoveryFails", "lasts": "1ms"}]) as api:
        for times in (1, 2):
            await api("DELETE", f"{NAMESPACES}/demo")
            await until(
                api.store,
                NAMESPACE,
                lambda found: "demo" not in [each["metadata"]["name"] for each in found],
            )
            assert api.injected == {"discoveryFails": times}
            await api("POST", NAMESPACES, {"metadata": {"name": "demo"}})


async def test_only_the_namespaces_that_are_named_stay() -> None:
    async with faulty(namespaces=[{"fault": "unprocessed", "names": ["other-*"]}]) as api:
        await api("DELETE", f"{NAMESPACES}/demo")
        await until(
            api.store,
            NAMESPACE,
            lambda found: "demo" not in [each["metadata"]["name"] for each in found],
        )


@pytest.mark.parametrize(("offset", "sign"), [("1h", 1), ("-1h", -1)])
async def test_controllers_have_a_clock_of_their_own(offset: str, sign: int) -> None:
    faults = Faults.model_validate({"cluster": {"clockOffset": offset}})
    async with SimulatedCluster(speed=1000, seed=1, faults=faults) as cluster:
        obj = {"metadata": {"name": "a", "namespace": "default"}, "spec": {}}
        cluster.store.create(VMI, obj)
        (vmi,) = await until_phase(cluster.store, VMI, "Running")
        created = datetime.fromisoformat(vmi["metadata"]["creationTimestamp"])
        stamps = [
            datetime.fromisoformat(stamp["phaseTransitionTimestamp"])
            for stamp in vmi["status"]["phaseTransitionTimestamps"]
        ]
        assert all((stamp - created).total_seconds() * sign > 3000 for stamp in stamps)

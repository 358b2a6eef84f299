"""Each fault of objects alone, and what the cluster counts of it."""

from typing import Any

import pytest
from controlled_store import until, until_gone, until_phase
from faulty_cluster import CONFIG_MAPS, NAMESPACES, VMIS, faulty
from simulated_api import CONFIG_MAP, POD, VMI, manifest

from perfscale.sim.controllers.kinds import VM
from perfscale.sim.controllers.objects import is_ready
from perfscale.sim.faults.chance import is_selected


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in obj["status"]["conditions"] if c["type"] == kind)
    return found


async def test_an_object_fails_out_of_the_phase_that_is_named() -> None:
    fault = {"fault": "fails", "phase": "Scheduling", "reason": "Broken", "message": "no disk"}
    async with faulty(objects=[fault]) as api:
        await api.create("a")
        (vmi,) = await until_phase(api.store, VMI, "Failed")
        phases = [stamp["phase"] for stamp in vmi["status"]["phaseTransitionTimestamps"]]
        assert phases == ["Pending", "Scheduling", "Failed"]
        said = condition(vmi, "Ready")
        assert (said["status"], said["reason"], said["message"]) == ("False", "Broken", "no disk")
        assert (api.vmis.ready, api.vmis.failed) == (0, 1)
        await api("DELETE", f"{VMIS}/a")
        await until_gone(api.store, VMI)


async def test_an_object_can_fail_once_it_runs() -> None:
    async with faulty(objects=[{"fault": "fails", "phase": "Running"}]) as api:
        await api.create("a")
        await until_phase(api.store, VMI, "Failed")
        assert (api.vmis.ready, api.vmis.failed) == (1, 1)


async def test_a_stuck_object_says_why_and_can_be_deleted() -> None:
    async with faulty(objects=[{"fault": "stuck", "phase": "Scheduling"}]) as api:
        await api.create_many(3)
        for vmi in await until_phase(api.store, VMI, "Scheduling"):
            said = condition(vmi, "PodScheduled")
            assert (said["status"], said["reason"]) == ("False", "Unschedulable")
            assert "Insufficient memory" in said["message"]
        await api("DELETE", VMIS)
        await until_gone(api.store, VMI)
        assert (api.vmis.created, api.vmis.ready, api.vmis.gone) == (3, 0, 3)


async def test_pods_fail_and_get_stuck_too() -> None:
    objects = [
        {"fault": "fails", "phase": "Pending", "resources": ["pods"], "names": ["a*"]},
        {"fault": "stuck", "phase": "Pending", "resources": ["pods"], "names": ["b*"]},
    ]
    spec = {"containers": [{"name": "c", "image": "x"}]}
    async with faulty(objects=objects) as api:
        for name in ("a-1", "b-1", "c-1"):
            api.store.create(POD, manifest(POD, name, spec=spec))

        def settled(pods: list[dict[str, Any]]) -> bool:
            return sorted(pod["status"]["phase"] for pod in pods) == [
                "Failed",
                "Pending",
                "Running",
            ]

        pods = await until(api.store, POD, settled)
        assert [pod["status"]["phase"] for pod in pods] == ["Failed", "Pending", "Running"]


async def test_a_vm_whose_vmi_is_stuck_is_never_ready() -> None:
    async with faulty(objects=[{"fault": "stuck", "phase": "Scheduled"}]) as api:
        template: dict[str, Any] = {"spec": {"domain": {}}}
        api.store.create(
            VM, manifest(VM, "a", spec={"runStrategy": "Always", "template": template})
        )
        await until_phase(api.store, VMI, "Scheduled")
        accounts = api.cluster.ground_truth.kinds()
        assert accounts["virtualmachines.kubevirt.io"].ready == 0


async def test_somebody_else_deletes_an_object_that_runs() -> None:
    fault = {"fault": "vanishes", "phase": "Running", "names": ["vmi-1"]}
    async with faulty(objects=[fault]) as api:
        await api.create_many(2)
        left = await until(
            api.store, VMI, lambda vmis: len(vmis) == 1 and vmis[0]["metadata"]["name"] == "vmi-0"
        )
        assert len(left) == 1
        await until_phase(api.store, VMI, "Running")
        assert (api.vmis.created, api.vmis.ready) == (2, 2)
        assert (api.vmis.vanished, api.vmis.gone, api.vmis.present) == (1, 1, 1)


async def test_an_object_of_any_kind_can_vanish() -> None:
    fault = {"fault": "vanishes", "resources": ["configmaps"], "after": "1ms"}
    async with faulty(objects=[fault]) as api:
        assert (await api("POST", CONFIG_MAPS, manifest(CONFIG_MAP, "a")))[0] == 201
        await until_gone(api.store, CONFIG_MAP)
        account = api.cluster.ground_truth.kinds()["configmaps"]
        assert (account.created, account.ready, account.vanished, account.gone) == (1, 1, 1, 1)


async def test_an_object_that_goes_by_itself_has_not_vanished() -> None:
    async with faulty(objects=[{"fault": "vanishes", "after": "1h"}]) as api:
        await api.create("a")
        await api("DELETE", f"{VMIS}/a")
        await until_gone(api.store, VMI)
        assert (api.vmis.vanished, api.vmis.gone) == (0, 1)


async def test_a_held_object_stays_and_its_namespace_with_it() -> None:
    fault = {"fault": "held", "names": ["vmi-1"], "finalizer": "example.com/hold"}
    async with faulty(objects=[fault]) as api:
        await api.create_many(3)
        await until_phase(api.store, VMI, "Running")
        await api("DELETE", f"{NAMESPACES}/demo")

        def released(vmis: list[dict[str, Any]]) -> bool:
            return len(vmis) == 1 and len(vmis[0]["metadata"]["finalizers"]) == 1

        (left,) = await until(api.store, VMI, released)
        assert left["metadata"]["name"] == "vmi-1"
        assert left["metadata"]["finalizers"] == ["example.com/hold"]
        assert (await api("GET", f"{NAMESPACES}/demo"))[1]["status"]["phase"] == "Terminating"
        assert (api.vmis.held, api.vmis.gone, api.vmis.present) == (1, 2, 1)


async def test_a_dry_run_holds_nothing() -> None:
    async with faulty(objects=[{"fault": "held"}]) as api:
        await api("POST", VMIS, manifest(VMI, "a"), params={"dryRun": "All"})
        assert api.cluster.ground_truth.kinds()["virtualmachineinstances.kubevirt.io"].held == 0


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_of_the_names_is_hit_whatever_the_order(share: float) -> None:
    names = [("virtualmachineinstances.kubevirt.io", "demo", f"vmi-{n}") for n in range(4000)]
    hit = {name for name in names if is_selected(1, "objects[0]", share, name)}
    assert abs(len(hit) - share * 4000) < 200
    assert hit == {name for name in reversed(names) if is_selected(1, "objects[0]", share, name)}
    if share == 0.25:
        assert hit != {name for name in names if is_selected(2, "objects[0]", share, name)}
        assert hit != {name for name in names if is_selected(1, "objects[1]", share, name)}


async def test_an_object_that_is_stuck_as_it_is_created_says_why_too() -> None:
    async with faulty(objects=[{"fault": "stuck", "phase": "Pending"}]) as api:
        await api.create("a")
        (vmi,) = await until(api.store, VMI, lambda vmis: "conditions" in vmis[0]["status"])
        assert vmi["status"]["phase"] == "Pending"
        assert condition(vmi, "PodScheduled")["reason"] == "Unschedulable"


async def test_an_image_that_cannot_be_pulled_shows_in_the_vm() -> None:
    fault = {"fault": "stuck", "phase": "Scheduling", "reason": "ImagePullBackOff"}
    async with faulty(objects=[fault]) as api:
        spec = {"running": True, "template": {"spec": {"domain": {}}}}
        await api("POST", VM.path("demo"), manifest(VM, "a", spec=spec))
        await until(
            api.store,
            VM,
            lambda vms: vms[0].get("status", {}).get("printableStatus") == "ImagePullBackOff",
        )
        (vmi,) = api.store.list(VMI)
        assert condition(vmi, "Synchronized")["reason"] == "ImagePullBackOff"


async def test_faults_of_pods_spare_those_that_instances_run_in() -> None:
    fault = {"fault": "fails", "phase": "Running", "resources": ["pods"]}
    async with faulty(objects=[fault]) as api:
        await api.create("a")
        await until(api.store, VMI, lambda vmis: is_ready(vmis[0]))
        (pod,) = api.store.list(POD)
        assert pod["status"]["phase"] == "Running"

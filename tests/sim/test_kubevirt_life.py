"""The lives of instances and VMs as KubeVirt was seen to lead them, write by write."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from controlled_store import until, until_gone, until_phase
from faulty_cluster import VMIS, FaultyApi, faulty
from simulated_api import VMI, manifest

from perfscale.kube.resources import Resource
from perfscale.sim.controllers.kinds import POD, VM
from perfscale.sim.controllers.objects import condition_of, finalizers_of, is_deleting, is_ready
from perfscale.sim.storage.store import DeleteOptions

JSON = dict[str, Any]

VMS = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachines"


def vm_named(name: str, **spec: object) -> JSON:
    template = {"metadata": {"labels": {"run": "1"}}, "spec": {"domain": {}}}
    return manifest(VM, name, spec={"runStrategy": "Always", "template": template, **spec})


def follow(
    api: FaultyApi, resource: Resource, say: Callable[[JSON], object], name: str | None = None
) -> list[object]:
    """What `say` makes of every change of an object, without what it has said just before."""
    said: list[object] = []

    def note(event: str, obj: JSON) -> None:
        if name is not None and obj["metadata"]["name"] != name:
            return
        what = "gone" if event == "DELETED" else say(obj)
        if not said or said[-1] != what:
            said.append(what)

    api.store.subscribe(resource, note)
    return said


def phase_and_readiness(vmi: JSON) -> tuple[str, str]:
    ready = condition_of(vmi, "Ready")
    status: JSON = vmi["status"]
    if ready is None:
        return status["phase"], ""
    return status["phase"], "ready" if is_ready(vmi) else ready["reason"]


def printable(vm: JSON) -> tuple[str | None, bool, bool]:
    status: JSON = vm.get("status", {})
    return status.get("printableStatus"), "created" in status, "ready" in status


def says_created(vms: list[JSON], *, is_so: bool) -> bool:
    return printable(vms[0])[1] is is_so


async def test_the_answer_to_a_create_is_pending_already() -> None:
    async with faulty() as api:
        seen = follow(api, VMI, phase_and_readiness)
        status, vmi = await api("POST", VMIS, manifest(VMI, "a", spec={"domain": {}}))
        assert (status, vmi["status"]["phase"]) == (201, "Pending")
        assert vmi["metadata"]["generation"] == 1
        assert "conditions" not in vmi["status"]
        await until(api.store, VMI, lambda vmis: is_ready(vmis[0]))
        assert seen == [
            ("Pending", ""),
            ("Scheduling", "GuestNotRunning"),
            ("Scheduled", "GuestNotRunning"),
            ("Running", "GuestNotRunning"),
            ("Running", "ready"),
        ]


async def test_a_deleted_instance_is_not_ready_before_it_succeeds() -> None:
    async with faulty() as api:
        await api.create("a")
        await until(api.store, VMI, lambda vmis: is_ready(vmis[0]))
        seen = follow(api, VMI, phase_and_readiness)
        await api("DELETE", f"{VMIS}/a")
        await until_gone(api.store, VMI)
        assert seen == [
            ("Running", "ready"),
            ("Running", "PodTerminating"),
            ("Succeeded", "PodTerminating"),
            "gone",
        ]


async def test_an_instance_has_a_pod_with_its_labels_for_as_long_as_it_is_there() -> None:
    async with faulty() as api:
        pods = follow(api, POD, lambda pod: (pod["status"]["phase"], is_deleting(pod)))
        labels = {"run": "r"}
        await api("POST", VMIS, manifest(VMI, "a", metadata={"labels": labels}))
        (vmi,) = await until(api.store, VMI, lambda vmis: is_ready(vmis[0]))
        (pod,) = api.store.list(POD)
        assert pod["metadata"]["name"].startswith("virt-launcher-a-")
        assert pod["metadata"]["labels"] == {
            "run": "r",
            "kubevirt.io": "virt-launcher",
            "kubevirt.io/created-by": vmi["metadata"]["uid"],
        }
        node = vmi["status"]["nodeName"]
        assert vmi["status"]["activePods"] == {pod["metadata"]["uid"]: node}
        assert pod["spec"]["nodeName"] == node
        await api("DELETE", f"{VMIS}/a")
        await until_gone(api.store, VMI)
        assert api.store.list(POD) == []
        assert pods == [("Pending", False), ("Running", False), ("Running", True), "gone"]


async def test_an_instance_whose_pod_somebody_deletes_fails() -> None:
    async with faulty() as api:
        await api.create("a")
        await until(api.store, VMI, lambda vmis: is_ready(vmis[0]))
        (pod,) = api.store.list(POD)
        await api("DELETE", f"/api/v1/namespaces/demo/pods/{pod['metadata']['name']}")
        await until_phase(api.store, VMI, "Failed")


async def test_a_vm_is_stopped_first_and_runs_before_it_is_ready() -> None:
    async with faulty() as api:
        seen = follow(api, VM, printable)
        await api("POST", VMS, vm_named("a"))
        await until(api.store, VM, lambda vms: printable(vms[0])[2])
        starting = ("Starting", True, False)
        # Now and then, nobody sees that a VM starts.
        assert [said for said in seen if said != starting] == [
            (None, False, False),
            ("Stopped", False, False),
            ("Running", True, False),
            ("Running", True, True),
        ]


async def test_a_vm_that_is_stopped_says_so_before_its_instance_is_gone() -> None:
    async with faulty() as api:
        await api("POST", VMS, vm_named("a"))
        await until(api.store, VM, lambda vms: printable(vms[0])[2])
        (vmi,) = api.store.list(VMI)
        assert set(finalizers_of(vmi)) == {
            "kubevirt.io/foregroundDeleteVirtualMachine",
            "kubevirt.io/virtualMachineControllerFinalize",
        }
        seen = follow(api, VM, printable)
        vm = api.store.get(VM, "demo", "a")
        api.store.update(VM, {**vm, "spec": {**vm["spec"], "runStrategy": "Halted"}})
        (vm,) = await until(api.store, VM, lambda vms: not printable(vms[0])[1])
        assert [said for said in seen if said != ("Stopping", True, True)] == [
            ("Running", True, True),
            ("Stopping", True, False),
            ("Stopped", True, False),
            ("Stopped", False, False),
        ]
        conditions = {each["type"]: each for each in vm["status"]["conditions"]}
        assert conditions["LiveMigratable"]["status"] == "True"
        assert conditions["Ready"]["reason"] == "VMINotExists"


async def test_a_deleted_vm_goes_after_its_instance() -> None:
    async with faulty() as api:
        gone: list[str] = []

        def note(event: str, obj: JSON) -> None:
            if event == "DELETED":
                gone.append(obj["kind"])

        for resource in (VM, VMI):
            api.store.subscribe(resource, note)
        await api("POST", VMS, vm_named("a"))
        await until(api.store, VM, lambda vms: printable(vms[0])[2])
        seen = follow(api, VM, printable)
        await api("DELETE", f"{VMS}/a")
        await until_gone(api.store, VM)
        assert gone == ["VirtualMachineInstance", "VirtualMachine"]
        assert {said[0] for said in seen if isinstance(said, tuple)} == {"Running", "Terminating"}


async def test_the_name_of_a_vm_that_is_going_is_not_free_yet() -> None:
    async with faulty(speed=0.01) as api:
        held = {"finalizers": ["example.com/held"]}
        await api("POST", VMS, {**vm_named("a"), "metadata": {"name": "a", **held}})
        await api("DELETE", f"{VMS}/a")
        status, answer = await api("POST", VMS, vm_named("a"))
        assert (status, answer["reason"]) == (409, "AlreadyExists")
        assert answer["message"].startswith("object is being deleted: ")


async def test_the_instance_of_a_vm_that_is_orphaned_runs_on_and_can_be_deleted() -> None:
    async with faulty() as api:
        await api("POST", VMS, vm_named("a"))
        await until(api.store, VM, lambda vms: printable(vms[0])[2])
        api.store.delete(VM, "demo", "a", DeleteOptions(propagation="Orphan"))
        await until_gone(api.store, VM)
        (vmi,) = await until(
            api.store, VMI, lambda vmis: not vmis[0]["metadata"].get("ownerReferences")
        )
        assert (vmi["status"]["phase"], is_deleting(vmi)) == ("Running", False)
        await api("DELETE", f"{VMIS}/a")
        await until_gone(api.store, VMI)


ENDS = {"fault": "ends", "phase": "Running"}
FAILS = {"fault": "fails", "phase": "Running"}


@pytest.mark.parametrize(
    ("strategy", "fault", "starts_again"),
    [
        ("Always", ENDS, True),
        ("Always", FAILS, True),
        ("RerunOnFailure", FAILS, True),
        ("RerunOnFailure", ENDS, False),
        ("Once", ENDS, None),
        ("Once", FAILS, None),
    ],
)
async def test_a_guest_that_ends_by_itself_is_started_again_where_the_strategy_says_so(
    strategy: str, fault: JSON, *, starts_again: bool | None
) -> None:
    async with faulty(objects=[fault]) as api:
        uids: set[str] = set()
        ended: set[str] = set()

        def note(_event: str, vmi: JSON) -> None:
            uids.add(vmi["metadata"]["uid"])
            if vmi["status"]["phase"] in ("Succeeded", "Failed"):
                ended.add(vmi["metadata"]["uid"])

        api.store.subscribe(VMI, note)
        await api("POST", VMS, vm_named("a", runStrategy=strategy))
        if starts_again:
            await until(api.store, VMI, lambda _: len(uids) > 1)
            return
        stays = starts_again is None
        last = ("Stopped", stays, False)
        await until(api.store, VM, lambda vms: bool(ended) and printable(vms[0]) == last)
        assert len(uids) == 1
        assert len(api.store.list(VMI)) == stays


async def test_a_vm_that_cannot_start_waits_longer_and_longer_until_it_is_stopped() -> None:
    async with faulty(objects=[{"fault": "fails", "phase": "Scheduling"}]) as api:
        await api("POST", VMS, vm_named("a"))
        (vm,) = await until(
            api.store,
            VM,
            lambda vms: (
                vms[0].get("status", {}).get("startFailure", {}).get("consecutiveFailCount", 0) > 1
                and printable(vms[0]) == ("CrashLoopBackOff", False, False)
            ),
        )
        call = "/apis/subresources.kubevirt.io/v1/namespaces/demo/virtualmachines/a"
        assert await api.call("PUT", f"{call}/stop") == 202
        (vm,) = await until(
            api.store, VM, lambda vms: printable(vms[0]) == ("Stopped", False, False)
        )
        assert "startFailure" not in vm["status"]


async def test_every_operation_is_recorded_with_the_time_that_it_took() -> None:
    async with faulty() as api:
        await api("POST", VMS, vm_named("a"))
        await until(api.store, VM, lambda vms: printable(vms[0])[2])
        call = "/apis/subresources.kubevirt.io/v1/namespaces/demo/virtualmachine"
        operations = api.cluster.ground_truth.operations
        whats = ("instances/a/pause", "instances/a/unpause", "s/a/restart", "s/a/stop", "s/a/start")
        for what in whats:
            await api.call("PUT", f"{call}{what}")
            await until(api.store, VMI, lambda _: operations.records[-1].effect_s is not None)
            has_vmi = what != "s/a/stop"
            await until(api.store, VM, partial(says_created, is_so=has_vmi))
        _, truth = await api("GET", "/simulation/books")
        recorded = truth["operations"]
        assert [each["operation"] for each in recorded] == [
            "pause",
            "unpause",
            "restart",
            "stop",
            "start",
        ]
        assert all(each["effectAfter"] > 0 for each in recorded)
        restart = recorded[2]
        assert 0 < restart["milestones"]["oldGone"] < restart["effectAfter"]


MISSHAPEN: list[tuple[Resource, JSON]] = [
    (VMI, {"spec": {"volumes": ["a"]}}),
    (VMI, {"spec": {"domain": {"devices": {"disks": "a"}}}}),
    (VMI, {"status": {"activePods": ["a"]}}),
    (VMI, {"status": {"conditions": "a"}}),
    (VM, {"spec": {"template": "a"}}),
    (VM, {"spec": {"runStrategy": ["a"]}}),
    (VM, {"spec": {"template": {"spec": {"domain": 1}}}}),
]


@pytest.mark.parametrize(("resource", "content"), MISSHAPEN)
async def test_what_does_not_fit_the_schema_is_refused_and_hurts_no_controller(
    resource: Resource, content: JSON
) -> None:
    async with faulty() as api:
        sent = manifest(resource, "a", **content)
        status, answer = await api("POST", resource.path("demo"), sent)
        assert (status, answer["reason"]) == (422, "Invalid")
        await api.create("b")
        await until_phase(api.store, VMI, "Running")

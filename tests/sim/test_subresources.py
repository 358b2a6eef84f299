"""KubeVirt's calls: which are accepted, by the state of VM and instance, and what is answered."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from controlled_store import until, until_gone, until_phase
from faulty_cluster import FaultyApi, faulty
from simulated_api import VMI, manifest

from perfscale.sim.controllers.kinds import POD, VM, VMIM
from perfscale.sim.controllers.objects import condition_of, is_ready, owner_reference

JSON = dict[str, Any]

GROUP = "/apis/subresources.kubevirt.io"
VMS = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachines"
HEAD = 'Operation cannot be fulfilled on virtualmachine.kubevirt.io "a": '
INSTANCE_HEAD = 'Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io "a": '
STATUS_CREATED = 201


@pytest.fixture
async def cluster() -> AsyncIterator[FaultyApi]:
    async with faulty() as api:
        yield api


def path(what: str, name: str = "a", version: str = "v1") -> str:
    plural = "virtualmachines" if what in MACHINE else "virtualmachineinstances"
    return f"{GROUP}/{version}/namespaces/demo/{plural}/{name}/{what}"


MACHINE = ("start", "stop", "restart", "migrate")


async def create_vm(api: FaultyApi, strategy: str | None = "Always", **spec: object) -> None:
    template = {"metadata": {"labels": {"run": "1"}}, "spec": {"domain": {}}}
    given = {"template": template, **({"runStrategy": strategy} if strategy else {}), **spec}
    status, _ = await api("POST", VMS, manifest(VM, "a", spec=given))
    assert status == STATUS_CREATED


async def running(api: FaultyApi) -> JSON:
    """The instance, once it runs and is ready."""
    (vmi,) = await until(api.store, VMI, lambda vmis: [is_ready(each) for each in vmis] == [True])
    return vmi


async def vm_says(api: FaultyApi, shown: str, *, created: bool) -> JSON:
    def is_so(vms: list[JSON]) -> bool:
        status = vms[0].get("status", {})
        return status.get("printableStatus") == shown and ("created" in status) is created

    (vm,) = await until(api.store, VM, is_so)
    return vm


async def refused(api: FaultyApi, what: str, body: object = None) -> tuple[int, str]:
    status, answer = await api("PUT", path(what), body)
    assert answer["kind"] == "Status"
    assert answer["code"] == status
    return status, answer["message"]


async def accepted(api: FaultyApi, what: str, body: object = None) -> int:
    return await api.call("PUT", path(what), body)


async def test_the_group_is_discovered_with_entries_that_name_no_kind_and_no_verbs(
    cluster: FaultyApi,
) -> None:
    _, groups = await cluster("GET", "/apis")
    (found,) = (each for each in groups["groups"] if each["name"] == "subresources.kubevirt.io")
    assert [each["version"] for each in found["versions"]] == ["v1", "v1alpha3"]
    _, listed = await cluster("GET", f"{GROUP}/v1")
    assert listed["resources"][0]["name"] == "expand-vm-spec"
    entries = {each["name"]: each for each in listed["resources"]}
    assert {"virtualmachines/start", "virtualmachineinstances/pause"} < entries.keys()
    assert {
        *("virtualmachines/memorydump", "virtualmachines/evacuate/cancel"),
        *("virtualmachineinstances/vnc/screenshot", "virtualmachineinstances/sev/setupsession"),
    } < entries.keys()
    assert entries["virtualmachines/start"] == {
        "name": "virtualmachines/start",
        "singularName": "",
        "namespaced": True,
        "kind": "",
        "verbs": None,
    }


@pytest.mark.parametrize("version", ["v1", "v1alpha3"])
async def test_an_accepted_call_is_answered_without_a_body(
    cluster: FaultyApi, version: str
) -> None:
    await create_vm(cluster)
    await running(cluster)
    where = path("pause", version=version)
    async with cluster.session.put(cluster.url + where) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert "Content-Type" not in answer.headers


async def test_what_is_not_there_is_said_in_plain_text(cluster: FaultyApi) -> None:
    await create_vm(cluster)
    for method, what, status, text in (
        ("GET", "start", 405, "405: Method Not Allowed"),
        ("POST", "pause", 405, "405: Method Not Allowed"),
        ("PUT", "nonsense", 404, "404: Page Not Found"),
    ):
        async with cluster.session.request(method, cluster.url + path(what)) as answer:
            assert (answer.status, await answer.text()) == (status, text)
            assert answer.content_type == "text/plain"


async def test_calls_of_nothing_name_what_is_missing(cluster: FaultyApi) -> None:
    assert await refused(cluster, "start") == (404, 'virtualmachine.kubevirt.io "a" not found')
    missing = 'virtualmachineinstance.kubevirt.io "a" not found'
    assert await refused(cluster, "pause") == (404, missing)
    await create_vm(cluster, "Halted")
    assert await refused(cluster, "migrate") == (404, missing)
    _, answer = await cluster("PUT", path("migrate"))
    assert answer["reason"] == "NotFound"
    assert answer["details"] == {
        "name": "a",
        "group": "kubevirt.io",
        "kind": "virtualmachineinstance",
    }


@pytest.mark.parametrize("strategy", ["Always", "Manual", "RerunOnFailure", "Once"])
async def test_a_vm_that_runs_cannot_be_started(cluster: FaultyApi, strategy: str) -> None:
    await create_vm(cluster, strategy)
    if strategy == "Manual":
        assert await accepted(cluster, "start") == 202
    await running(cluster)
    assert await refused(cluster, "start") == (409, f"{HEAD}VM is already running")


@pytest.mark.parametrize("strategy", ["Always", "Once"])
async def test_a_stop_halts_a_vm_that_starts_by_itself(cluster: FaultyApi, strategy: str) -> None:
    await create_vm(cluster, strategy)
    await running(cluster)
    assert await accepted(cluster, "stop") == 202
    (vm,) = cluster.store.list(VM)
    assert vm["spec"]["runStrategy"] == "Halted"
    await until_gone(cluster.store, VMI)
    await vm_says(cluster, "Stopped", created=False)
    assert await refused(cluster, "stop") == (409, f"{HEAD}VM is not running")
    assert await accepted(cluster, "start") == 202
    await running(cluster)
    (vm,) = cluster.store.list(VM)
    assert vm["spec"]["runStrategy"] == "Always"


async def test_a_vm_with_running_instead_of_a_strategy_keeps_it(cluster: FaultyApi) -> None:
    await create_vm(cluster, None, running=True)
    await running(cluster)
    await accepted(cluster, "stop")
    (vm,) = cluster.store.list(VM)
    assert (vm["spec"]["running"], "runStrategy" in vm["spec"]) == (False, False)
    await until_gone(cluster.store, VMI)
    await accepted(cluster, "start")
    (vm,) = cluster.store.list(VM)
    assert (vm["spec"]["running"], "runStrategy" in vm["spec"]) == (True, False)


async def test_a_manual_vm_is_started_and_stopped_by_requests_in_its_status(
    cluster: FaultyApi,
) -> None:
    seen: list[list[str]] = []

    def note(_event: str, vm: JSON) -> None:
        requests = vm.get("status", {}).get("stateChangeRequests", [])
        actions = [each["action"] for each in requests]
        if not seen or seen[-1] != actions:
            seen.append(actions)

    await create_vm(cluster, "Manual")
    await vm_says(cluster, "Stopped", created=False)
    assert await refused(cluster, "stop") == (409, f"{HEAD}VM is not running")
    assert await refused(cluster, "restart") == (409, f"{HEAD}VM is not running: Halted")
    cluster.store.subscribe(VM, note)
    assert await accepted(cluster, "start") == 202
    first = await running(cluster)
    assert await accepted(cluster, "restart") == 202
    (second,) = await until(
        cluster.store,
        VMI,
        lambda vmis: (
            [
                is_ready(each) and each["metadata"]["uid"] != first["metadata"]["uid"]
                for each in vmis
            ]
            == [True]
        ),
    )
    assert second["metadata"]["name"] == "a"
    assert await accepted(cluster, "stop") == 202
    await until_gone(cluster.store, VMI)
    (vm,) = await until(
        cluster.store, VM, lambda vms: "stateChangeRequests" not in vms[0]["status"]
    )
    assert vm["spec"]["runStrategy"] == "Manual"
    assert seen == [["Start"], [], ["Stop", "Start"], ["Start"], [], ["Stop"], []]


@pytest.mark.parametrize("strategy", ["Once", "Halted"])
async def test_restarts_are_refused_where_the_strategy_has_none(
    cluster: FaultyApi, strategy: str
) -> None:
    await create_vm(cluster, strategy)
    why = f"{HEAD}RunStategy {strategy} does not support manual restart requests"
    assert await refused(cluster, "restart") == (409, why)


async def test_of_two_equal_restarts_at_once_one_is_refused_as_an_internal_error(
    cluster: FaultyApi,
) -> None:
    await create_vm(cluster)
    await running(cluster)
    both = [cluster.call("PUT", path("restart")) for _ in range(2)]
    assert sorted(await asyncio.gather(*both)) == [202, 500]


async def test_a_call_while_a_request_is_under_way_is_an_internal_error() -> None:
    async with faulty(speed=0.01) as api:
        await create_vm(api, "Manual")
        vm = await vm_says(api, "Stopped", created=False)
        metadata = {"ownerReferences": [owner_reference(VM, vm)]}
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        api.store.create(VMI, manifest(VMI, "a", metadata=metadata, status=status))
        await vm_says(api, "Running", created=True)
        assert await accepted(api, "restart") == 202
        await vm_says(api, "Stopping", created=True)
        assert await refused(api, "restart") == (
            500,
            "Internal error occurred: unable to complete request: stop/start already underway",
        )


async def test_a_forced_restart_takes_only_no_grace_at_all(cluster: FaultyApi) -> None:
    await create_vm(cluster)
    await running(cluster)
    why = "For force restart, only gracePeriod=0 is supported for now"
    assert await refused(cluster, "restart", {"gracePeriodSeconds": 5}) == (400, why)
    assert (await refused(cluster, "restart", {"gracePeriodSeconds": -1}))[0] == 400
    assert await accepted(cluster, "restart", {"gracePeriodSeconds": 0}) == 202
    (vmi,) = cluster.store.list(VMI)
    assert vmi["spec"]["terminationGracePeriodSeconds"] == 1


async def test_bad_json_is_refused_after_the_state_is(cluster: FaultyApi) -> None:
    await create_vm(cluster, "Halted")
    status, message = await refused(cluster, "start", b"{")
    assert status == 400
    assert message.startswith("Can not unmarshal Request body to struct, error: json: ")
    await accepted(cluster, "start", {"unknown": 1})
    await running(cluster)
    assert await refused(cluster, "start", b"{") == (409, f"{HEAD}VM is already running")


async def test_a_dry_run_is_answered_alike_and_changes_nothing(cluster: FaultyApi) -> None:
    await create_vm(cluster, "Halted")
    await vm_says(cluster, "Stopped", created=False)
    version = cluster.store.version
    assert await accepted(cluster, "start", {"dryRun": ["All"]}) == 202
    assert cluster.store.version == version
    assert not cluster.cluster.ground_truth.operations.records


async def test_a_vm_can_be_started_paused(cluster: FaultyApi) -> None:
    await create_vm(cluster, "Halted")
    assert await accepted(cluster, "start", {"paused": True}) == 202
    await vm_says(cluster, "Paused", created=True)
    (vm,), (vmi,) = cluster.store.list(VM), cluster.store.list(VMI)
    assert vm["spec"]["runStrategy"] == "Always"
    assert vmi["spec"]["startStrategy"] == "Paused"
    assert await accepted(cluster, "unpause") == 200
    await running(cluster)


async def test_a_pause_shows_before_the_vm_is_not_ready_and_ends_likewise(
    cluster: FaultyApi,
) -> None:
    await create_vm(cluster)
    await running(cluster)
    assert await refused(cluster, "unpause") == (409, f"{INSTANCE_HEAD}VMI is not paused")
    seen: list[tuple[str | None, bool]] = []

    def note(_event: str, vm: JSON) -> None:
        status = vm["status"]
        said = (status.get("printableStatus"), status.get("ready", False))
        if not seen or seen[-1] != said:
            seen.append(said)

    await until(cluster.store, VM, lambda vms: "ready" in vms[0]["status"])
    cluster.store.subscribe(VM, note)
    assert await accepted(cluster, "pause") == 200
    await until(cluster.store, VM, lambda _: seen[-1:] == [("Paused", False)])
    (vmi,) = cluster.store.list(VMI)
    ready = condition_of(vmi, "Ready")
    assert ready is not None
    assert (vmi["status"]["phase"], ready["reason"]) == ("Running", "ReadinessGatesNotReady")
    (pod,) = cluster.store.list(POD)
    assert not is_ready(pod)
    assert await refused(cluster, "pause") == (409, f"{INSTANCE_HEAD}VMI is already paused")
    assert await refused(cluster, "softreboot") == (409, f"{INSTANCE_HEAD}VMI is paused")
    assert await accepted(cluster, "reset") == 200
    assert await accepted(cluster, "unpause") == 200
    await until(cluster.store, VM, lambda _: seen[-1:] == [("Running", True)])
    assert [said for said in seen if said[0] is not None][-4:] == [
        ("Paused", True),
        ("Paused", False),
        ("Running", False),
        ("Running", True),
    ]


@pytest.mark.parametrize("what", ["pause", "unpause", "softreboot", "reset", "freeze"])
async def test_calls_of_an_instance_that_does_not_run_are_refused(what: str) -> None:
    stuck = {"fault": "stuck", "phase": "Scheduling"}
    async with faulty(objects=[stuck]) as api:
        await api.create("a")
        await until_phase(api.store, VMI, "Scheduling")
        status, message = await refused(api, what)
        if what == "reset":
            assert status == 400
            assert message.startswith("Failed to reset non-running VMI with phase Scheduling: ")
        else:
            assert (status, message) == (409, f"{INSTANCE_HEAD}VM is not running")


async def test_guest_info_needs_the_agent(cluster: FaultyApi) -> None:
    await cluster.create("a")
    await until(
        cluster.store,
        VMI,
        lambda vmis: condition_of(vmis[0], "AgentConnected") is not None,
    )
    status, info = await cluster("GET", path("guestosinfo"))
    assert (status, info["hostname"]) == (200, "a")
    for what, count in (("userlist", 0), ("filesystemlist", 1)):
        status, listed = await cluster("GET", path(what))
        assert (status, len(listed["items"])) == (200, count)


@pytest.mark.parametrize("what", ["memorydump", "evacuate/cancel", "vnc/screenshot"])
async def test_a_call_that_kubevirt_lists_and_that_is_not_simulated_says_so(
    cluster: FaultyApi, what: str
) -> None:
    await create_vm(cluster)
    plural = "virtualmachineinstances" if "vnc" in what else "virtualmachines"
    where = f"{GROUP}/v1/namespaces/demo/{plural}/a/{what}"
    async with cluster.session.put(cluster.url + where) as answer:
        assert (answer.status, answer.content_type) == (501, "text/plain")
        assert await answer.text() == f"501: Not Implemented: {what} is not simulated"


async def test_a_migration_that_is_put_has_a_generated_name_and_no_labels(
    cluster: FaultyApi,
) -> None:
    await create_vm(cluster)
    await running(cluster)
    assert await accepted(cluster, "migrate") == 202
    (vmim,) = cluster.store.list(VMIM)
    assert vmim["metadata"]["name"].startswith("kubevirt-migrate-vm-")
    assert "run" not in vmim["metadata"].get("labels", {})
    assert vmim["spec"]["vmiName"] == "a"


VOLUME: JSON = {
    "name": "extra",
    "disk": {"disk": {"bus": "scsi"}},
    "volumeSource": {"dataVolume": {"name": "extra", "hotpluggable": True}},
}


def volume_path(plural: str, what: str) -> str:
    return f"{GROUP}/v1/namespaces/demo/{plural}/a/{what}volume"


@pytest.mark.parametrize("plural", ["virtualmachines", "virtualmachineinstances"])
async def test_a_volume_is_attached_step_by_step_and_removed(
    cluster: FaultyApi, plural: str
) -> None:
    await create_vm(cluster)
    await running(cluster)
    phases: list[str] = []

    def note(_event: str, vmi: JSON) -> None:
        volumes = vmi["status"].get("volumeStatus", [])
        phase = next((each["phase"] for each in volumes if each["name"] == "extra"), "absent")
        if not phases or phases[-1] != phase:
            phases.append(phase)

    cluster.store.subscribe(VMI, note)
    assert await cluster.call("PUT", volume_path(plural, "add"), VOLUME) == 202
    await until(cluster.store, VMI, lambda _: phases[-1:] == ["Ready"])
    again, _ = await cluster("PUT", volume_path(plural, "add"), VOLUME)
    assert again == 409
    assert await cluster.call("PUT", volume_path(plural, "remove"), {"name": "extra"}) == 202
    await until(cluster.store, VMI, lambda _: phases[-1:] == ["absent"])
    attached = ["Pending", "Bound", "AttachedToNode", "MountedToPod", "Ready"]
    assert [each for each in phases if each != "absent"] == [*attached, "Detaching"]
    (vm,) = cluster.store.list(VM)
    assert "RestartRequired" not in [each["type"] for each in vm["status"]["conditions"]]
    again, _ = await cluster("PUT", volume_path(plural, "remove"), {"name": "extra"})
    assert again == 409


async def test_a_volume_without_a_name_is_refused(cluster: FaultyApi) -> None:
    await create_vm(cluster)
    await running(cluster)
    status, answer = await cluster("PUT", volume_path("virtualmachines", "add"), {})
    assert (status, answer["message"]) == (400, "AddVolumeOptions requires name to be set")


async def test_faults_of_requests_reach_the_calls() -> None:
    requests = [
        {"fault": "tooManyRequests", "groups": ["subresources.kubevirt.io"], "times": 1},
        {"fault": "forbidden", "verbs": ["update"], "resources": ["virtualmachines"], "times": 1},
    ]
    async with faulty(requests=requests) as api:
        await create_vm(api, "Halted")
        assert (await api("PUT", path("start")))[0] == 429
        status, answer = await api("PUT", path("start"))
        assert status == 403
        wanted = 'resource "virtualmachines/start" in API group "subresources.kubevirt.io"'
        assert wanted in answer["message"]
        assert await accepted(api, "start") == 202


async def test_a_group_whose_server_is_gone_is_unavailable() -> None:
    fault = {"fault": "groupUnavailable", "groups": ["subresources.kubevirt.io"]}
    async with faulty(requests=[fault]) as api:
        await create_vm(api, "Halted")
        assert await api.call("PUT", path("start")) == 503
        assert await api.call("GET", f"{GROUP}/v1") == 503

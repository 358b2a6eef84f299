"""Live migrations from one node to another, as KubeVirt leads them."""

from typing import Any

import pytest
from controlled_store import NAMESPACE, until, until_gone, until_phase
from workload_kinds import an_object, has_condition, running_cluster

from perfscale.errors import ApiError
from perfscale.sim.cluster import SimulatedCluster
from perfscale.sim.controllers.kinds import EVENT, NODE, POD, VM, VMI, VMIM
from perfscale.sim.controllers.objects import is_ready
from perfscale.sim.storage.refusals import InvalidError
from perfscale.sim.storage.store import Store
from perfscale.sim.storage.validation import validate

JSON = dict[str, Any]


def a_migration(vmi: str = "vmi-0", name: str = "move", **spec: object) -> JSON:
    return an_object(VMIM, name, {"vmiName": vmi, **spec})


async def with_instances(cluster: SimulatedCluster, count: int = 1) -> Store:
    """The store of a cluster in which so many instances are ready."""
    store = cluster.store
    for number in range(count):
        store.create(VMI, an_object(VMI, f"vmi-{number}", {"domain": {}}))
    await until(store, VMI, lambda vmis: all(map(is_ready, vmis)))
    return store


def phases(store: Store) -> dict[str, list[str]]:
    """The phases that each migration is in from now on."""
    seen: dict[str, list[str]] = {}

    def note(event: str, obj: JSON) -> None:
        history = seen.setdefault(obj["metadata"]["name"], [])
        phase = (obj.get("status") or {}).get("phase", "")
        if event != "DELETED" and history[-1:] != [phase]:
            history.append(phase)

    store.subscribe(VMIM, note)
    return seen


async def test_an_instance_moves_to_another_node_and_is_the_same() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster)
        (before,) = store.list(VMI)
        seen = phases(store)
        made = store.create(VMIM, a_migration())
        assert made["metadata"]["labels"]["kubevirt.io/vmi-name"] == "vmi-0"
        assert made["metadata"]["finalizers"] == ["kubevirt.io/migrationJobFinalize"]
        await until(store, VMIM, lambda found: not found[0]["metadata"].get("finalizers"))
        (after,) = await until(store, VMI, lambda vmis: is_ready(vmis[0]))
        pods = store.list(POD)
    assert seen["move"] == [
        "",
        "Pending",
        "Scheduling",
        "Scheduled",
        "PreparingTarget",
        "TargetReady",
        "Running",
        "Succeeded",
    ]
    source, target = before["status"]["nodeName"], after["status"]["nodeName"]
    assert source != target
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["labels"]["kubevirt.io/nodeName"] == target
    moved = after["status"]["migrationState"]
    assert moved["migrationUid"] == made["metadata"]["uid"]
    assert (moved["sourceNode"], moved["targetNode"]) == (source, target)
    assert moved["completed"]
    assert moved["startTimestamp"] <= moved["endTimestamp"]
    assert sorted(after["status"]["activePods"].values()) == sorted([source, target])
    by_node = {pod["spec"]["nodeName"]: pod["status"]["phase"] for pod in pods}
    assert by_node == {source: "Succeeded", target: "Running"}
    assert moved["targetPod"] in {pod["metadata"]["name"] for pod in pods}


async def test_its_vm_is_migrating_meanwhile_and_not_ready_for_a_moment() -> None:
    shown: list[str] = []
    readiness: list[bool] = []
    async with running_cluster() as cluster:
        store = cluster.store
        template: JSON = {"spec": {"domain": {}}}
        store.create(VM, an_object(VM, "vmi-0", {"runStrategy": "Always", "template": template}))
        await until(store, VM, lambda vms: bool(vms[0].get("status", {}).get("ready")))

        def note(_event: str, obj: JSON) -> None:
            status = obj["status"]
            if shown[-1:] != [status["printableStatus"]]:
                shown.append(status["printableStatus"])
            if readiness[-1:] != [status.get("ready", False)]:
                readiness.append(status.get("ready", False))

        store.subscribe(VM, note)
        store.create(VMIM, a_migration())
        await until(store, VMIM, lambda found: not found[0]["metadata"].get("finalizers"))
        await until(store, VM, lambda vms: bool(vms[0]["status"].get("ready")))
    assert shown == ["Running", "Migrating", "Running"][-len(shown) :]
    assert "Migrating" in shown
    assert readiness[-2:] == [False, True]


async def test_five_go_at_a_time_and_two_out_of_a_node_and_all_arrive() -> None:
    most = 0
    most_of_a_node = 0
    async with running_cluster() as cluster:
        store = await with_instances(cluster, 40)

        def note(_event: str, _obj: JSON) -> None:
            nonlocal most, most_of_a_node
            going = [
                each["status"]["migrationState"]["sourceNode"]
                for each in store.list(VMIM)
                if (each.get("status") or {}).get("phase", "")
                not in ("", "Pending", "Succeeded", "Failed")
            ]
            most = max(most, len(going))
            most_of_a_node = max([most_of_a_node, *(going.count(node) for node in going)])

        store.subscribe(VMIM, note)
        for number in range(40):
            store.create(VMIM, a_migration(f"vmi-{number}", f"move-{number}"))
        await until_phase(store, VMIM, "Succeeded")
    assert most == 5
    assert 1 <= most_of_a_node <= 2


async def test_an_instance_can_come_back_to_where_it_was() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster)
        nodes = []
        (home,) = store.list(VMI)
        other = next(
            node["metadata"]["name"]
            for node in store.list(NODE)
            if node["metadata"]["name"] != home["status"]["nodeName"]
        )
        for name, node in (("there", other), ("back", home["status"]["nodeName"])):
            chosen = {"kubernetes.io/hostname": node}
            store.create(VMIM, a_migration(name=name, addedNodeSelector=chosen))
            await until_phase(store, VMIM, "Succeeded")
            nodes.append(store.list(VMI)[0]["status"]["nodeName"])
        assert nodes == [other, home["status"]["nodeName"]]
        running = [pod for pod in store.list(POD) if pod["status"]["phase"] == "Running"]
        assert [pod["spec"]["nodeName"] for pod in running] == [nodes[-1]]


async def test_a_migration_that_is_deleted_while_it_goes_is_aborted() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster)
        (before,) = store.list(VMI)
        aborted: list[JSON] = []
        failed: list[str] = []

        def note(_event: str, obj: JSON) -> None:
            if (obj.get("status") or {}).get("phase") == "Failed":
                failed.append(obj["metadata"]["name"])
            if has_condition("migrationAbortRequested")(obj):
                aborted.append(obj)

        def delete_when_running(_event: str, obj: JSON) -> None:
            is_running = (obj.get("status") or {}).get("phase") == "Running"
            if is_running and "deletionTimestamp" not in obj["metadata"]:
                store.delete(VMIM, NAMESPACE, "move")

        store.subscribe(VMIM, note)
        store.subscribe(VMIM, delete_when_running)
        store.create(VMIM, a_migration())
        await until(store, VMIM, lambda found: not found and bool(failed))
        (vmi,) = store.list(VMI)
    assert aborted
    assert vmi["status"]["nodeName"] == before["status"]["nodeName"]
    by_name = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in store.list(POD)}
    moved = vmi["status"]["migrationState"]
    assert by_name == {moved["sourcePod"]: "Running", moved["targetPod"]: "Failed"}
    assert moved["abortRequested"]
    assert (moved["abortStatus"], moved["failed"], moved["completed"]) == ("Succeeded", True, True)
    assert is_ready(vmi)


async def test_a_migration_fails_and_goes_when_its_instance_does() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster)
        failed: list[str] = []

        def note(_event: str, obj: JSON) -> None:
            phase = (obj.get("status") or {}).get("phase")
            if phase == "Scheduled" and store.list(VMI):
                store.delete(VMI, NAMESPACE, "vmi-0")
            if phase == "Failed":
                failed.append(obj["metadata"]["name"])

        store.subscribe(VMIM, note)
        store.create(VMIM, a_migration())
        await until(store, VMIM, lambda found: not found and bool(failed))
        await until_gone(store, VMI)
        await until_gone(store, POD)


async def test_ended_migrations_go_with_their_instance() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster)
        store.create(VMIM, a_migration())
        await until_phase(store, VMIM, "Succeeded")
        store.delete(VMI, NAMESPACE, "vmi-0")
        await until_gone(store, VMIM)


async def test_a_migration_of_an_instance_that_starts_waits_until_it_runs() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(VMI, an_object(VMI, "vmi-0", {"domain": {}}))
        store.create(VMIM, a_migration())
        await until_phase(store, VMIM, "Succeeded")


async def test_what_cannot_be_migrated_is_refused() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster, 2)
        with pytest.raises(ApiError, match='the VMI "load/nobody" does not exist') as refused:
            store.create(VMIM, a_migration("nobody"))
        assert (refused.value.status, refused.value.reason) == (400, "")
        vmi = store.get(VMI, NAMESPACE, "vmi-1")
        bridged = {
            "type": "LiveMigratable",
            "status": "False",
            "reason": "InterfaceNotLiveMigratable",
            "message": "bridge",
        }
        kept = [each for each in vmi["status"]["conditions"] if each["type"] != "LiveMigratable"]
        store.update(VMI, {**vmi, "status": {**vmi["status"], "conditions": [*kept, bridged]}})
        with pytest.raises(ApiError, match="Reason: InterfaceNotLiveMigratable, Message: bridge"):
            store.create(VMIM, a_migration("vmi-1"))
        store.create(VMIM, a_migration())
        with pytest.raises(ApiError, match="in-flight migration detected"):
            store.create(VMIM, a_migration(name="second"))
        await until_phase(store, VMIM, "Succeeded")
        store.create(VMIM, a_migration(name="second"))


async def test_a_migration_needs_the_name_of_an_instance() -> None:
    async with running_cluster() as cluster:
        kind = cluster.store.catalogue.stored(VMIM)
        with pytest.raises(InvalidError, match=r"spec\.vmiName"):
            validate(kind, VMIM, an_object(VMIM, "move", {}))


async def test_a_fault_lets_a_migration_fail_and_the_instance_stays() -> None:
    fault = {
        "fault": "fails",
        "phase": "TargetReady",
        "resources": ["virtualmachineinstancemigrations"],
    }
    async with running_cluster(objects=[fault]) as cluster:
        store = await with_instances(cluster)
        node = store.list(VMI)[0]["status"]["nodeName"]
        store.create(VMIM, a_migration())
        await until(
            store,
            VMIM,
            lambda found: (
                found[0].get("status", {}).get("phase") == "Failed"
                and not found[0]["metadata"].get("finalizers")
            ),
        )
        (vmi,) = store.list(VMI)
        assert vmi["status"]["nodeName"] == node
        assert vmi["status"]["migrationState"]["failed"]
        assert is_ready(vmi)


def said_of(store: Store, name: str) -> list[tuple[str, str]]:
    """Types and reasons of the events about a migration, as they came."""
    events = [each for each in store.list(EVENT) if each["involvedObject"]["name"] == name]
    events.sort(key=lambda each: int(each["metadata"]["resourceVersion"]))
    return [(each["type"], each["reason"]) for each in events]


async def test_events_tell_how_a_migration_goes() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster)
        made = store.create(VMIM, a_migration())
        await until_phase(store, VMIM, "Succeeded")
        (first, *_) = await until(store, EVENT, lambda events: len(events) == 3)
        (vmi,) = store.list(VMI)
        assert said_of(store, "move") == [
            ("Normal", "SuccessfulCreate"),
            ("Normal", "SuccessfulHandOver"),
            ("Normal", "SuccessfulMigration"),
        ]
    pod = vmi["status"]["migrationState"]["targetPod"]
    messages = {each["message"] for each in store.list(EVENT)}
    assert f"Created migration target pod {pod}" in messages
    about = first["involvedObject"]
    assert (about["kind"], about["uid"]) == (VMIM.kind, made["metadata"]["uid"])


async def test_events_tell_that_a_migration_was_aborted_or_lost_its_instance() -> None:
    async with running_cluster() as cluster:
        store = await with_instances(cluster, 2)
        store.create(VMIM, a_migration())
        store.create(VMIM, a_migration("vmi-1", "other"))
        both = {"move", "other"}
        await until(
            store, EVENT, lambda found: both <= {each["involvedObject"]["name"] for each in found}
        )
        store.delete(VMIM, NAMESPACE, "move")
        store.delete(VMI, NAMESPACE, "vmi-1")
        await until_gone(store, VMIM)
        assert said_of(store, "move")[-2:] == [
            ("Normal", "SuccessfulAbortMigration"),
            ("Warning", "FailedMigration"),
        ]
        assert said_of(store, "other")[-1] == ("Warning", "FailedMigration")

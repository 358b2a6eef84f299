"""Claims, what fills them, and snapshots of them."""

from typing import Any

from controlled_store import NAMESPACE, until, until_gone, until_phase
from workload_kinds import (
    POD_SPEC,
    an_object,
    phases_passed,
    running_cluster,
    until_condition,
    until_status,
)

from perfscale.sim.controllers.kinds import DATA_SOURCE, DATA_VOLUME, POD, PV, PVC, VOLUME_SNAPSHOT
from perfscale.sim.controllers.objects import is_ready

JSON = dict[str, Any]

SIZE: JSON = {"resources": {"requests": {"storage": "2Gi"}}}


def a_claim(name: str = "data", **spec: object) -> JSON:
    return an_object(PVC, name, {"accessModes": ["ReadWriteMany"], **SIZE, **spec})


def a_data_volume(name: str = "disk", **spec: object) -> JSON:
    source = {"http": {"url": "http://images/disk.img"}}
    return an_object(DATA_VOLUME, name, {"source": source, "storage": SIZE, **spec})


def a_pod_with(claim: str) -> JSON:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    return an_object(POD, "user", {**POD_SPEC, "volumes": volumes})


async def test_a_claim_is_bound_to_a_volume_that_goes_with_it() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(PVC, a_claim())
        assert store.get(PVC, NAMESPACE, "data")["status"]["phase"] == "Pending"
        (claim,) = await until_phase(store, PVC, "Bound")
        (volume,) = await until_phase(store, PV, "Bound")
        assert volume["spec"]["csi"]["volumeHandle"] == volume["metadata"]["name"]
        assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
        assert claim["status"]["capacity"] == volume["spec"]["capacity"] == {"storage": "2Gi"}
        assert claim["status"]["accessModes"] == ["ReadWriteMany"]
        store.delete(PVC, NAMESPACE, "data")
        await until_gone(store, PV)


async def test_a_claim_grows_with_what_it_requests() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(PVC, a_claim())
        (claim,) = await until_phase(store, PVC, "Bound")
        more = {**claim["spec"], "resources": {"requests": {"storage": "3Gi"}}}
        store.update(PVC, {**claim, "spec": more})
        await until(
            store,
            PVC,
            lambda claims: [each["status"]["capacity"]["storage"] for each in claims] == ["3Gi"],
        )


async def test_a_claim_of_a_class_that_waits_is_bound_when_a_pod_uses_it() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(PVC, a_claim("late", storageClassName="local"))
        store.create(PVC, a_claim("soon"))
        await until(
            store,
            PVC,
            lambda claims: [each["status"]["phase"] for each in claims] == ["Pending", "Bound"],
        )
        store.create(POD, a_pod_with("late"))
        await until_phase(store, PVC, "Bound")
        await until(store, POD, lambda pods: all(map(is_ready, pods)))


async def test_a_pod_waits_for_a_claim_that_is_not_there_yet() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(POD, a_pod_with("data"))
        pod = await until_condition(store, POD, "PodScheduled", "False")
        assert 'persistentvolumeclaim "data" not found' in str(pod["status"]["conditions"])
        store.create(PVC, a_claim())
        await until(store, POD, lambda pods: all(map(is_ready, pods)))


async def test_a_data_volume_is_filled_once_its_claim_is_bound() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        seen = phases_passed(store, DATA_VOLUME)
        store.create(DATA_VOLUME, a_data_volume())
        (volume,) = await until_phase(store, DATA_VOLUME, "Succeeded")
        (claim,) = store.list(PVC)
        assert claim["status"]["phase"] == "Bound"
        assert claim["metadata"]["name"] == "disk"
        assert volume["status"]["progress"] == "100.0%"
        assert is_ready(volume)
        store.delete(DATA_VOLUME, NAMESPACE, "disk")
        await until_gone(store, PVC)
    assert seen[:5] == ["", "Pending", "ImportScheduled", "ImportInProgress", "Succeeded"]


async def test_a_data_volume_waits_for_a_consumer_where_its_class_does() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        waiting = {**SIZE, "storageClassName": "local"}
        store.create(DATA_VOLUME, a_data_volume(storage=waiting))
        await until_phase(store, DATA_VOLUME, "WaitForFirstConsumer")
        store.create(POD, a_pod_with("disk"))
        await until_phase(store, DATA_VOLUME, "Succeeded")


async def test_an_upload_waits_for_somebody_to_send_something() -> None:
    async with running_cluster() as cluster:
        cluster.store.create(DATA_VOLUME, a_data_volume(source={"upload": {}}))
        await until_phase(cluster.store, DATA_VOLUME, "UploadReady")


async def test_a_snapshot_of_a_volume_is_ready_to_use() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        source = {"source": {"persistentVolumeClaimName": "data"}}
        store.create(VOLUME_SNAPSHOT, an_object(VOLUME_SNAPSHOT, "snap", source))
        snapshot = await until_status(store, VOLUME_SNAPSHOT, readyToUse=False)
        assert '"data" not found' in snapshot["status"]["error"]["message"]
        store.create(PVC, a_claim())
        snapshot = await until_status(store, VOLUME_SNAPSHOT, readyToUse=True)
        assert "error" not in snapshot["status"]
        assert snapshot["status"]["boundVolumeSnapshotContentName"]


async def test_a_data_source_is_ready_once_what_it_names_is_there() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        named = {"source": {"pvc": {"namespace": NAMESPACE, "name": "data"}}}
        store.create(DATA_SOURCE, an_object(DATA_SOURCE, "golden", named))
        await until_condition(store, DATA_SOURCE, "Ready", "False")
        store.create(PVC, a_claim())
        await until_condition(store, DATA_SOURCE, "Ready", "True")

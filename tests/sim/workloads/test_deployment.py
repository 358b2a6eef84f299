import pytest
from controlled_store import NAMESPACE, until, until_gone
from workload_kinds import (
    LABELS,
    POD_SPEC,
    a_workload,
    changed,
    condition_in,
    running_cluster,
    until_status,
)

from perfscale.kube.resources import Resource
from perfscale.sim.controllers.kinds import DEPLOYMENT, POD, REPLICA_SET, REPLICATION_CONTROLLER
from perfscale.sim.controllers.objects import is_ready


async def test_a_deployment_has_a_replica_set_whose_pods_become_ready() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(DEPLOYMENT, a_workload(DEPLOYMENT, replicas=3))
        deployment = await until_status(store, DEPLOYMENT, readyReplicas=3, availableReplicas=3)
        (replica_set,) = store.list(REPLICA_SET)
        pods = store.list(POD)
    status = deployment["status"]
    assert (status["updatedReplicas"], status["replicas"], status["observedGeneration"]) == (
        3,
        3,
        1,
    )
    assert condition_in(deployment, "Available")["status"] == "True"
    assert condition_in(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"
    assert all(is_ready(pod) for pod in pods)
    assert {pod["metadata"]["labels"]["app"] for pod in pods} == {"web"}
    assert replica_set["metadata"]["labels"]["pod-template-hash"] in replica_set["metadata"]["name"]
    assert all(pod["spec"]["nodeName"].startswith("node") for pod in pods)


async def test_a_deployment_is_scaled_up_and_down() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(DEPLOYMENT, a_workload(DEPLOYMENT, replicas=1))
        await until_status(store, DEPLOYMENT, readyReplicas=1)
        for replicas in (5, 2):
            changed(store, DEPLOYMENT, "web", replicas=replicas)
            await until_status(store, DEPLOYMENT, readyReplicas=replicas, replicas=replicas)
            await until(store, POD, lambda pods, wanted=replicas: len(pods) == wanted)  # type: ignore[misc]
        assert len(store.list(REPLICA_SET)) == 1


async def test_a_new_template_is_rolled_out_with_enough_pods_available_all_the_time() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(DEPLOYMENT, a_workload(DEPLOYMENT, replicas=8))
        await until_status(store, DEPLOYMENT, readyReplicas=8)
        available: list[int] = []
        totals: list[int] = []

        def note(_event: str, obj: dict[str, dict[str, int]]) -> None:
            available.append(obj["status"].get("availableReplicas", 0))
            totals.append(obj["status"].get("replicas", 0))

        store.subscribe(DEPLOYMENT, note)
        template = {
            "metadata": {"labels": {**LABELS, "version": "2"}},
            "spec": {**POD_SPEC, "hostname": "new"},
        }
        changed(store, DEPLOYMENT, "web", template=template)
        done = await until_status(
            store, DEPLOYMENT, observedGeneration=2, updatedReplicas=8, replicas=8, readyReplicas=8
        )
        assert condition_in(done, "Progressing")["reason"] == "NewReplicaSetAvailable"
        await until(store, POD, lambda pods: len(pods) == 8)
        assert {pod["metadata"]["labels"]["version"] for pod in store.list(POD)} == {"2"}
        assert len(store.list(REPLICA_SET)) == 2
    assert min(available) >= 6
    assert max(totals) <= 10


async def test_recreate_lets_all_old_pods_go_before_the_new_ones_come() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        made = a_workload(DEPLOYMENT, replicas=3, strategy={"type": "Recreate"})
        store.create(DEPLOYMENT, made)
        await until_status(store, DEPLOYMENT, readyReplicas=3)
        versions: list[int] = []

        def note(_event: str, _obj: object) -> None:
            labels = [pod["metadata"]["labels"] for pod in store.list(POD)]
            versions.append(len({each.get("version") for each in labels} or {""}))

        store.subscribe(POD, note)
        template = {"metadata": {"labels": {**LABELS, "version": "2"}}, "spec": POD_SPEC}
        changed(store, DEPLOYMENT, "web", template=template)
        await until_status(
            store, DEPLOYMENT, observedGeneration=2, updatedReplicas=3, readyReplicas=3, replicas=3
        )
    assert max(versions) == 1


async def test_a_deleted_deployment_leaves_nothing_behind() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(DEPLOYMENT, a_workload(DEPLOYMENT, replicas=3))
        await until_status(store, DEPLOYMENT, readyReplicas=3)
        store.delete(DEPLOYMENT, NAMESPACE, "web")
        await until_gone(store, POD)
        await until_gone(store, REPLICA_SET)


@pytest.mark.parametrize("resource", [REPLICA_SET, REPLICATION_CONTROLLER])
async def test_a_deleted_pod_is_replaced(resource: Resource) -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(resource, a_workload(resource, replicas=2))
        await until_status(store, resource, readyReplicas=2)
        first = store.list(POD)[0]["metadata"]["name"]
        store.delete(POD, NAMESPACE, first)
        await until(
            store,
            POD,
            lambda pods: (
                len(pods) == 2
                and all(map(is_ready, pods))
                and first not in {pod["metadata"]["name"] for pod in pods}
            ),
        )


async def test_without_a_number_there_is_one_replica() -> None:
    async with running_cluster() as cluster:
        cluster.store.create(DEPLOYMENT, a_workload(DEPLOYMENT))
        deployment = await until_status(cluster.store, DEPLOYMENT, readyReplicas=1)
    assert deployment["spec"]["replicas"] == 1

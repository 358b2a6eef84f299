from controlled_store import NAMESPACE, until, until_gone
from workload_kinds import LABELS, POD_SPEC, a_workload, changed, running_cluster, until_status

from perfscale.sim.controllers.kinds import POD, PVC, STATEFUL_SET

CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


async def test_its_pods_are_numbered_and_come_one_after_the_other() -> None:
    seen: list[str] = []
    async with running_cluster() as cluster:
        store = cluster.store

        def note(event: str, obj: dict[str, dict[str, str]]) -> None:
            if event == "ADDED":
                seen.append(obj["metadata"]["name"])
                assert sum(pod["status"]["phase"] == "Pending" for pod in store.list(POD)) == 1

        store.subscribe(POD, note)
        store.create(STATEFUL_SET, a_workload(STATEFUL_SET, replicas=3))
        done = await until_status(store, STATEFUL_SET, readyReplicas=3, updatedReplicas=3)
    assert seen == ["web-0", "web-1", "web-2"]
    status = done["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert status["observedGeneration"] == 1


async def test_each_pod_has_a_claim_of_its_own_that_stays() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        made = a_workload(STATEFUL_SET, replicas=2, volumeClaimTemplates=[CLAIM])
        store.create(STATEFUL_SET, made)
        await until_status(store, STATEFUL_SET, readyReplicas=2)
        claims = {claim["metadata"]["name"]: claim["status"]["phase"] for claim in store.list(PVC)}
        assert claims == {"data-web-0": "Bound", "data-web-1": "Bound"}
        store.delete(STATEFUL_SET, NAMESPACE, "web")
        await until_gone(store, POD)
        assert len(store.list(PVC)) == 2


async def test_it_is_scaled_from_its_end() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        made = a_workload(STATEFUL_SET, replicas=4, podManagementPolicy="Parallel")
        store.create(STATEFUL_SET, made)
        await until_status(store, STATEFUL_SET, readyReplicas=4)
        changed(store, STATEFUL_SET, "web", replicas=2)
        await until_status(store, STATEFUL_SET, readyReplicas=2, replicas=2)
        assert [pod["metadata"]["name"] for pod in store.list(POD)] == ["web-0", "web-1"]


async def test_a_new_template_replaces_every_pod() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(STATEFUL_SET, a_workload(STATEFUL_SET, replicas=3))
        await until_status(store, STATEFUL_SET, readyReplicas=3)
        before = {pod["metadata"]["uid"] for pod in store.list(POD)}
        template = {"metadata": {"labels": {**LABELS, "version": "2"}}, "spec": POD_SPEC}
        changed(store, STATEFUL_SET, "web", template=template)
        done = await until_status(
            store, STATEFUL_SET, observedGeneration=2, updatedReplicas=3, readyReplicas=3
        )
        assert done["status"]["currentRevision"] == done["status"]["updateRevision"]
        await until(store, POD, lambda pods: len(pods) == 3)
        assert not before & {pod["metadata"]["uid"] for pod in store.list(POD)}

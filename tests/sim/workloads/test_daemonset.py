from controlled_store import until
from workload_kinds import (
    LABELS,
    POD_SPEC,
    a_workload,
    an_object,
    changed,
    running_cluster,
    until_status,
)

from perfscale.sim.controllers.kinds import DAEMON_SET, NODE, POD


async def test_there_is_one_pod_on_each_node() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(DAEMON_SET, a_workload(DAEMON_SET))
        done = await until_status(store, DAEMON_SET, numberReady=10, numberAvailable=10)
        nodes = [pod["spec"]["nodeName"] for pod in store.list(POD)]
        assert sorted(nodes) == [node["metadata"]["name"] for node in store.list(NODE)]
    status = done["status"]
    assert status["desiredNumberScheduled"] == status["updatedNumberScheduled"] == 10
    assert (status["numberUnavailable"], status["observedGeneration"]) == (0, 1)


async def test_a_new_node_gets_its_pod_and_a_node_that_goes_loses_it() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(DAEMON_SET, a_workload(DAEMON_SET))
        await until_status(store, DAEMON_SET, numberReady=10)
        store.create(NODE, an_object(NODE, "extra", {}))
        await until_status(store, DAEMON_SET, numberReady=11)
        store.delete(NODE, None, "extra")
        await until_status(store, DAEMON_SET, numberReady=10, desiredNumberScheduled=10)


async def test_only_nodes_with_its_labels_get_a_pod() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        spec = {**POD_SPEC, "nodeSelector": {"kubernetes.io/hostname": "node03"}}
        template = {"metadata": {"labels": LABELS}, "spec": spec}
        store.create(DAEMON_SET, a_workload(DAEMON_SET, template=template))
        await until_status(store, DAEMON_SET, numberReady=1, desiredNumberScheduled=1)
        (pod,) = store.list(POD)
        assert pod["spec"]["nodeName"] == "node03"


async def test_a_new_template_replaces_every_pod() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(DAEMON_SET, a_workload(DAEMON_SET))
        await until_status(store, DAEMON_SET, numberReady=10)
        before = {pod["metadata"]["uid"] for pod in store.list(POD)}
        template = {"metadata": {"labels": {**LABELS, "version": "2"}}, "spec": POD_SPEC}
        changed(store, DAEMON_SET, "web", template=template)
        await until_status(
            store, DAEMON_SET, observedGeneration=2, updatedNumberScheduled=10, numberAvailable=10
        )
        await until(store, POD, lambda pods: len(pods) == 10)
        assert not before & {pod["metadata"]["uid"] for pod in store.list(POD)}

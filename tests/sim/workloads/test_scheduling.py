"""What fits on the nodes, and what does not."""

from typing import Any

from controlled_store import NAMESPACE, until
from workload_kinds import an_object, condition_in, has_condition, running_cluster, until_condition

from perfscale.sim.controllers.kinds import NODE, POD
from perfscale.sim.controllers.objects import is_ready
from perfscale.sim.storage.store import Store

JSON = dict[str, Any]


def a_pod(name: str, **requests: str) -> JSON:
    container = {"name": "main", "image": "i", "resources": {"requests": requests}}
    return an_object(POD, name, {"containers": [container]})


def only_node(store: Store, **room: str) -> None:
    """Leave one node, with so much room."""
    first, *others = store.list(NODE)
    for node in others:
        store.delete(NODE, None, node["metadata"]["name"])
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "110", **room}
    status = {**first["status"], "allocatable": allocatable}
    store.update(NODE, {**first, "status": status}, subresource="status")


async def test_pods_are_spread_over_the_nodes() -> None:
    async with running_cluster() as cluster:
        for number in range(20):
            cluster.store.create(POD, a_pod(f"pod-{number}"))
        pods = await until(cluster.store, POD, lambda pods: all(map(is_ready, pods)))
    nodes = [pod["spec"]["nodeName"] for pod in pods]
    assert {nodes.count(node) for node in nodes} == {2}


async def test_a_pod_that_fits_nowhere_says_what_is_missing() -> None:
    async with running_cluster() as cluster:
        only_node(cluster.store)
        cluster.store.create(POD, a_pod("large", cpu="5"))
        pod = await until_condition(cluster.store, POD, "PodScheduled", "False")
    said = condition_in(pod, "PodScheduled")
    assert said["reason"] == "Unschedulable"
    assert said["message"] == "0/1 nodes are available: 1 Insufficient cpu."
    assert pod["status"]["phase"] == "Pending"


async def test_a_pod_gets_the_room_of_one_that_goes() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        only_node(store, pods="1")
        store.create(POD, a_pod("first"))
        await until(store, POD, lambda pods: all(map(is_ready, pods)))
        store.create(POD, a_pod("second"))
        await until(store, POD, lambda pods: any(map(has_condition("PodScheduled", "False"), pods)))
        store.delete(POD, NAMESPACE, "first")
        await until(
            store,
            POD,
            lambda pods: [pod["metadata"]["name"] for pod in pods if is_ready(pod)] == ["second"],
        )


async def test_a_cordoned_node_takes_no_pods_until_it_is_open_again() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        only_node(store)
        (node,) = store.list(NODE)
        node = store.update(NODE, {**node, "spec": {"unschedulable": True}})
        store.create(POD, a_pod("waiting"))
        pod = await until_condition(store, POD, "PodScheduled", "False")
        assert "node(s) were unschedulable" in condition_in(pod, "PodScheduled")["message"]
        store.update(NODE, {**node, "spec": {}})
        await until(store, POD, lambda pods: all(map(is_ready, pods)))


async def test_a_node_that_somebody_creates_becomes_ready() -> None:
    async with running_cluster() as cluster:
        store = cluster.store
        store.create(NODE, an_object(NODE, "extra", {}))
        await until(store, NODE, lambda nodes: all(map(is_ready, nodes)))
        assert store.get(NODE, None, "extra")["status"]["allocatable"]["pods"]

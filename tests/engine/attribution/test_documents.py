"""Objects of the cluster, of any kind and in any form."""

from __future__ import annotations

from typing import Any

from attribution import condition, stamp
from hypothesis import given
from hypothesis import strategies as st

from perfscale.engine.attribution.documents import (
    claims_of,
    data_volumes_of,
    read_event,
    read_object,
    read_pod,
    read_volume,
    selector_of_children,
    slowest_of,
)

KEYS = st.sampled_from(
    [
        *("metadata", "spec", "status", "conditions", "containerStatuses", "state", "running"),
        *("phase", "phaseTransitionTimestamps", "startFailure", "volumes", "selector", "labels"),
        *("matchLabels", "type", "lastTransitionTime", "involvedObject", "series", "count", "name"),
        *("uid", "creationTimestamp", "dataVolume", "persistentVolumeClaim", "firstTimestamp"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("Ready")
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)
OBJECTS = st.dictionaries(KEYS, ANYTHING, max_size=6)


@given(st.lists(OBJECTS, max_size=3))
def test_whatever_the_cluster_sends_is_read(objects: list[dict[str, Any]]) -> None:
    slowest_of("Pod", objects)
    for each in objects:
        read_object("Gadget", each)
        read_volume("DataVolume", each)
        read_event(each)
        pod = read_pod(each)
        assert pod.started is None or isinstance(pod.started, str)
        assert all(isinstance(name, str) for name in (*claims_of(each), *data_volumes_of(each)))
        assert isinstance(selector_of_children(each), str)


def child(name: str, created_s: float, ready_s: float | None) -> dict[str, Any]:
    conditions = [] if ready_s is None else [condition("Ready", ready_s)]
    metadata = {"name": name, "creationTimestamp": stamp(created_s)}
    return {"metadata": metadata, "status": {"conditions": conditions}}


def test_of_a_set_the_oldest_counts_that_is_not_ready() -> None:
    found = slowest_of("Pod", [child("a", 1, ready_s=9), child("c", 3, None), child("b", 2, None)])
    assert found is not None
    assert found["metadata"]["name"] == "b"


def test_of_a_set_that_is_ready_the_one_counts_that_was_so_last() -> None:
    found = slowest_of("Pod", [child("a", 1, 5), child("b", 1, 8), child("c", 2, 7)])
    assert found is not None
    assert found["metadata"]["name"] == "b"


def test_a_selector_is_what_a_list_takes() -> None:
    labels = {"app": "web", "tier": "front"}
    deployment = {"spec": {"selector": {"matchLabels": labels}}}
    assert selector_of_children(deployment) == "app=web,tier=front"
    assert selector_of_children({"spec": {"selector": labels}}) == "app=web,tier=front"
    deployment["spec"]["selector"]["matchExpressions"] = {}
    assert selector_of_children(deployment) == ""


def test_a_pod_has_started_when_all_of_its_containers_have() -> None:
    running = {"state": {"running": {"startedAt": stamp(7)}}}
    ended = {"state": {"terminated": {"startedAt": stamp(9)}}}
    waiting = {"state": {"waiting": {"reason": "ContainerCreating"}}}
    assert read_pod({"status": {"containerStatuses": [running, ended]}}).started == stamp(9)
    assert read_pod({"status": {"containerStatuses": [running, waiting]}}).started is None
    assert read_pod({}).started is None

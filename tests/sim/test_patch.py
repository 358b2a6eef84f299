"""Patches change what they name and nothing else."""

from typing import Any

import pytest

from perfscale.errors import ApiError
from perfscale.sim.storage.patch import json_patch, merge_patch, strategic_merge_patch

JSON = dict[str, Any]


# The examples of RFC 7386, appendix A.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_is_the_rfcs(target: object, patch: object, result: object) -> None:
    assert merge_patch(target, patch) == result


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "add", "path": "/b", "value": 2}], {"a": [1, 2], "b": 2}),
        ([{"op": "add", "path": "/a/1", "value": 9}], {"a": [1, 9, 2]}),
        ([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3]}),
        ([{"op": "remove", "path": "/a/0"}], {"a": [2]}),
        ([{"op": "replace", "path": "/a", "value": "x"}], {"a": "x"}),
        ([{"op": "move", "from": "/a", "path": "/b"}], {"b": [1, 2]}),
        ([{"op": "copy", "from": "/a/0", "path": "/b"}], {"a": [1, 2], "b": 1}),
        ([{"op": "test", "path": "/a/0", "value": 1}], {"a": [1, 2]}),
        ([{"op": "add", "path": "/x~1y~0z", "value": 1}], {"a": [1, 2], "x/y~z": 1}),
    ],
)
def test_json_patch_does_its_operations(operations: list[JSON], result: JSON) -> None:
    assert json_patch({"a": [1, 2]}, operations) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/missing"},
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "remove", "path": "/list/-1"},
        {"op": "test", "path": "/list/+1", "value": 2},
        {"op": "conjure", "path": "/a"},
        {"path": "/a"},
    ],
)
def test_an_operation_that_cannot_be_done_is_refused(operation: JSON) -> None:
    with pytest.raises(ApiError) as refused:
        json_patch({"a": 1, "list": [1, 2]}, [operation])
    assert refused.value.status == 422


def test_a_strategic_patch_merges_containers_by_name() -> None:
    pod = {"spec": {"containers": [{"name": "a", "image": "1", "tty": True}, {"name": "b"}]}}
    patch = {"spec": {"containers": [{"name": "a", "image": "2"}, {"name": "c"}]}}
    containers = strategic_merge_patch(pod, patch)["spec"]["containers"]
    assert containers == [{"name": "a", "image": "2", "tty": True}, {"name": "b"}, {"name": "c"}]


def test_a_strategic_patch_can_delete_from_a_list_and_replace_one() -> None:
    pod = {"containers": [{"name": "a"}, {"name": "b"}], "args": ["x"]}
    deleted = strategic_merge_patch(pod, {"containers": [{"name": "a", "$patch": "delete"}]})
    assert deleted["containers"] == [{"name": "b"}]
    assert strategic_merge_patch(pod, {"args": ["y"]})["args"] == ["y"]
    replaced = strategic_merge_patch(pod, {"containers": [{"$patch": "replace"}, {"name": "z"}]})
    assert replaced["containers"] == [{"name": "z"}]


def test_a_strategic_patch_adds_to_finalizers_and_takes_from_them() -> None:
    metadata = {"finalizers": ["a", "b"]}
    assert strategic_merge_patch(metadata, {"finalizers": ["c"]})["finalizers"] == ["a", "b", "c"]
    taken = strategic_merge_patch(metadata, {"$deleteFromPrimitiveList/finalizers": ["a"]})
    assert taken == {"finalizers": ["b"]}


def test_a_strategic_patch_merges_the_ports_of_a_service_by_number() -> None:
    service = {"ports": [{"port": 80, "name": "http"}, {"port": 443, "name": "https"}]}
    patched = strategic_merge_patch(service, {"ports": [{"port": 443, "targetPort": 8443}]})
    assert patched["ports"] == [
        {"port": 80, "name": "http"},
        {"port": 443, "name": "https", "targetPort": 8443},
    ]


def test_a_strategic_patch_replaces_tolerations_which_have_no_key_to_merge_by() -> None:
    pod = {"tolerations": [{"key": "a", "operator": "Exists"}]}
    patched = strategic_merge_patch(pod, {"tolerations": [{"key": "b"}]})
    assert patched["tolerations"] == [{"key": "b"}]


def test_a_strategic_patch_deletes_a_field_by_its_directive() -> None:
    patch = {"spec": {"strategy": {"$patch": "delete"}}}
    assert strategic_merge_patch({"spec": {"strategy": {"type": "Recreate"}}}, patch) == {
        "spec": {}
    }

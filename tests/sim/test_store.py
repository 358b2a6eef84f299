"""Objects in the store live as they do in a Kubernetes API server."""

from typing import Any

import pytest
from simulated_api import CONFIG_MAP, POD, VMI, manifest

from perfscale.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ExpiredError,
    ForbiddenError,
    NotFoundError,
)
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.sim.storage.refusals import InvalidError, status_of
from perfscale.sim.storage.selectors import Selector, parse_labels
from perfscale.sim.storage.store import DeleteOptions, Store

JSON = dict[str, Any]
VM = Resource("kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True)


def _events(store: Store, resource: Resource) -> list[str]:
    seen: list[str] = []
    store.subscribe(
        resource, lambda change, obj: seen.append(f"{change} {obj['metadata']['name']}")
    )
    return seen


def test_a_created_object_gets_what_only_the_server_can_give(store: Store) -> None:
    metadata = store.create(VMI, manifest(VMI, "a"))["metadata"]
    assert metadata["creationTimestamp"] == "2026-01-02T03:04:05Z"
    assert metadata["generation"] == 1
    assert metadata["uid"]
    assert int(metadata["resourceVersion"]) == store.version


def test_what_the_client_says_of_the_servers_fields_is_not_believed(store: Store) -> None:
    forged = {"uid": "mine", "generation": 7, "deletionTimestamp": "2020-01-01T00:00:00Z"}
    metadata = store.create(VMI, manifest(VMI, "a", metadata=forged))["metadata"]
    assert metadata["uid"] != "mine"
    assert metadata["generation"] == 1
    assert "deletionTimestamp" not in metadata


def test_a_name_can_be_taken_once(store: Store) -> None:
    store.create(VMI, manifest(VMI, "a"))
    with pytest.raises(AlreadyExistsError, match='"a" already exists'):
        store.create(VMI, manifest(VMI, "a"))


def test_generated_names_differ_and_keep_their_beginning(store: Store) -> None:
    names = {
        store.create(VMI, {"metadata": {"generateName": "web-", "namespace": "demo"}})["metadata"][
            "name"
        ]
        for _ in range(50)
    }
    assert len(names) == 50
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


def test_an_object_without_any_name_is_refused(store: Store) -> None:
    with pytest.raises(InvalidError) as refused:
        store.create(VMI, {"metadata": {"namespace": "demo"}})
    assert refused.value.causes[0].field == "metadata.name"


def test_a_missing_namespace_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match='namespaces "nowhere" not found'):
        store.create(VMI, manifest(VMI, "a", metadata={"namespace": "nowhere"}))


def test_a_terminating_namespace_takes_nothing_new_and_says_why(store: Store) -> None:
    store.delete(NAMESPACES, None, "demo")
    with pytest.raises(ForbiddenError) as refused:
        store.create(VMI, manifest(VMI, "a"))
    status = status_of(refused.value, VMI)
    assert status["code"] == 403
    assert status["details"]["causes"][0]["reason"] == "NamespaceTerminating"


def test_versions_only_grow_over_all_kinds(store: Store) -> None:
    versions = [
        int(store.create(resource, manifest(resource, name))["metadata"]["resourceVersion"])
        for name in "ab"
        for resource in (VMI, CONFIG_MAP)
    ]
    assert versions == sorted(set(versions))


def test_an_update_of_an_older_version_is_a_conflict(store: Store) -> None:
    first = store.create(VMI, manifest(VMI, "a"))
    store.update(VMI, {**first, "spec": {"x": 1}})
    with pytest.raises(ConflictError, match="the object has been modified"):
        store.update(VMI, {**first, "spec": {"x": 2}})


def test_an_update_of_another_object_of_that_name_is_a_conflict(store: Store) -> None:
    store.create(VMI, manifest(VMI, "a"))
    with pytest.raises(ConflictError, match="UID in precondition"):
        store.update(VMI, manifest(VMI, "a", metadata={"uid": "other"}))


def test_an_update_that_changes_nothing_is_no_event(store: Store) -> None:
    first = store.create(VMI, manifest(VMI, "a"))
    seen = _events(store, VMI)
    again = store.update(VMI, first)
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert seen == []


def test_generation_counts_changes_of_the_spec_and_not_of_labels(store: Store) -> None:
    vm = store.create(VM, manifest(VM, "a"))
    labelled = store.update(VM, {**vm, "metadata": {**vm["metadata"], "labels": {"a": "b"}}})
    assert labelled["metadata"]["generation"] == 1
    changed = store.update(VM, {**labelled, "spec": {"running": True}})
    assert changed["metadata"]["generation"] == 2


def test_where_status_is_a_subresource_an_update_leaves_it(store: Store) -> None:
    vm = store.create(VM, manifest(VM, "a", status={"ready": True}))
    assert "status" not in vm
    vm = store.update(VM, {**vm, "status": {"ready": True}}, subresource="status")
    assert vm["status"] == {"ready": True}
    vm = store.update(VM, {**vm, "status": {}, "spec": {"running": False}})
    assert vm["status"] == {"ready": True}


def test_the_status_of_a_vmi_is_written_with_plain_updates(store: Store) -> None:
    vmi = store.create(VMI, manifest(VMI, "a"))
    running = store.update(VMI, {**vmi, "status": {"phase": "Running"}})
    assert store.get(VMI, "demo", "a")["status"] == running["status"] == {"phase": "Running"}


def test_both_versions_of_a_kind_are_the_same_objects(store: Store) -> None:
    old = Resource("kubevirt.io", "v1alpha3", VMI.plural, VMI.kind, namespaced=True)
    store.create(old, manifest(old, "a"))
    assert store.get(VMI, "demo", "a")["apiVersion"] == "kubevirt.io/v1"


def test_a_finalizer_holds_a_deleted_object_until_it_is_removed(store: Store) -> None:
    seen = _events(store, VMI)
    store.create(VMI, manifest(VMI, "a", metadata={"finalizers": ["x/y"]}))
    obj, gone = store.delete(VMI, "demo", "a")
    assert not gone
    assert obj["metadata"]["deletionTimestamp"]
    store.update(VMI, {**obj, "metadata": {**obj["metadata"], "finalizers": []}})
    assert seen == ["ADDED a", "MODIFIED a", "DELETED a"]
    with pytest.raises(NotFoundError):
        store.get(VMI, "demo", "a")


def test_deleting_again_what_is_already_going_changes_nothing(store: Store) -> None:
    store.create(VMI, manifest(VMI, "a", metadata={"finalizers": ["x/y"]}))
    store.delete(VMI, "demo", "a")
    version = store.version
    store.delete(VMI, "demo", "a")
    assert store.version == version


def test_no_finalizer_can_be_added_to_what_is_going(store: Store) -> None:
    store.create(VMI, manifest(VMI, "a", metadata={"finalizers": ["x/y"]}))
    obj, _ = store.delete(VMI, "demo", "a")
    more = {**obj, "metadata": {**obj["metadata"], "finalizers": ["x/y", "x/z"]}}
    with pytest.raises(InvalidError, match="no new finalizers"):
        store.update(VMI, more)


@pytest.mark.parametrize("wrong", [{"uid": "other"}, {"resource_version": "1"}])
def test_a_precondition_protects_from_deleting_another_object(
    store: Store, wrong: dict[str, str]
) -> None:
    store.create(VMI, manifest(VMI, "a"))
    with pytest.raises(ConflictError, match="Precondition failed"):
        store.delete(VMI, "demo", "a", DeleteOptions(**wrong))  # type: ignore[arg-type]


def test_a_pod_on_a_node_gets_its_grace_period(store: Store) -> None:
    store.create(POD, manifest(POD, "bound", spec={"nodeName": "node-1"}))
    store.create(POD, manifest(POD, "waiting"))
    obj, gone = store.delete(POD, "demo", "bound")
    assert (gone, obj["metadata"]["deletionGracePeriodSeconds"]) == (False, 30)
    assert obj["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:35Z"
    assert store.delete(POD, "demo", "bound", DeleteOptions(grace_period_s=0)).gone
    assert store.delete(POD, "demo", "waiting").gone


def test_a_dry_run_checks_and_stores_nothing(store: Store) -> None:
    assert store.create(VMI, manifest(VMI, "a"), dry_run=True)["metadata"]["uid"]
    assert not store.list(VMI)
    store.create(VMI, manifest(VMI, "a"))
    assert store.delete(VMI, "demo", "a", DeleteOptions(dry_run=True)).gone
    assert len(store.list(VMI)) == 1
    with pytest.raises(AlreadyExistsError):
        store.create(VMI, manifest(VMI, "a"), dry_run=True)


def test_history_is_bounded_and_says_when_it_does_not_reach_back() -> None:
    store = Store(history=3)
    store.create(NAMESPACES, {"metadata": {"name": "demo"}})
    versions = [
        int(store.create(VMI, manifest(VMI, name))["metadata"]["resourceVersion"])
        for name in "abcde"
    ]
    later = store.changes_since(VMI, versions[1])
    assert [change.record.name for change in later] == ["c", "d", "e"]
    with pytest.raises(ExpiredError):
        store.changes_since(VMI, versions[0])


def test_after_a_compaction_no_older_version_can_be_resumed(store: Store) -> None:
    created = store.create(VMI, manifest(VMI, "a"))
    store.create(VMI, manifest(VMI, "b"))
    store.compact()
    with pytest.raises(ExpiredError):
        store.changes_since(VMI, int(created["metadata"]["resourceVersion"]))
    assert store.changes_since(VMI, store.version) == []


def test_a_version_that_was_never_reached_is_refused(store: Store) -> None:
    with pytest.raises(ApiError, match="Too large resource version"):
        store.changes_since(VMI, store.version + 1)


def test_everyone_hears_of_changes_in_their_order_even_those_a_listener_makes(
    store: Store,
) -> None:
    def interfere(change: str, obj: JSON) -> None:
        if change == "ADDED":
            store.update(VMI, {**obj, "status": {"phase": "Running"}})

    store.subscribe(VMI, interfere)
    seen = _events(store, VMI)
    store.create(VMI, manifest(VMI, "a"))
    assert seen == ["ADDED a", "MODIFIED a"]


def test_who_has_unsubscribed_hears_nothing_more(store: Store) -> None:
    seen: list[str] = []
    leave = store.subscribe(VMI, lambda change, _: seen.append(change))
    store.create(VMI, manifest(VMI, "a"))
    leave()
    store.create(VMI, manifest(VMI, "b"))
    assert seen == ["ADDED"]


def test_lists_are_sorted_and_selected(store: Store) -> None:
    for name in "cab":
        store.create(VMI, manifest(VMI, name, metadata={"labels": {"letter": name}}))
    assert [obj["metadata"]["name"] for obj in store.list(VMI, "demo")] == ["a", "b", "c"]
    chosen = store.list(VMI, None, Selector(parse_labels("letter in (a,c)")))
    assert [obj["metadata"]["name"] for obj in chosen] == ["a", "c"]


def test_totals_count_what_came_and_went(store: Store) -> None:
    for name in "abc":
        store.create(VMI, manifest(VMI, name))
    store.delete(VMI, "demo", "b")
    assert store.totals()["virtualmachineinstances.kubevirt.io"] == (3, 1, 2)

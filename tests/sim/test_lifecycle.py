"""Deleted namespaces drain, and objects go after their owners."""

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from simulated_api import CONFIG_MAP, VMI, manifest

from perfscale.errors import NotFoundError
from perfscale.kube.resources import NAMESPACES, Resource
from perfscale.sim.storage.lifecycle import Housekeeping, create_own_namespaces
from perfscale.sim.storage.store import DeleteOptions, Propagation, Store

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = dict[str, Any]


def _names(store: Store, resource: Resource) -> list[str]:
    return [obj["metadata"]["name"] for obj in store.list(resource)]


def _owned(name: str, *owners: JSON) -> JSON:
    references = [
        {
            "apiVersion": VMI.api_version,
            "kind": VMI.kind,
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        for owner in owners
    ]
    return manifest(CONFIG_MAP, name, metadata={"ownerReferences": references})


def test_a_deleted_namespace_is_terminating_first_and_gone_with_its_contents(store: Store) -> None:
    housekeeping = Housekeeping(store)
    store.create(VMI, manifest(VMI, "a"))
    store.create(CONFIG_MAP, manifest(CONFIG_MAP, "b"))
    obj, gone = store.delete(NAMESPACES, None, "demo")
    assert (obj["status"]["phase"], gone) == ("Terminating", False)
    housekeeping.run_pending()
    assert _names(store, VMI) == _names(store, CONFIG_MAP) == _names(store, NAMESPACES) == []


def test_an_empty_namespace_goes_too(store: Store) -> None:
    housekeeping = Housekeeping(store)
    store.delete(NAMESPACES, None, "demo")
    housekeeping.run_pending()
    assert _names(store, NAMESPACES) == []


def test_a_namespace_waits_for_an_object_that_a_finalizer_holds(store: Store) -> None:
    housekeeping = Housekeeping(store)
    store.create(VMI, manifest(VMI, "a", metadata={"finalizers": ["x/y"]}))
    store.delete(NAMESPACES, None, "demo")
    housekeeping.run_pending()
    held = store.get(VMI, "demo", "a")
    assert held["metadata"]["deletionTimestamp"]
    assert _names(store, NAMESPACES) == ["demo"]
    store.update(VMI, {**held, "metadata": {**held["metadata"], "finalizers": []}})
    housekeeping.run_pending()
    assert _names(store, NAMESPACES) == []


def test_a_namespace_can_be_created_again_and_used(store: Store) -> None:
    housekeeping = Housekeeping(store)
    for _ in range(3):
        store.create(VMI, manifest(VMI, "a"))
        store.delete(NAMESPACES, None, "demo")
        housekeeping.run_pending()
        store.create(NAMESPACES, {"metadata": {"name": "demo"}})
    assert _names(store, VMI) == []


def test_other_namespaces_keep_their_contents(store: Store) -> None:
    housekeeping = Housekeeping(store)
    store.create(NAMESPACES, {"metadata": {"name": "other"}})
    store.create(VMI, manifest(VMI, "kept", metadata={"namespace": "other"}))
    store.delete(NAMESPACES, None, "demo")
    housekeeping.run_pending()
    assert _names(store, VMI) == ["kept"]


def test_what_is_owned_goes_after_its_owner_and_so_on(store: Store) -> None:
    housekeeping = Housekeeping(store)
    owner = store.create(VMI, manifest(VMI, "owner"))
    child = store.create(CONFIG_MAP, _owned("child", owner))
    store.create(CONFIG_MAP, _owned("grandchild", child))
    store.create(CONFIG_MAP, manifest(CONFIG_MAP, "stranger"))
    store.delete(VMI, "demo", "owner")
    housekeeping.run_pending()
    assert _names(store, CONFIG_MAP) == ["stranger"]


def test_an_object_with_two_owners_stays_until_both_are_gone(store: Store) -> None:
    housekeeping = Housekeeping(store)
    owners = [store.create(VMI, manifest(VMI, name)) for name in "ab"]
    store.create(CONFIG_MAP, _owned("child", *owners))
    store.delete(VMI, "demo", "a")
    housekeeping.run_pending()
    assert _names(store, CONFIG_MAP) == ["child"]
    store.delete(VMI, "demo", "b")
    housekeeping.run_pending()
    assert _names(store, CONFIG_MAP) == []


def test_an_object_whose_owner_is_already_gone_is_collected(store: Store) -> None:
    housekeeping = Housekeeping(store)
    owner = store.create(VMI, manifest(VMI, "owner"))
    store.delete(VMI, "demo", "owner")
    store.create(CONFIG_MAP, _owned("late", owner))
    housekeeping.run_pending()
    assert _names(store, CONFIG_MAP) == []


@pytest.mark.parametrize(
    ("propagation", "left"), [("Background", []), ("Foreground", []), ("Orphan", ["child"])]
)
def test_propagation_decides_what_becomes_of_the_owned(
    store: Store, propagation: Propagation, left: list[str]
) -> None:
    housekeeping = Housekeeping(store)
    owner = store.create(VMI, manifest(VMI, "owner"))
    store.create(CONFIG_MAP, _owned("child", owner))
    store.delete(VMI, "demo", "owner", DeleteOptions(propagation=propagation))
    housekeeping.run_pending()
    assert _names(store, CONFIG_MAP) == left
    assert _names(store, VMI) == []


def test_in_the_foreground_the_owner_waits_for_what_it_owns(store: Store) -> None:
    housekeeping = Housekeeping(store)
    owner = store.create(VMI, manifest(VMI, "owner"))
    child = _owned("child", owner)
    child["metadata"]["finalizers"] = ["x/y"]
    store.create(CONFIG_MAP, child)
    store.delete(VMI, "demo", "owner", DeleteOptions(propagation="Foreground"))
    housekeeping.run_pending()
    assert _names(store, VMI) == ["owner"]
    held = store.get(CONFIG_MAP, "demo", "child")
    kept = [each for each in held["metadata"]["finalizers"] if each != "x/y"]
    store.update(CONFIG_MAP, {**held, "metadata": {**held["metadata"], "finalizers": kept}})
    housekeeping.run_pending()
    assert _names(store, CONFIG_MAP) == _names(store, VMI) == []


def test_a_big_namespace_is_drained_in_slices_with_others_in_between(store: Store) -> None:
    turns: deque[Callable[[], None]] = deque()
    housekeeping = Housekeeping(store, turns.append)
    for number in range(1000):
        store.create(VMI, manifest(VMI, f"vmi-{number}"))
    store.delete(NAMESPACES, None, "demo")
    count = 0
    while turns:
        turns.popleft()()
        count += 1
    assert count > 5
    with pytest.raises(NotFoundError):
        store.get(NAMESPACES, None, "demo")
    housekeeping.close()


def test_a_cluster_begins_with_the_namespaces_that_every_cluster_has(store: Store) -> None:
    create_own_namespaces(store)
    create_own_namespaces(store)
    assert {"default", "kube-system"} <= set(_names(store, NAMESPACES))

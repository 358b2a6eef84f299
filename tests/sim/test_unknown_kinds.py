"""Kinds that a simulated cluster serves because somebody needs them."""

from __future__ import annotations

import pytest

from perfscale.kube.resources import NAMESPACES
from perfscale.sim.storage.kinds.unknown import WantedKind, plural_of, serve_unknown
from perfscale.sim.storage.store import Store


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("Route", "routes"),
        ("ImageStream", "imagestreams"),
        ("NetworkPolicy", "networkpolicies"),
        ("Gateway", "gateways"),
        ("Ingress", "ingresses"),
        ("Switch", "switches"),
    ],
)
def test_plurals_are_as_code_generators_form_them(kind: str, plural: str) -> None:
    assert plural_of(kind) == plural


def test_a_kind_that_nobody_knows_is_served() -> None:
    store = Store()
    serve_unknown(store, [WantedKind("route.openshift.io/v1", "Route")])
    found = store.catalogue.find("route.openshift.io", "v1", "routes")
    assert found is not None
    assert (found.kind, found.namespaced, found.builtin) == ("Route", True, False)


def test_a_kind_that_is_known_stays_what_it_is() -> None:
    store = Store()
    before = store.catalogue.kinds
    serve_unknown(store, [WantedKind("apps/v1", "Deployment"), WantedKind("v1", "Pod")])
    assert store.catalogue.kinds == before


def test_what_is_waited_for_in_an_unknown_kind_is_said_of_its_objects() -> None:
    store = Store()
    serve_unknown(store, [WantedKind("a.example/v1", "Gear", (("Serving", "True"),))])
    kind = store.catalogue.find("a.example", "v1", "gears")
    assert kind is not None
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    store.create(NAMESPACES, namespace)
    metadata = {"name": "one", "namespace": "default"}
    obj = {"apiVersion": "a.example/v1", "kind": "Gear", "metadata": metadata}
    store.create(kind.resource, obj)
    (condition,) = store.get(kind.resource, "default", "one")["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Serving", "True")

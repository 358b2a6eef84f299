"""Kinds that a simulated cluster serves because somebody needs them."""

from __future__ import annotations

import pytest

from perfscale.sim.storage.catalogue import Catalogue
from perfscale.sim.storage.kinds.unknown import plural_of, serve_unknown


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
    catalogue = Catalogue()
    serve_unknown(catalogue, [("route.openshift.io/v1", "Route")])
    found = catalogue.find("route.openshift.io", "v1", "routes")
    assert found is not None
    assert (found.kind, found.namespaced, found.builtin) == ("Route", True, False)


def test_a_kind_that_is_known_stays_what_it_is() -> None:
    catalogue = Catalogue()
    before = catalogue.kinds
    serve_unknown(catalogue, [("apps/v1", "Deployment"), ("v1", "Pod")])
    assert catalogue.kinds == before

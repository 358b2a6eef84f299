"""Services, namespaces, and what extends the API."""

from typing import Any

import pytest
from readings import condition, read


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({"type": "ClusterIP"}, {"loadBalancer": {}}, True),
        ({}, {}, True),
        ({"type": "LoadBalancer"}, {"loadBalancer": {}}, False),
        ({"type": "LoadBalancer"}, {}, False),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, True),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"hostname": "a.b"}]}}, True),
        ({"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{}]}}, False),
    ],
)
def test_a_load_balancer_needs_an_address_and_other_services_need_nothing(
    spec: dict[str, Any], status: dict[str, Any], ready: bool
) -> None:
    reading = read("", "services", {"spec": spec, "status": status})
    assert reading.ready is ready
    assert (reading.detail is None) is ready


@pytest.mark.parametrize(("phase", "ready"), [("Active", True), ("Terminating", False)])
def test_a_namespace_is_ready_when_it_is_active(phase: str, ready: bool) -> None:
    assert read("", "namespaces", {"status": {"phase": phase}}).ready is ready


@pytest.mark.parametrize(
    ("group", "plural", "kind"),
    [
        ("apiextensions.k8s.io", "customresourcedefinitions", "Established"),
        ("apiregistration.k8s.io", "apiservices", "Available"),
    ],
)
def test_what_extends_the_api_is_ready_by_its_condition(group: str, plural: str, kind: str) -> None:
    assert read(group, plural, {"status": {"conditions": [condition(kind)]}}).ready
    missing = condition(kind, "False", reason="MissingEndpoints", message="no addresses")
    reading = read(group, plural, {"status": {"conditions": [missing]}})
    assert (reading.ready, reading.detail) == (False, "MissingEndpoints: no addresses")
    assert not read(group, plural, {}).ready

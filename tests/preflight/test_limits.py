"""Limit ranges: defaults that they give, bounds that they set."""

from typing import Any

import msgspec
import pytest
from clusters import PODS, VMIS

from perfscale.preflight.quota.limits import Limit, LimitRange, limits_of, violations, with_defaults
from perfscale.preflight.quota.needs import Needs, charges, needs_of

JSON = dict[str, Any]


def limits(*items: JSON) -> list[Limit]:
    manifest = {"metadata": {"name": "bounds"}, "spec": {"limits": list(items)}}
    return limits_of([msgspec.convert(manifest, LimitRange)])


def pod(*containers: JSON) -> Needs:
    spec = {"containers": [{"resources": each} for each in containers]}
    return needs_of({"spec": spec}, PODS, waits=True)


def broken(needs: Needs, items: list[Limit]) -> list[str]:
    return [each.message for each in violations(with_defaults(needs, items), items)]


def test_what_a_pod_does_not_say_is_filled_in_before_quotas_count_it() -> None:
    given = limits(
        {"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "500m"}}
    )
    found = charges(with_defaults(pod({}, {"requests": {"cpu": "1"}}), given))
    assert str(found["requests.cpu"]) == "1.500"
    assert str(found["limits.cpu"]) == "4"


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"max": {"cpu": "1"}}, "the cpu limit is 2, and at most 1 is allowed"),
        ({"min": {"cpu": "500m"}}, "the cpu request is 100m, and at least 500m is allowed"),
        ({"max": {"cpu": "2"}, "min": {"cpu": "100m"}}, None),
        # A maximum is the default of whoever has no limit.
        ({"max": {"memory": "1Gi"}}, None),
    ],
)
def test_each_container_is_held_to_the_bounds_of_containers(item: JSON, told: str | None) -> None:
    needs = pod({"requests": {"cpu": "100m"}, "limits": {"cpu": "2"}})
    expected = [] if told is None else [f"{told} for a container"]
    assert broken(needs, limits({"type": "Container", **item})) == expected


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"max": {"cpu": "3"}}, "the cpu limit is 4, and at most 3 is allowed"),
        ({"max": {"memory": "1Gi"}}, "there is no memory limit, and at most 1Gi has to be set"),
        ({"min": {"cpu": "3"}}, None),
    ],
)
def test_a_pod_is_held_to_the_bounds_of_pods_as_a_whole(item: JSON, told: str | None) -> None:
    needs = pod({"limits": {"cpu": "2"}}, {"limits": {"cpu": "2"}})
    expected = [] if told is None else [f"{told} for a pod"]
    assert broken(needs, limits({"type": "Pod", **item})) == expected


def test_of_an_instance_only_what_is_too_much_already_is_told() -> None:
    spec = {"domain": {"resources": {"requests": {"memory": "2Gi"}}}}
    needs = needs_of({"spec": spec}, VMIS, waits=True)
    too_small = limits({"type": "Container", "max": {"memory": "1Gi", "cpu": "1"}})
    assert broken(needs, too_small) == [
        "the memory request is 2Gi, and at most 1Gi is allowed for a container"
    ]
    # What KubeVirt adds may reach this minimum.
    assert broken(needs, limits({"type": "Pod", "min": {"memory": "3Gi"}})) == []

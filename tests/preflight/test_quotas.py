"""Quotas and limit ranges against what is requested."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from clusters import VMIS

from perfscale.preflight.quota.needs import needs_of
from perfscale.preflight.quota.quotas import LimitRange, ResourceQuota, exceeded, too_large

JSON = dict[str, Any]


def quota(hard: JSON, used: JSON | None = None, **spec: Any) -> ResourceQuota:
    manifest = {
        "metadata": {"name": "team"},
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": used or {}},
    }
    return msgspec.convert(manifest, ResourceQuota)


def test_what_is_left_is_enough_to_the_last_one() -> None:
    team = quota({"pods": "10"}, {"pods": "4"})
    assert list(exceeded(team, {"pods": Decimal(6)})) == []
    assert list(exceeded(team, {"pods": Decimal(7)})) == [
        "quota team: 7 pods requested at the same time, but hard is 10 and used 4"
    ]


def test_amounts_are_compared_across_units() -> None:
    team = quota({"requests.memory": "1Gi", "limits.cpu": "2"}, {"limits.cpu": "1500m"})
    peaks = {"requests.memory": Decimal(2**30), "limits.cpu": Decimal("0.6")}
    assert list(exceeded(team, peaks)) == [
        "quota team: 600m limits.cpu requested at the same time, but hard is 2 and used 1500m"
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"scopes": ["BestEffort"]},
        {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass"}]}},
    ],
)
def test_a_quota_with_scopes_is_not_judged(spec: JSON) -> None:
    team = quota({"pods": "1", "limits.cpu": "1"}, **spec)
    assert list(exceeded(team, {"pods": Decimal(9)})) == []


def broken(spec: JSON, *limits: JSON) -> list[str]:
    """The maxima that the pod of an instance is above."""
    launcher = needs_of({"spec": {"domain": {"resources": spec}}}, VMIS, waits=True).launcher
    assert launcher is not None
    manifest = {"metadata": {"name": "bounds"}, "spec": {"limits": list(limits)}}
    return list(too_large(msgspec.convert(manifest, LimitRange), launcher))


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            {"type": "Container", "max": {"memory": "1Gi", "cpu": "1"}},
            ["the memory request is 2Gi, and at most 1Gi is allowed for a container"],
        ),
        (
            {"type": "Pod", "max": {"cpu": "500m"}},
            ["the cpu limit is 1, and at most 500m is allowed for a pod"],
        ),
        ({"type": "Pod", "max": {"memory": "2Gi"}}, []),
        # What KubeVirt adds may reach this minimum.
        ({"type": "Pod", "min": {"memory": "3Gi"}}, []),
        ({"type": "PersistentVolumeClaim", "max": {"memory": "1"}}, []),
    ],
)
def test_an_instance_is_held_to_maxima_that_it_is_above_already(
    limit: JSON, said: list[str]
) -> None:
    spec = {"requests": {"memory": "2Gi"}, "limits": {"cpu": "1"}}
    assert broken(spec, limit) == [f"{each} by limit range bounds" for each in said]

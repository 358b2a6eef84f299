"""Quotas against what is requested."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from clusters import PODS

from perfscale.preflight.quota.needs import needs_of
from perfscale.preflight.quota.quotas import ResourceQuota, exceeded, unstated

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
    assert list(unstated(team, needs_of({"spec": {"containers": [{}]}}, PODS, waits=True))) == []


def test_a_quota_on_compute_wants_every_container_to_say_what_it_needs() -> None:
    said = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    needs = needs_of({"spec": {"containers": [said, {}]}}, PODS, waits=True)
    team = quota({"limits.cpu": "9", "memory": "9Gi", "requests.example.org/gpu": "1"})
    assert list(unstated(team, needs)) == [
        "quota team counts memory, so every container needs a memory request",
        "quota team counts limits.cpu, so every container needs a cpu limit",
    ]

"""Resource quotas and limit ranges: what of a run does not fit into them.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from perfscale.preflight.quota.quantity import format_quantity, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from perfscale.preflight.quota.needs import Pod


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    namespace: str = ""


class _QuotaSpec(msgspec.Struct, frozen=True, rename="camel"):
    hard: dict[str, str] | None = None
    scopes: list[str] | None = None
    scope_selector: dict[str, Any] | None = None


class _QuotaStatus(msgspec.Struct, frozen=True):
    used: dict[str, str] | None = None


class ResourceQuota(msgspec.Struct, frozen=True):
    """A quota, as the server sends it."""

    metadata: _Metadata
    spec: _QuotaSpec = _QuotaSpec()
    status: _QuotaStatus = _QuotaStatus()


class _Limit(msgspec.Struct, frozen=True):
    type: str
    max: dict[str, str] | None = None


class _LimitRangeSpec(msgspec.Struct, frozen=True):
    limits: list[_Limit] | None = None


class LimitRange(msgspec.Struct, frozen=True):
    """A limit range, as the server sends it."""

    metadata: _Metadata
    spec: _LimitRangeSpec = _LimitRangeSpec()


def exceeded(quota: ResourceQuota, peaks: Mapping[str, Decimal]) -> Iterator[str]:
    """What does not fit, in words; nothing of a quota with scopes.

    It counts only some pods; which, a manifest does not always say.

    Args:
        quota: The quota.
        peaks: The most that there will be at the same time, by the quota's
            name for it.
    """
    if quota.spec.scopes or quota.spec.scope_selector:
        return
    used = quota.status.used or {}
    for resource, hard in (quota.spec.hard or {}).items():
        if resource not in peaks:
            continue
        taken = used.get(resource, "0")
        left = parse_quantity(hard) - parse_quantity(taken)
        if peaks[resource] > left:
            wanted = format_quantity(peaks[resource], binary=not resource.endswith("cpu"))
            yield (
                f"quota {quota.metadata.name}: {wanted} {resource} requested at the same time, "
                f"but hard is {hard} and used {taken}"
            )


def too_large(limits: LimitRange, launcher: Pod) -> Iterator[str]:
    """The maxima that the pod of an instance is above already, in words.

    What KubeVirt adds to it may reach a minimum.
    """
    for limit in limits.spec.limits or ():
        if limit.type not in {"Container", "Pod"}:
            continue
        for resource, maximum in (limit.max or {}).items():
            bound = parse_quantity(maximum)
            for what, amounts in (("limit", launcher.limits), ("request", launcher.requests)):
                if (amount := amounts.get(resource, bound)) > bound:
                    binary = resource != "cpu"
                    yield (
                        f"the {resource} {what} is {format_quantity(amount, binary=binary)}, "
                        f"and at most {format_quantity(bound, binary=binary)} is allowed "
                        f"for a {limit.type.lower()} by limit range {limits.metadata.name}"
                    )
                    break

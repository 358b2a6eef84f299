"""Resource quotas: whether a run fits into what is left.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.preflight.quota.quantity import format_quantity, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from perfscale.preflight.quota.needs import Container, Needs

_REQUIRED: Final = (
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
)
"""Where a quota has one of these, a pod that does not state it is refused."""


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    namespace: str = ""


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    hard: dict[str, str] | None = None
    scopes: list[str] | None = None
    scope_selector: dict[str, Any] | None = None


class _Status(msgspec.Struct, frozen=True):
    used: dict[str, str] | None = None


class ResourceQuota(msgspec.Struct, frozen=True):
    """A quota, as the server sends it."""

    metadata: _Metadata
    spec: _Spec = _Spec()
    status: _Status = _Status()

    @property
    def scoped(self) -> bool:
        """Whether it counts only some pods; which, a manifest does not always tell."""
        return bool(self.spec.scopes or self.spec.scope_selector)


def exceeded(quota: ResourceQuota, peaks: Mapping[str, Decimal]) -> Iterator[str]:
    """What does not fit, in words; nothing of a quota with scopes.

    Args:
        quota: The quota.
        peaks: The most that there will be at the same time, by the quota's
            name for it.
    """
    if quota.scoped:
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


def unstated(quota: ResourceQuota, needs: Needs) -> Iterator[str]:
    """What a pod must state under a quota, and does not.

    Args:
        quota: The quota.
        needs: The pod, with its namespace's defaults filled in.
    """
    if quota.scoped or not needs.exact:
        return
    containers = (*needs.containers, *needs.init_containers)
    for name in _REQUIRED:
        if name in (quota.spec.hard or {}) and not all(_states(each, name) for each in containers):
            kind, _, resource = name.rpartition(".")
            yield (
                f"quota {quota.metadata.name} counts {name}, so every container needs a "
                f"{resource} {'limit' if kind == 'limits' else 'request'}"
            )


def _states(container: Container, name: str) -> bool:
    kind, _, resource = name.rpartition(".")
    return resource in (container.limits if kind == "limits" else container.requests)

"""What one object takes of its namespace at least, as far as its manifest shows.

KubeVirt makes one pod for each instance that runs, and that pod requests at least what
``domain.resources`` says; how much KubeVirt adds to it, and what it makes of ``memory.guest``
where memory is overcommitted, only the cluster knows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perfscale.preflight.quota.quantity import parse_quantity, sum_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.kube.resources import Resource

JSON = dict[str, Any]

_VMIS: Final = "virtualmachineinstances.kubevirt.io"
_COUNTED_BY_NAME: Final = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
    }
)
"""Of these a quota may also count the objects without ``count/``; ``pods`` is
another matter: https://kubernetes.io/docs/concepts/policy/resource-quotas/"""


class Pod(NamedTuple):
    """Requests and limits of a pod, or of a container, by resource."""

    requests: dict[str, Decimal]
    limits: dict[str, Decimal]


class Needs(NamedTuple):
    """What one object needs.

    Attributes:
        charges: What quotas count of it, by the quota's name for it:
            https://kubernetes.io/docs/concepts/policy/resource-quotas/
        launcher: The pod that KubeVirt makes for each of its instances, if it is known to.
    """

    charges: Mapping[str, Decimal]
    launcher: Pod | None = None


def needs_of(document: JSON, resource: Resource, *, waits: bool) -> Needs:
    """What an object needs.

    Args:
        document: Its manifest.
        resource: How the cluster serves its kind.
        waits: Whether the run waits until it is ready. If not, nobody knows
            whether what controllers make for it is ever there.
    """
    counts = {f"count/{resource.name}": 1}
    spec = _mapping(document.get("spec"))
    if not resource.group and resource.plural in _COUNTED_BY_NAME:
        counts[resource.plural] = 1
    if resource.name == "pods":
        return Needs(_charges(counts, _pod(spec), int(_lasts(spec))))
    instances, instance = _instances(spec, resource.name)
    launcher = _launcher(instance)
    if not instances or not waits:
        return Needs(_charges(counts, launcher, 0))
    counts |= {"count/pods": instances, f"count/{_VMIS}": instances}
    return Needs(_charges(counts, launcher, instances), launcher)


def _charges(counts: Mapping[str, int], pod: Pod, pods: int) -> dict[str, Decimal]:
    """What is counted of objects and of so many pods that run until they are deleted."""
    charged = {name: Decimal(count) for name, count in counts.items()}
    if not pods:
        return charged
    charged["pods"] = Decimal(pods)
    for resource, amount in pod.requests.items():
        charged[resource] = charged[f"requests.{resource}"] = amount * pods
    for resource, amount in pod.limits.items():
        charged[f"limits.{resource}"] = amount * pods
    return charged


def _lasts(spec: JSON) -> bool:
    """Whether a pod runs until it is deleted: one that has ended is no longer counted."""
    return spec.get("restartPolicy", "Always") == "Always" and not spec.get("activeDeadlineSeconds")


def _instances(spec: JSON, name: str) -> tuple[int, JSON]:
    """How many VMIs there will be, and the spec of each."""
    inner = _mapping(_mapping(spec.get("template")).get("spec"))
    if name == _VMIS:
        return 1, spec
    if name == "virtualmachines.kubevirt.io":
        # With any other strategy the guest may switch itself off.
        return int(spec.get("running") is True or spec.get("runStrategy") == "Always"), inner
    if name == "virtualmachineinstancereplicasets.kubevirt.io" and not spec.get("paused"):
        replicas = spec.get("replicas", 1)
        return (replicas if isinstance(replicas, int) else 0), inner
    return 0, {}


def _pod(spec: JSON) -> Pod:
    """What a pod's containers take together, or the largest of those that run before them."""
    containers = _containers(spec.get("containers"))
    pod = Pod(
        sum_up(each.requests for each in containers), sum_up(each.limits for each in containers)
    )
    for first in _containers(spec.get("initContainers")):
        for total, amounts in zip(pod, first, strict=True):
            total.update({name: max(each, total.get(name, each)) for name, each in amounts.items()})
    return pod


def _launcher(spec: JSON) -> Pod:
    """The least that the pod of a VMI requests."""
    domain = _mapping(spec.get("domain"))
    known = {"cpu", "memory"}
    if _mapping(domain.get("memory")).get("hugepages"):
        known.remove("memory")  # requested as huge pages instead
    if _mapping(domain.get("cpu")).get("dedicatedCpuPlacement"):
        known.remove("cpu")  # as many as the guest has
    requests, limits = (
        {resource: amount for resource, amount in amounts.items() if resource in known}
        for amounts in _container(domain)
    )
    return Pod(requests, limits)


def _containers(listed: object) -> list[Pod]:
    return [_container(_mapping(each)) for each in (listed if isinstance(listed, list) else ())]


def _container(holder: JSON) -> Pod:
    """``resources`` of a container; what has a limit alone requests as much."""
    resources = _mapping(holder.get("resources"))
    limits = _amounts(resources.get("limits"))
    return Pod({**limits, **_amounts(resources.get("requests"))}, limits)


def _amounts(given: object) -> dict[str, Decimal]:
    """Quantities by resource; what is none is for the server to refuse."""
    amounts = {}
    for resource, value in _mapping(given).items():
        try:
            amounts[str(resource)] = parse_quantity(value)
        except ValueError:
            continue
    return amounts


def _mapping(value: object) -> JSON:
    return value if isinstance(value, dict) else {}

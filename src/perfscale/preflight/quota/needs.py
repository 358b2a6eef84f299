"""What one object needs in its namespace, as far as its manifest shows.

For a pod that is all. For a virtual machine it is what can be said for certain:
KubeVirt makes one pod for each instance that runs, and that pod requests at
least what ``domain.resources`` says; how much KubeVirt adds to it, and what it
makes of ``memory.guest`` where memory is overcommitted, only the cluster knows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from perfscale.preflight.quota.quantity import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


@dataclass(frozen=True, slots=True)
class Container:
    """Requests and limits of one container, by resource."""

    requests: Mapping[str, Decimal] = field(default_factory=dict)
    limits: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Needs:
    """What one object needs.

    Attributes:
        counts: Objects that there will be, by the quota's name for them.
        pods: Pods that will run until they are deleted.
        containers: The containers of each pod.
        init_containers: Those that run one after another before them.
        exact: Whether that is all: not so for the pods that KubeVirt makes.
    """

    counts: Mapping[str, int]
    pods: int = 0
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    exact: bool = False


def needs_of(document: JSON, resource: Resource, *, waits: bool) -> Needs:
    """What an object needs.

    Args:
        document: Its manifest.
        resource: How the cluster serves its kind.
        waits: Whether the run waits until it is ready. If not, nobody knows
            whether what controllers make for it is ever there.
    """
    counts: Counter[str] = Counter({f"count/{resource.name}": 1})
    spec = _mapping(document.get("spec"))
    if not resource.group and resource.plural in _COUNTED_BY_NAME:
        counts[resource.plural] = 1
    if resource.name == "pods":
        return Needs(
            counts,
            int(_lasts(spec)),
            tuple(_containers(spec.get("containers"))),
            tuple(_containers(spec.get("initContainers"))),
            exact=True,
        )
    instances, instance = _instances(spec, resource.name)
    if not instances or not waits:
        return Needs(counts)
    counts["count/pods"] = instances
    counts[f"count/{_VMIS}"] = instances
    return Needs(counts, instances, (_launcher(instance),))


def charges(needs: Needs) -> dict[str, Decimal]:
    """What a quota counts of an object, by the quota's name for it.

    The names are those of https://kubernetes.io/docs/concepts/policy/resource-quotas/.
    """
    charged = {name: Decimal(count) for name, count in needs.counts.items()}
    if not needs.pods:
        return charged
    charged["pods"] = Decimal(needs.pods)
    requests, limits = totals(needs)
    for resource, amount in requests.items():
        charged[f"requests.{resource}"] = amount * needs.pods
        charged[resource] = amount * needs.pods
    for resource, amount in limits.items():
        charged[f"limits.{resource}"] = amount * needs.pods
    return charged


def totals(needs: Needs) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Requests and limits of one pod: its containers' together, or the largest before them."""
    return (
        _total(
            [each.requests for each in needs.containers],
            [each.requests for each in needs.init_containers],
        ),
        _total(
            [each.limits for each in needs.containers],
            [each.limits for each in needs.init_containers],
        ),
    )


def _total(
    together: Iterable[Mapping[str, Decimal]], one_by_one: Iterable[Mapping[str, Decimal]]
) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for amounts in together:
        for resource, amount in amounts.items():
            total[resource] = total.get(resource, Decimal(0)) + amount
    for amounts in one_by_one:
        for resource, amount in amounts.items():
            total[resource] = max(total.get(resource, Decimal(0)), amount)
    return total


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


def _launcher(spec: JSON) -> Container:
    """The least that the pod of a VMI requests."""
    domain = _mapping(spec.get("domain"))
    container = _container(domain)
    unknown = set()
    if _mapping(domain.get("memory")).get("hugepages"):
        unknown.add("memory")  # requested as huge pages instead
    if _mapping(domain.get("cpu")).get("dedicatedCpuPlacement"):
        unknown.add("cpu")  # as many as the guest has

    def known(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
        return {
            resource: amount
            for resource, amount in amounts.items()
            if resource in ("cpu", "memory") and resource not in unknown
        }

    return Container(known(container.requests), known(container.limits))


def _containers(listed: object) -> Iterable[Container]:
    return (_container(_mapping(each)) for each in (listed if isinstance(listed, list) else ()))


def _container(holder: JSON) -> Container:
    """``resources`` of a container; what has a limit alone requests as much."""
    resources = _mapping(holder.get("resources"))
    limits = _amounts(resources.get("limits"))
    return Container({**limits, **_amounts(resources.get("requests"))}, limits)


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

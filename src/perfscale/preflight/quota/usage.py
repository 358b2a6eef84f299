"""What a run uses of each namespace at the same time: a lower bound, from its templates."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from perfscale.preflight.quota.needs import Needs, needs_of
from perfscale.preflight.quota.quantity import sum_up
from perfscale.templates import sampled_replicas, sure_replicas

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from perfscale.kube.resources import Resource
    from perfscale.templates import ObjectFactory

_MOST_ITERATIONS: Final = 1000

Charges: TypeAlias = dict[tuple[str, str], Decimal]
"""Amounts by namespace and the quota's name for them."""


class PlannedObject(NamedTuple):
    """One object of the run, in a namespace that is checked."""

    namespace: str
    kind: str
    name: str
    needs: Needs


class RunUsage(NamedTuple):
    """What a run uses.

    Attributes:
        peaks: By namespace, then by the quota's name for it: the most at the
            same time.
        objects: Every object that was rendered, by the positions of its workload and of its entry
            among the workload's ``objects``.
    """

    peaks: dict[str, dict[str, Decimal]]
    objects: dict[tuple[int, int], list[PlannedObject]]


def usage_of(
    factories: Sequence[Sequence[ObjectFactory]],
    resources: Mapping[tuple[str, str], Resource],
    namespaces: Collection[str],
) -> RunUsage:
    """What a run uses.

    Args:
        factories: The compiled templates, by workload and object.
        resources: How the cluster serves each kind; other kinds are passed over.
        namespaces: Those to check; the others are passed over.

    Raises:
        TemplateError: An object does not render.
    """
    usage = RunUsage(defaultdict(dict), defaultdict(list))
    left: Charges = {}
    for number, members in enumerate(factories):
        if not members:
            continue  # it creates nothing
        workload = members[0].workload
        for iteration in range(1, min(workload.iteration_count, _MOST_ITERATIONS) + 1):
            charged = [left]
            sure = sure_replicas(members, iteration)
            for entry, factory in enumerate(members):
                if not sure.get(factory):
                    continue
                replicas = [
                    list(_replica(factory, resources, namespaces, iteration, replica))
                    for replica in sampled_replicas(workload, factory.spec)
                ]
                usage.objects[number, entry] += (each for replica in replicas for each in replica)
                charged += _charged(replicas, sure[factory])
            levels = sum_up(charged)
            for (namespace, name), amount in levels.items():
                peaks = usage.peaks[namespace]
                peaks[name] = max(peaks.get(name, amount), amount)
            if not workload.iteration_cleanup:
                left = levels
    return usage


def _replica(
    factory: ObjectFactory,
    resources: Mapping[tuple[str, str], Resource],
    namespaces: Collection[str],
    iteration: int,
    replica: int,
) -> Iterator[PlannedObject]:
    """One replica's objects."""
    for key, document in zip(factory.kinds, factory.documents(iteration, replica), strict=True):
        resource = resources.get(key)
        if resource is None or not resource.namespaced:
            continue
        metadata = document["metadata"]
        namespace = metadata.get("namespace") or factory.namespace(iteration)
        if namespace in namespaces:
            needs = needs_of(document, resource, waits=factory.workload.waits_for_creation)
            yield PlannedObject(namespace, resource.kind, metadata["name"], needs)


def _charged(replicas: Sequence[Sequence[PlannedObject]], count: int) -> list[Charges]:
    """What quotas count of the objects of one entry in one iteration.

    Where only a sample was rendered, each of the others counts as much as the
    least of the sample, and in no namespace where one of the sample does not go.
    """
    charged = [
        sum_up(
            {(each.namespace, name): amount for name, amount in each.needs.charges.items()}
            for each in objects
        )
        for objects in replicas[:count]
    ]
    if len(charged) < count:
        least = {key: min(each.get(key, Decimal(0)) for each in charged) for key in charged[0]}
        charged.append({key: amount * (count - len(charged)) for key, amount in least.items()})
    return charged

"""What a run uses of each namespace at the same time: a lower bound, from its templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.preflight.quota.limits import with_defaults
from perfscale.preflight.quota.needs import Needs, charges, needs_of
from perfscale.templates import sampled_replicas, sure_replicas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.kube.resources import Resource
    from perfscale.preflight.quota.limits import Limit
    from perfscale.templates import ObjectFactory

_MOST_ITERATIONS: Final = 1000


class PlannedObject(NamedTuple):
    """One object of the run, in a namespace that is checked.

    Attributes:
        workload: Position of its workload.
        entry: Position of its entry among the workload's ``objects``.
        namespace: Where it goes.
        kind: Its kind.
        name: Its name.
        needs: What it requests, with the namespace's defaults filled in.
    """

    workload: int
    entry: int
    namespace: str
    kind: str
    name: str
    needs: Needs


@dataclass(slots=True)
class RunUsage:
    """What a run uses.

    Attributes:
        peaks: By namespace, then by the quota's name for it: the most at the
            same time.
        objects: Every object that was rendered.
    """

    peaks: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    objects: list[PlannedObject] = field(default_factory=list)

    def raise_peaks(self, levels: Mapping[tuple[str, str], Decimal]) -> None:
        """Note how much there is at some time."""
        for (namespace, name), amount in levels.items():
            peaks = self.peaks.setdefault(namespace, {})
            peaks[name] = max(peaks.get(name, amount), amount)


def usage_of(
    factories: Sequence[Sequence[ObjectFactory]],
    resources: Mapping[tuple[str, str], Resource],
    limits: Mapping[str, Sequence[Limit]],
) -> RunUsage:
    """What a run uses.

    Args:
        factories: The compiled templates, by workload and object.
        resources: How the cluster serves each kind; other kinds are passed over.
        limits: The entries of the limit ranges of each namespace to check;
            the others are passed over.

    Raises:
        TemplateError: An object does not render.
    """
    usage = RunUsage()
    left: dict[tuple[str, str], Decimal] = {}
    for number, members in enumerate(factories):
        if not members:
            continue  # it creates nothing
        workload = members[0].workload
        for iteration in range(1, min(workload.iteration_count, _MOST_ITERATIONS) + 1):
            levels = dict(left)
            replicas = sure_replicas(members, iteration)
            for entry, factory in enumerate(members):
                if not replicas.get(factory):
                    continue
                objects = [
                    [
                        PlannedObject(number, entry, *found)
                        for found in _replica(factory, resources, limits, iteration, replica)
                    ]
                    for replica in sampled_replicas(workload, factory.spec)
                ]
                usage.objects += (planned for replica in objects for planned in replica)
                _add(levels, objects, replicas[factory])
            usage.raise_peaks(levels)
            if not workload.iteration_cleanup:
                left = levels
    return usage


def _replica(
    factory: ObjectFactory,
    resources: Mapping[tuple[str, str], Resource],
    limits: Mapping[str, Sequence[Limit]],
    iteration: int,
    replica: int,
) -> Iterator[tuple[str, str, str, Needs]]:
    """Namespace, kind, name and needs of one replica's objects."""
    for key, document in zip(factory.kinds, factory.documents(iteration, replica), strict=True):
        resource = resources.get(key)
        if resource is None or not resource.namespaced:
            continue
        metadata = document["metadata"]
        namespace = metadata.get("namespace") or factory.namespace(iteration)
        if namespace not in limits:
            continue
        needs = needs_of(document, resource, waits=factory.workload.iteration_creation_wait)
        yield (
            namespace,
            resource.kind,
            metadata["name"],
            with_defaults(needs, limits[namespace]),
        )


def _add(
    levels: dict[tuple[str, str], Decimal], replicas: Sequence[Sequence[PlannedObject]], count: int
) -> None:
    """Count the objects of one entry in one iteration.

    Where only a sample was rendered, each of the others counts as much as the
    least of the sample, and in no namespace where one of the sample does not go.
    """
    charged = [_charged(objects) for objects in replicas[:count]]
    if len(charged) < count:
        least = {key: min(each.get(key, Decimal(0)) for each in charged) for key in charged[0]}
        charged += [{key: amount * (count - len(charged)) for key, amount in least.items()}]
    for each in charged:
        for key, amount in each.items():
            levels[key] = levels.get(key, Decimal(0)) + amount


def _charged(objects: Sequence[PlannedObject]) -> dict[tuple[str, str], Decimal]:
    """What quotas count of one replica, by namespace and the quota's name for it."""
    charged: dict[tuple[str, str], Decimal] = {}
    for planned in objects:
        for name, amount in charges(planned.needs).items():
            key = (planned.namespace, name)
            charged[key] = charged.get(key, Decimal(0)) + amount
    return charged

"""What a run is about to do, and where."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.kube.resources import NAMESPACES, Place
from perfscale.results import WorkloadPlan
from perfscale.templates import objects_of_iteration, outline_workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perfscale.config import Workload
    from perfscale.kube.resources import Resource
    from perfscale.preflight.operations import OperationPlan
    from perfscale.preflight.preload import PreloadPlan
    from perfscale.results import KubeVirtConfig
    from perfscale.templates import ObjectFactory


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to happen, and where.

    Attributes:
        run_id: The value of the run's label.
        context: The kubeconfig's context; None where there is none.
        server: The API server's URL.
        insecure: Whether its certificate goes unchecked.
        version: What the server calls itself; None if it does not say.
        workloads: In the order in which they run.
        namespaces: Every namespace that the run uses, in the order of first use.
        resources: How the cluster serves each ``(apiVersion, kind)`` of the templates.
        child_resources: What controllers will create for them.
        places: Where to list and watch what the run makes; owners come before
            what they own, and namespaces last, if they may be watched.
        nodes: How many nodes the cluster has; None if we may not know.
        kubevirt: The version of KubeVirt; None if it is not known, or not used.
        kubevirt_config: How it is configured; None likewise.
        way: The options of a command line that lead to the cluster.
        preload: What is pulled to the nodes first; None if nothing.
        operations: What workloads do to objects, by their names.
        later: Those of ``resources`` that the cluster does not have yet, and that a workload
            before theirs brings.
        ready_by_kind: Those of ``resources`` with objects that no ``readyWhen`` is about.
        warnings: What is missing, and a run goes on without, one sentence each.
    """

    run_id: str
    context: str | None
    server: str
    insecure: bool
    version: str | None
    workloads: tuple[WorkloadPlan, ...]
    namespaces: tuple[str, ...]
    resources: Mapping[tuple[str, str], Resource]
    child_resources: tuple[Resource, ...]
    places: tuple[Place, ...]
    nodes: int | None = None
    kubevirt: str | None = None
    kubevirt_config: KubeVirtConfig | None = None
    way: str = ""
    preload: PreloadPlan | None = None
    operations: Mapping[str, OperationPlan] = field(default_factory=dict)
    later: frozenset[Resource] = frozenset()
    ready_by_kind: tuple[Resource, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def objects(self) -> Mapping[str, int]:
        """Objects of each kind, over the whole run."""
        total: Counter[str] = Counter()
        for workload in self.workloads:
            total.update(workload.objects)
        return total

    def objects_of_iteration(
        self, factories: Sequence[ObjectFactory], iteration: int, within_s: float = math.inf
    ) -> Counter[str]:
        """Objects of each kind that an iteration has; see `objects_of_iteration` of templates."""
        total: Counter[str] = Counter()
        for key, count in objects_of_iteration(factories, iteration, within_s).items():
            total[self.resources[key].kind_name] += count
        return total

    @property
    def watched(self) -> tuple[Resource, ...]:
        """The resources of ``places``, namespaces aside."""
        resources = (place.resource for place in self.places if place != Place(NAMESPACES))
        return tuple(dict.fromkeys(resources))


def plan_workload(
    workload: Workload,
    factories: Sequence[ObjectFactory],
    names: Mapping[tuple[str, str], str],
) -> WorkloadPlan:
    """What one workload is going to do.

    Args:
        workload: The workload.
        factories: Its compiled templates.
        names: What results call each ``(apiVersion, kind)`` of them.
    """
    helps = workload.kube_burner is not None and workload.kube_burner.helper
    outline = outline_workload(workload, factories, names)
    return WorkloadPlan(
        **outline._asdict(),
        waits=workload.waits_for_creation,
        operation=workload.operation,
        max_in_flight=workload.max_in_flight,
        selects="" if helps or workload.targets is None else workload.targets.described,
    )

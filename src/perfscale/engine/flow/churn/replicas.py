"""What a round of churn replaces: replicas, what controllers made for them, and how they leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.engine.accounting.run_accounting import Released
from perfscale.kube.resources import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.engine.iteration_context import IterationContext
    from perfscale.engine.load.creation import PlannedObject
    from perfscale.engine.tracking.rows import IterationScope, TrackedObject

_PAGE: Final = 200
"""Replicas whose records are written in one go."""


@dataclass(frozen=True, slots=True)
class Replica:
    """All objects of one replica of a template: they go together, and come together."""

    iteration: IterationContext
    entry: int
    rows: list[TrackedObject]


def replaceable(iterations: Iterable[IterationContext]) -> list[Replica]:
    """What a round of churn may replace of these iterations."""
    replicas: dict[tuple[int, int, int | None], Replica] = {}
    for iteration in iterations:
        for row in iteration.scope.objects:
            if not _is_replaceable(iteration, row):
                continue
            key = (iteration.number, row.entry, row.replica)
            if key not in replicas:
                replicas[key] = Replica(iteration, row.entry, [])
            replicas[key].rows.append(row)
    return list(replicas.values())


def is_namespace(each: PlannedObject | TrackedObject) -> bool:
    """Whether it is a namespace: those come before, and go after, what is in them."""
    return each.resource.name == NAMESPACES.name


def _is_replaceable(iteration: IterationContext, row: TrackedObject) -> bool:
    """Whether churn may delete it; what there is once is there for others."""
    return (
        row.present
        and row.deletion_timestamp is None
        and row.delete_requested_s is None
        and row.doubted_s is None
        and not row.unlabelled
        and iteration.factories[row.entry].spec.is_churned
    )


def families_of(replicas: Iterable[Replica]) -> dict[str, list[TrackedObject]]:
    """What controllers made for their objects, also by way of other children, by the UIDs."""
    families: dict[str, list[TrackedObject]] = {}
    scopes: dict[IterationScope, None] = {}
    for replica in replicas:
        scopes[replica.iteration.scope] = None
        families.update((row.uid, []) for row in replica.rows if row.uid is not None)
    if not any(scope.children for scope in scopes):
        return families
    head = dict(zip(families, families, strict=True))
    for scope in scopes:
        for child in scope.children:  # as a rule, each comes after its owner
            owner = head.get(child.owner_uid or "")
            if owner is not None:
                families[owner].append(child)
                if child.uid is not None:
                    head[child.uid] = owner
    return families


def released_in_pages(
    replicas: Sequence[Replica], families: dict[str, list[TrackedObject]]
) -> Iterator[Released]:
    """What is gone, in pages, each of one iteration, and each child with its owner."""
    by_iteration: dict[int, list[Replica]] = {}
    for replica in replicas:
        by_iteration.setdefault(replica.iteration.number, []).append(replica)
    for members in by_iteration.values():
        for start in range(0, len(members), _PAGE):
            page = members[start : start + _PAGE]
            objects = [row for replica in page for row in replica.rows]
            children = [child for row in objects for child in families.get(row.uid or "", ())]
            yield Released(page[0].iteration, objects, children)

"""What would be created, as YAML that a person can read and kubectl can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.errors import UsageError
from perfscale.templates.manifests.documents import dump_document
from perfscale.templates.scopes import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.templates.factory import ObjectFactory
    from perfscale.templates.manifests.documents import JSON


def render_manifests(
    factories: Sequence[Sequence[ObjectFactory]],
    iteration: int | None = None,
    replica: int | None = None,
) -> str:
    """The manifests of a workload file as one YAML text, separated by ``---``.

    They carry the run's labels, and the namespace that each would be created in.

    Args:
        factories: As ``compile_templates`` returns them.
        iteration: Only this one (counted from 1); None: all.
        replica: Only this one (counted from 1); None: all.

    Raises:
        UsageError: No workload has such an iteration, or no object such a replica.
        TemplateError: An object does not render.
    """
    everything = [factory for members in factories for factory in members]
    if not everything:
        return ""
    iterations = max(factory.workload.iteration_count for factory in everything)
    replicas = max(factory.spec.replicas for factory in everything)
    _check("iteration", iteration, iterations)
    _check("replica", replica, replicas)
    return "---\n".join(
        dump_document(_placed(document, factory.namespace(number)))
        for members in filter(None, factories)
        for number in _chosen(iteration, members[0].workload.iteration_count)
        for factory in members
        if factory.spec.comes_in(number)
        for index in _chosen(replica, factory.spec.replicas)
        for document in factory.documents(number, index)
    )


def _check(what: str, number: int | None, last: int) -> None:
    if number is not None and not 1 <= number <= last:
        raise UsageError(f"there is no {what} {number}: they are numbered from 1 to {last}")


def _chosen(number: int | None, count: int) -> Sequence[int]:
    if number is None:
        return range(1, count + 1)
    return [number] if number <= count else []


def _placed(document: JSON, namespace: str) -> JSON:
    """The manifest with the namespace that it would be created in, right behind its name."""
    metadata = document["metadata"]
    if metadata.get("namespace") or is_cluster_scoped(document["apiVersion"], document["kind"]):
        return document
    placed = {}
    for key, value in metadata.items():
        placed[key] = value
        if key == "name":
            placed["namespace"] = namespace
    return {**document, "metadata": placed}

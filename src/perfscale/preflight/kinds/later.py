"""Kinds that the cluster does not have yet, and that a workload of the file brings.

Their definitions stand in templates: from these is known under which URL they will be served.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.kube.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.templates import ObjectFactory

Brought: TypeAlias = dict[tuple[str, str], tuple[int, Resource]]
"""By ``(apiVersion, kind)``: the number of the workload that brings it, and its URL."""

_DEFINITION: Final = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_MOST: Final = 20_000
"""Definitions that are read: some seconds."""


def brought_kinds(factories: Sequence[Sequence[ObjectFactory]]) -> Brought:
    """Return the kinds that definitions in the templates bring, and the first that brings each.

    Args:
        factories: The compiled templates, by workload and object.
    """
    brought: Brought = {}
    for number, document in islice(_definitions(factories), _MOST):
        for resource in _served_by(document):
            brought.setdefault((resource.api_version, resource.kind), (number, resource))
    return brought


def _definitions(
    factories: Sequence[Sequence[ObjectFactory]],
) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, members in enumerate(factories):
        for factory in members:
            if _DEFINITION not in factory.kinds:
                continue
            for iteration in factory.spec.iterations_of(factory.workload.iteration_count):
                for replica in range(1, factory.spec.replicas + 1):
                    for document in factory.documents(iteration, replica):
                        if document["kind"] == _DEFINITION[1]:
                            yield number, document


def _served_by(definition: dict[str, Any]) -> Iterator[Resource]:
    """The resources of a definition; of one that the server would refuse, none."""
    try:
        spec = definition["spec"]
        names, versions = spec["names"], spec["versions"]
        for version in versions:
            if version.get("served", True):
                yield Resource(
                    str(spec["group"]),
                    str(version["name"]),
                    str(names["plural"]),
                    str(names["kind"]),
                    namespaced=spec.get("scope") == "Namespaced",
                )
    except (KeyError, TypeError, AttributeError):
        return

"""The kinds of a workload file as the cluster serves them, and the namespaces that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.errors import UsageError
from perfscale.preflight.kinds.later import brought_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perfscale.config import Config
    from perfscale.kube.discovery import Discovery
    from perfscale.kube.resources import Resource
    from perfscale.preflight.findings import Findings
    from perfscale.preflight.kinds.later import Brought
    from perfscale.templates import ObjectFactory

_NEEDED_VERBS: Final = ("create", "list", "watch", "delete")

Factories: TypeAlias = "Sequence[Sequence[ObjectFactory]]"


async def resolve_kinds(
    config: Config, factories: Factories, discovery: Discovery, findings: Findings
) -> tuple[dict[tuple[str, str], Resource], frozenset[Resource]]:
    """Every kind that the cluster has or will have, and those of the latter; of others a finding.

    An earlier workload may bring a kind: whether it is served is found out when that is over.
    """
    resources: dict[tuple[str, str], Resource] = {}
    missing: set[tuple[str, str]] = set()
    later: set[Resource] = set()
    brought: Brought | None = None
    for number, members in enumerate(factories):
        for index, factory in enumerate(members):
            for key in factory.kinds:
                if key in resources or key in missing:
                    continue
                try:
                    resources[key] = await _resolve_kind(discovery, key)
                except UsageError as error:
                    brought = brought_kinds(factories) if brought is None else brought
                    bringer, resource = brought.get(key, (number, None))
                    if resource is not None and bringer < number:
                        resources[key] = resource
                        later.add(resource)
                        continue
                    missing.add(key)
                    path = ("workloads", number, "objects", index, "templateFile")
                    findings.add([config.problem(path, str(error))], hint=error.hint)
    return resources, frozenset(later)


async def _resolve_kind(discovery: Discovery, key: tuple[str, str]) -> Resource:
    """The resource of a kind that a run can create, follow and delete.

    Raises:
        UsageError: The cluster does not have it; or it does not store it, as a review of access,
            which is an answer and no object.
    """
    resource = await discovery.resolve(*key)
    impossible = [verb for verb in _NEEDED_VERBS if verb not in resource.verbs]
    if resource.verbs and impossible:
        raise UsageError(
            f"the cluster does not {' or '.join(impossible)} objects of kind {resource.kind} "
            f"({resource.api_version}), only: {', '.join(sorted(resource.verbs))}",
            hint="a run follows what it creates, and deletes it: take a kind that is stored",
        )
    return resource


async def resolve_children(
    factories: Factories,
    resources: Mapping[tuple[str, str], Resource],
    discovery: Discovery,
    findings: Findings,
) -> tuple[Resource, ...]:
    """What controllers make from the templates in the manifests, outer ones first."""
    made = {
        child: None
        for members in factories
        for factory in members
        for key, kinds in factory.children().items()
        if key in resources
        for child in kinds
    }
    children: dict[str, Resource] = {}
    for child in made:
        try:
            resource = await discovery.resolve(*child)
        except UsageError as error:
            findings.add_error(error)
        else:
            children[resource.name] = resource
    return tuple(children.values())


def staying(factories: Factories, children: Iterable[Resource]) -> list[Resource]:
    """The children that nobody deletes with their owners, so that the run has to."""
    keys = {key for members in factories for factory in members for key in factory.staying()}
    return [each for each in children if (each.api_version, each.kind) in keys]


def made_namespaces(
    factories: Factories, resources: Mapping[tuple[str, str], Resource]
) -> tuple[str, ...]:
    """The iterations' namespaces, in the order of first use."""
    names: dict[str, None] = {}
    for members in factories:
        for factory in members:
            # A kind that the cluster does not have might have been in namespaces.
            if not any(key not in resources or resources[key].namespaced for key in factory.kinds):
                continue
            workload = factory.workload
            last = workload.iteration_count if workload.namespaced_iterations else 1
            iterations = factory.spec.iterations_of(last)
            names.update((factory.namespace(number), None) for number in iterations)
    return tuple(names)


def foreign_namespaces(factories: Factories, own: Sequence[str]) -> tuple[str, ...]:
    """Namespaces that templates name themselves, as far as their first replica tells."""
    named = {
        request.namespace
        for members in factories
        for factory in members
        for request in factory.render(1, 1)
        if request.namespace is not None
    }
    return tuple(sorted(named.difference(own)))


def by_name(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Each resource once, in the version in which it was named first."""
    found: dict[str, Resource] = {}
    for resource in resources:
        found.setdefault(resource.name, resource)
    return found


def owners_first(created: Iterable[Resource], children: Iterable[Resource]) -> tuple[Resource, ...]:
    """Everything to follow, with what others own at the end."""
    owned = {child.name for child in children}
    everything = by_name((*created, *children)).values()
    return tuple(sorted(everything, key=lambda resource: resource.name in owned))

"""What a run is about to do, checked against the cluster before anything is created.

Every finding is reported at once. Nothing here changes the cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.config.labels import RUN_LABEL
from perfscale.config.operations import Request
from perfscale.errors import ApiError, ForbiddenError, NamespaceConflictError, UsageError
from perfscale.kube.discovery import Discovery
from perfscale.kube.listing import read_pages
from perfscale.kube.resources import NAMESPACES, tell_kinds_apart
from perfscale.preflight.access import ROLE_HINT, find_missing, review_access
from perfscale.preflight.attribution import find_unreadable
from perfscale.preflight.cluster_facts import count_nodes, kubevirt_facts
from perfscale.preflight.descriptors import find_descriptor_shortage
from perfscale.preflight.existing import EXISTING_PAGE
from perfscale.preflight.findings import Findings, few
from perfscale.preflight.health import find_unhealthy_nodes
from perfscale.preflight.hooks import find_missing_commands
from perfscale.preflight.later import brought_kinds
from perfscale.preflight.operations import OperationCheck
from perfscale.preflight.plan import Plan, plan_workload
from perfscale.preflight.preload import plan_preload
from perfscale.preflight.quota.shortages import find_shortages
from perfscale.preflight.thresholds import find_unmeasurable_thresholds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from perfscale.config import Config
    from perfscale.kube.client import Client
    from perfscale.kube.cluster import Cluster
    from perfscale.kube.resources import Resource
    from perfscale.preflight.later import Brought
    from perfscale.results import WorkloadPlan
    from perfscale.templates import ObjectFactory

_NEEDED_VERBS: Final = ("create", "list", "watch", "delete")

Factories: TypeAlias = "Sequence[Sequence[ObjectFactory]]"


async def preflight(
    config: Config,
    factories: Factories,
    cluster: Cluster,
    *,
    client: Client,
    run_id: str,
    findings: Findings | None = None,
    allow_foreign: bool = False,
) -> Plan:
    """Resolve every kind, and check permissions, namespaces and their quotas.

    Args:
        config: The workload file.
        factories: Its compiled templates, by workload and object.
        cluster: Where it is to run.
        client: The way there, at the run's own rate limit.
        run_id: The value of the run's label.
        findings: What has been found already, to be reported with the rest.
        allow_foreign: Whether operations may change objects that the run did not make.

    Raises:
        PreflightError: Everything that stands in the way.
        ClusterError: The cluster cannot be reached or refuses the credentials.
    """
    findings = findings or Findings()
    discovery = Discovery(client)
    resources, later = await _resolve_kinds(config, factories, discovery, findings)
    namespaces = _namespaces(factories, resources)
    everywhere = (*namespaces, *_foreign_namespaces(factories, namespaces))
    if not (allow_foreign and _deletes_namespaces(config)):
        await _check_namespaces(client, namespaces, run_id, findings, cluster.way)
    check = OperationCheck(config, factories, resources, discovery, run_id, findings)
    needs = await check.needs()
    children = await _resolve_children(factories, resources, discovery, findings)
    children = (*children, *needs.followed)
    named = tell_kinds_apart((*resources.values(), *children))
    resources, children = dict(zip(resources, named, strict=False)), tuple(named[len(resources) :])
    created = _by_name((*resources.values(), *needs.created)).values()
    access = await review_access(
        client,
        created=created,
        watched=_owners_first(created, children),
        deleted=_staying(factories, children),
        namespaces=everywhere,
    )
    findings.add(access.problems, hint=ROLE_HINT)
    preload = plan_preload(config, factories, run_id)
    verbs = (*needs.verbs, *(() if preload is None else preload.verbs()))
    findings.add(await find_missing(client, verbs), hint=ROLE_HINT)
    operations = await check.complete(
        client, needs, named, access.places, allow_foreign=allow_foreign
    )
    if config.global_config.cluster_health:
        findings.add(await find_unhealthy_nodes(client))
    findings.add(find_missing_commands(config))
    findings.add(find_unmeasurable_thresholds(config, factories, resources))
    findings.add(find_descriptor_shortage(config, len(access.places)))
    findings.add(await find_shortages(client, config, factories, resources, everywhere))
    findings.raise_if_any()
    warnings = await find_unreadable(client, config, created, everywhere)
    targets = (each.target for each in operations.values())
    kubevirt = await kubevirt_facts(client, discovery, (*created, *named, *targets))
    return Plan(
        run_id=run_id,
        context=cluster.context,
        server=cluster.server,
        insecure=cluster.insecure,
        version=await _version(discovery),
        nodes=await count_nodes(client),
        kubevirt=kubevirt.version,
        kubevirt_config=kubevirt.config,
        workloads=tuple(_plan_workloads(config, factories, resources)),
        namespaces=namespaces,
        resources=resources,
        later=later,
        child_resources=children,
        places=tuple(access.places),
        way=cluster.way,
        preload=preload,
        operations=operations,
        ready_by_kind=_ready_by_kind(factories, resources),
        warnings=warnings,
    )


async def _resolve_kinds(
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


async def _resolve_children(
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


def _plan_workloads(
    config: Config, factories: Factories, resources: Mapping[tuple[str, str], Resource]
) -> Iterator[WorkloadPlan]:
    names = {key: resource.kind_name for key, resource in resources.items()}
    for workload, members in zip(config.workloads, factories, strict=True):
        yield plan_workload(workload, members, names)


def _staying(factories: Factories, children: Iterable[Resource]) -> list[Resource]:
    """The children that nobody deletes with their owners, so that the run has to."""
    keys = {key for members in factories for factory in members for key in factory.staying()}
    return [each for each in children if (each.api_version, each.kind) in keys]


def _namespaces(
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


def _foreign_namespaces(factories: Factories, own: Sequence[str]) -> tuple[str, ...]:
    """Namespaces that templates name themselves, as far as their first replica tells."""
    named = {
        request.namespace
        for members in factories
        for factory in members
        for request in factory.render(1, 1)
        if request.namespace is not None
    }
    return tuple(sorted(named.difference(own)))


def _ready_by_kind(
    factories: Factories, resources: Mapping[tuple[str, str], Resource]
) -> tuple[Resource, ...]:
    """The kinds with objects that no ``readyWhen`` is about."""
    kinds = (
        resources[key]
        for members in factories
        for factory in members
        if factory.spec.ready_when is None
        for key in factory.kinds
    )
    return tuple(_by_name(kinds).values())


def _by_name(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Each resource once, in the version in which it was named first."""
    found: dict[str, Resource] = {}
    for resource in resources:
        found.setdefault(resource.name, resource)
    return found


def _owners_first(
    created: Iterable[Resource], children: Iterable[Resource]
) -> tuple[Resource, ...]:
    """Everything to follow, with what others own at the end."""
    owned = {child.name for child in children}
    everything = _by_name((*created, *children)).values()
    return tuple(sorted(everything, key=lambda resource: resource.name in owned))


def _deletes_namespaces(config: Config) -> bool:
    """Whether namespaces of others may be gone when the run comes to use theirs.

    One that is still there is refused then.
    """
    return any(
        each.does.request is Request.DELETE
        and each.targets is not None
        and each.targets.kind == "Namespace"
        and not each.targets.of_run
        for each in config.workloads
    )


async def _check_namespaces(
    client: Client, namespaces: Sequence[str], run_id: str, findings: Findings, way: str
) -> None:
    """Refuse to share a namespace with another run; one list, however many there are."""
    needed = set(namespaces)
    taken: dict[str, dict[str, None]] = {}
    try:
        pages = read_pages(client, NAMESPACES, EXISTING_PAGE, label_selector=RUN_LABEL)
        async for page in pages:
            for item in page.items:
                owner = (item.metadata.labels or {}).get(RUN_LABEL)
                if item.metadata.name in needed and owner not in (None, run_id):
                    taken.setdefault(owner, {})[item.metadata.name] = None
    except ForbiddenError:
        # Without permission to list them, a conflict is found when each is read.
        return
    for owner, names in taken.items():
        findings.add_error(namespace_conflict(list(names), owner, way))


def namespace_conflict(names: Sequence[str], owner: str, way: str = "") -> NamespaceConflictError:
    """The error for namespaces that another run made; ``way`` leads to the cluster."""
    belong = (
        f"namespace {names[0]} belongs" if len(names) == 1 else f"namespaces {few(names)} belong"
    )
    return NamespaceConflictError(
        f"{belong} to run {owner}, which is still going or was not cleaned up",
        hint=f"remove what it left: perfscale cleanup --run-id {owner} {way}".rstrip(),
    )


async def _version(discovery: Discovery) -> str | None:
    try:
        return await discovery.server_version()
    except ApiError:
        return None

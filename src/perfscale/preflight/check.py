"""What a run is about to do, checked against the cluster before anything is created.

Every finding is reported at once. Nothing here changes the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.config.labels import RUN_LABEL
from perfscale.config.operations import Request
from perfscale.errors import ApiError, ForbiddenError, NamespaceConflictError
from perfscale.kube.discovery import Discovery
from perfscale.kube.listing import read_pages
from perfscale.kube.resources import NAMESPACES, tell_kinds_apart
from perfscale.preflight.cluster_facts import count_nodes, kubevirt_facts
from perfscale.preflight.descriptors import find_descriptor_shortage
from perfscale.preflight.existing import EXISTING_PAGE
from perfscale.preflight.findings import Findings, few
from perfscale.preflight.health import find_unhealthy_nodes
from perfscale.preflight.hooks import find_missing_commands
from perfscale.preflight.kinds.resolving import (
    by_name,
    foreign_namespaces,
    made_namespaces,
    owners_first,
    resolve_children,
    resolve_kinds,
    staying,
)
from perfscale.preflight.operations import OperationCheck
from perfscale.preflight.permissions.attribution import find_unreadable
from perfscale.preflight.permissions.required import RequiredAccess
from perfscale.preflight.permissions.review import ROLE_HINT, review_access
from perfscale.preflight.plan import Plan, plan_workload
from perfscale.preflight.preload import plan_preload
from perfscale.preflight.quota.shortages import find_shortages
from perfscale.preflight.thresholds import find_unmeasurable_thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.config import Config
    from perfscale.kube.client import Client
    from perfscale.kube.cluster import Cluster
    from perfscale.kube.resources import Resource
    from perfscale.preflight.kinds.resolving import Factories
    from perfscale.preflight.operations import Needs
    from perfscale.preflight.preload import PreloadPlan
    from perfscale.results import WorkloadPlan


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
    found = await _resolve(config, factories, discovery, run_id, findings)
    namespaces, resources = found.required.made, found.resources
    if not (allow_foreign and _deletes_namespaces(config)):
        await _check_namespaces(client, namespaces, run_id, findings, cluster.way)
    access = await review_access(client, found.required)
    findings.add(access.problems, hint=ROLE_HINT)
    operations = await found.check.complete(
        client, found.needs, found.named, access.places, allow_foreign=allow_foreign
    )
    if config.global_config.cluster_health:
        findings.add(await find_unhealthy_nodes(client))
    findings.add(find_missing_commands(config))
    findings.add(find_unmeasurable_thresholds(config, factories, resources))
    findings.add(find_descriptor_shortage(config, len(access.places)))
    created, everywhere = found.required.created, found.required.namespaces
    findings.add(await find_shortages(client, config, factories, resources, everywhere))
    findings.raise_if_any()
    warnings = await find_unreadable(client, config, created, everywhere)
    targets = (each.target for each in operations.values())
    kubevirt = await kubevirt_facts(client, discovery, (*created, *found.named, *targets))
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
        later=found.later,
        child_resources=found.children,
        places=tuple(access.places),
        way=cluster.way,
        preload=found.preload,
        operations=operations,
        ready_by_kind=_ready_by_kind(factories, resources),
        warnings=warnings,
    )


async def required_access(
    config: Config, factories: Factories, *, client: Client, run_id: str
) -> RequiredAccess:
    """What a run of a workload file needs to be permitted, whoever asks.

    Raises:
        PreflightError: Kinds or subresources that the cluster does not have.
        ClusterError: The cluster cannot be reached or refuses the credentials.
    """
    findings = Findings()
    found = await _resolve(config, factories, Discovery(client), run_id, findings)
    findings.raise_if_any()
    return found.required


@dataclass(frozen=True, slots=True)
class _Resolved:
    """What a workload file is about, as the cluster serves it.

    Attributes:
        resources: The kinds of the templates.
        later: Those of them that the cluster does not have yet.
        children: What else is followed: what controllers make, and operations need.
        named: All of them, with the names that results have for them.
        check: Of the operations, and what they need.
        preload: What is pulled to the nodes first; None if nothing.
        required: What has to be permitted.
    """

    resources: dict[tuple[str, str], Resource]
    later: frozenset[Resource]
    children: tuple[Resource, ...]
    named: tuple[Resource, ...]
    check: OperationCheck
    needs: Needs
    preload: PreloadPlan | None
    required: RequiredAccess


async def _resolve(
    config: Config, factories: Factories, discovery: Discovery, run_id: str, findings: Findings
) -> _Resolved:
    """Resolve every kind and subresource; each that is missing is a finding."""
    resources, later = await resolve_kinds(config, factories, discovery, findings)
    check = OperationCheck(config, factories, resources, discovery, run_id, findings)
    needs = await check.needs()
    children = (
        *(await resolve_children(factories, resources, discovery, findings)),
        *needs.followed,
    )
    named = tuple(tell_kinds_apart((*resources.values(), *children)))
    resources = dict(zip(resources, named, strict=False))
    children = named[len(resources) :]
    created = tuple(by_name((*resources.values(), *needs.created)).values())
    preload = plan_preload(config, factories, run_id)
    made = made_namespaces(factories, resources)
    required = RequiredAccess(
        created=created,
        watched=owners_first(created, children),
        deleted=tuple(staying(factories, children)),
        operated=tuple(needs.operated),
        made=made,
        namespaces=(*made, *foreign_namespaces(factories, made)),
        verbs=(*needs.verbs, *(() if preload is None else preload.verbs())),
    )
    return _Resolved(resources, later, children, named, check, needs, preload, required)


def _plan_workloads(
    config: Config, factories: Factories, resources: Mapping[tuple[str, str], Resource]
) -> Iterator[WorkloadPlan]:
    names = {key: resource.kind_name for key, resource in resources.items()}
    for workload, members in zip(config.workloads, factories, strict=True):
        yield plan_workload(workload, members, names)


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
    return tuple(by_name(kinds).values())


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

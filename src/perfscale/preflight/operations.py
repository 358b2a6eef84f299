"""What the operations of a workload need of a cluster: kinds, subresources, permissions, targets.

Nothing here changes the cluster.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from perfscale.config.labels import RUN_LABEL, WORKLOAD_LABEL, selector_of
from perfscale.config.operations import SUBRESOURCES, Request
from perfscale.errors import ApiError, ForbiddenError, UsageError
from perfscale.kube.listing import read_pages
from perfscale.kube.resources import NAMESPACES, Place, Resource
from perfscale.preflight.existing import EXISTING_PAGE
from perfscale.templates import UNCOUNTED, RequestCount, count_requests, target_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from perfscale.config import Config, Workload
    from perfscale.config.operations import Operation
    from perfscale.config.sections.operating.targets import Targets
    from perfscale.kube.client import Client
    from perfscale.kube.discovery import Discovery
    from perfscale.preflight.findings import Findings
    from perfscale.templates import ObjectFactory

_VERSIONS: Final = ("v1", "v1alpha3")
"""Of KubeVirt's subresources, the one that is preferred first."""
_MOST_NAMESPACES: Final = 5
_READ_COLLECTIONS: Final = (Request.LIST, Request.WATCH, Request.PATCH)
"""Those that do so in all namespaces; a patch to know its targets' labels."""


@dataclass(frozen=True, slots=True)
class ForeignTargets:
    """Objects that the run did not make and is going to change.

    Attributes:
        kind: Of theirs.
        count: How many there were when they were counted.
        namespaces: How many of them are in which; None for those in none.
    """

    kind: str
    count: int
    namespaces: Mapping[str | None, int]

    def __str__(self) -> str:
        """As in ``12 VirtualMachine (team-a: 10, team-b: 2)``."""
        inside = {name: count for name, count in self.namespaces.items() if name is not None}
        largest = sorted(inside.items(), key=lambda each: -each[1])
        shown = [f"{name}: {count}" for name, count in largest[:_MOST_NAMESPACES]]
        if len(inside) > _MOST_NAMESPACES:
            shown.append(f"{len(inside) - _MOST_NAMESPACES} more namespaces")
        where = f" ({', '.join(shown)})" if shown else ""
        return f"{self.count} {self.kind}{where}"


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """What a workload is about to do to objects, and where.

    Attributes:
        operation: What.
        target: Kind of the objects.
        own: Whether they are the run's.
        selector: Label selector that all of them match; None for any.
        namespace: Where they are; None for everywhere.
        acts_on: Whose URL is sent to.
        follows: What its effect is read off; it has the targets' names.
        watched: Where to watch for the effects, and by which selector.
        foreign: What of it others made, if it changes them; None otherwise.
        requests: How many requests it comes to.
    """

    operation: Operation
    target: Resource
    own: bool
    selector: str | None
    namespace: str | None
    acts_on: Resource
    follows: Resource
    watched: tuple[tuple[Place, str | None], ...] = ()
    foreign: ForeignTargets | None = None
    requests: RequestCount = UNCOUNTED


@dataclass(slots=True)
class Needs:
    """What all workloads' operations need beside what is created.

    Attributes:
        plans: By the workload's name.
        created: What is created by them: migrations.
        followed: What has to be watched by the run's label.
        operated: Verbs and resources (with a subresource) of requests to what another workload
            of the run has made, in its namespaces.
        verbs: What else has to be permitted: verb, resource, namespace.
    """

    plans: dict[str, OperationPlan] = field(default_factory=dict)
    created: list[Resource] = field(default_factory=list)
    followed: list[Resource] = field(default_factory=list)
    operated: list[tuple[str, Resource]] = field(default_factory=list)
    verbs: list[tuple[str, Place]] = field(default_factory=list)


class OperationCheck:
    """Finds out what the operations of a workload file need.

    Args:
        config: The workload file.
        factories: Its compiled templates, by workload and object.
        resources: The kinds of the templates.
        discovery: What the cluster serves.
        run_id: The value of the run's label.
        findings: What stands in the way is added here.
    """

    def __init__(
        self,
        config: Config,
        factories: Sequence[Sequence[ObjectFactory]],
        resources: Mapping[tuple[str, str], Resource],
        discovery: Discovery,
        run_id: str,
        findings: Findings,
    ) -> None:
        self._config = config
        self._factories = factories
        self._resources = resources
        self._discovery = discovery
        self._run_id = run_id
        self._findings = findings

    async def needs(self) -> Needs:
        """Resolve the kinds and subresources of every operation.

        Raises:
            ClusterError: The cluster cannot be reached.
        """
        needs = Needs()
        for number, workload in enumerate(self._config.workloads):
            if workload.targets is None:
                continue
            try:
                plan = await self._plan(number, workload, workload.targets)
            except UsageError as error:
                path = ("workloads", number, "operation")
                self._findings.add([self._config.problem(path, str(error))], hint=error.hint)
                continue
            if plan is None:
                continue
            needs.plans[workload.name] = plan
            self._add(needs, workload, plan)
        return needs

    async def complete(
        self,
        client: Client,
        needs: Needs,
        named: Iterable[Resource],
        places: Sequence[Place],
        *,
        allow_foreign: bool,
    ) -> dict[str, OperationPlan]:
        """The plans, with where to watch for effects, and with what others would lose by them.

        Args:
            client: The way to the cluster.
            needs: What `needs` returned.
            named: Kinds with the names that results have for them.
            places: Where the run watches what is its own.
            allow_foreign: Whether objects may be changed that the run did not make.

        Raises:
            ClusterError: The cluster cannot be reached.
        """
        selector = selector_of({RUN_LABEL: self._run_id})
        plans: dict[str, OperationPlan] = {}
        kinds = {each.name: each for each in named}
        for name, found in needs.plans.items():
            plan = replace(found, target=kinds.get(found.target.name, found.target))
            foreign = None
            if plan.operation.changes and not plan.own:
                foreign = await count_foreign(client, plan, self._run_id)
                if not allow_foreign:
                    self._refuse(name, plan, foreign)
            watched = (*plan.watched, *watched_of_own(plan, places, selector))
            plans[name] = replace(plan, watched=watched, foreign=foreign)
        return plans

    def _refuse(self, workload: str, plan: OperationPlan, foreign: ForeignTargets) -> None:
        names = [each.name for each in self._config.workloads]
        message = f"{plan.operation.name} would change {foreign}, which this run did not make"
        self._findings.add(
            [self._config.problem(("workloads", names.index(workload), "targets"), message)],
            hint="say --allow-foreign if that is what you want",
        )

    def _add(self, needs: Needs, workload: Workload, plan: OperationPlan) -> None:
        operation, acted_on = plan.operation, plan.acts_on
        if operation.subresource:
            acted_on = replace(acted_on, plural=f"{acted_on.plural}/{operation.subresource}")
        verb = "deletecollection" if workload.delete_collection else operation.verb
        is_own = workload.targets is not None and workload.targets.workload is not None
        if is_own and operation.request not in _READ_COLLECTIONS:
            needs.operated.append((verb, acted_on))
        else:
            needs.verbs.append((verb, Place(acted_on, plan.namespace)))
        if operation.request is Request.MIGRATE:
            needs.created.append(plan.acts_on)
        if plan.own:
            needs.followed += [
                each for each in (plan.target, plan.follows) if each.name != NAMESPACES.name
            ]
            return
        needs.verbs.append(("list", Place(plan.target, plan.namespace)))
        needs.verbs += [(each, place) for place, _ in plan.watched for each in ("list", "watch")]

    async def _plan(
        self, number: int, workload: Workload, targets: Targets
    ) -> OperationPlan | None:
        operation = workload.does
        target = await self._target(number, targets)
        if target is None:
            return None
        own = targets.workload is not None or targets.of_run
        selector = self._selector(targets)
        acts_on = await self._acts_on(operation, target)
        follows = await self._resolve(operation.follows, target)
        plan = OperationPlan(
            *(operation, target, own, selector, targets.namespace, acts_on, follows),
            requests=count_requests(self._config, self._factories, workload),
        )
        return plan if own else replace(plan, watched=tuple(_watched_of_others(plan)))

    def _selector(self, targets: Targets) -> str | None:
        of_run = {RUN_LABEL: self._run_id}
        if targets.workload is not None:
            return selector_of({**of_run, WORKLOAD_LABEL: targets.workload})
        if targets.of_run:
            return ",".join(filter(None, (selector_of(of_run), targets.label_selector)))
        return targets.label_selector

    async def _target(self, number: int, targets: Targets) -> Resource | None:
        """The kind that is meant; None (and a finding of its template) if the cluster has none."""
        key = target_kind(self._config, self._factories, self._config.workloads[number])
        if key is None:
            raise ValueError(f"workloads[{number}] has no targets: see compile_workloads")
        if targets.workload is None:
            return await self._discovery.resolve(*key)
        return self._resources.get(key)

    async def _acts_on(self, operation: Operation, target: Resource) -> Resource:
        """Whose URL is sent to; raises UsageError where the cluster does not serve it."""
        resource = await self._resolve(operation.acts_on, target)
        if operation.request is not Request.PUT:
            if operation.subresource:
                await self._require(resource, operation)
            return resource
        for version in _VERSIONS:
            served = Resource(
                SUBRESOURCES, version, resource.plural, resource.kind, resource.namespaced
            )
            if await self._discovery.serves_subresource(served, operation.subresource):
                return served
        raise UsageError(
            f"the cluster does not serve {resource.plural}/{operation.subresource} "
            f"({SUBRESOURCES}), which {operation.name} needs",
            hint="it comes with KubeVirt's virt-api: check that it is installed and available",
        )

    async def _require(self, resource: Resource, operation: Operation) -> None:
        if not await self._discovery.serves_subresource(resource, operation.subresource):
            raise UsageError(
                f"the cluster does not serve {resource.name}/{operation.subresource}, "
                f"which {operation.name} needs",
                hint="patch the field of the spec instead",
            )

    async def _resolve(self, name: str, target: Resource) -> Resource:
        """A resource by ``plural.group``, in the version of the target if they share the group."""
        if name in {"", target.name}:
            return target
        plural, _, group = name.partition(".")
        found = await self._discovery.find(f"{group}/{target.version}", plural)
        if found is None:
            raise UsageError(f"the cluster has no {name}")
        return found


def _watched_of_others(plan: OperationPlan) -> Iterator[tuple[Place, str | None]]:
    """Where effects on objects show that the run did not make.

    What a controller makes of an object need not have its labels: of that, all is watched.
    """
    if plan.operation.is_watched:
        yield Place(plan.target, plan.namespace), plan.selector
        if plan.follows != plan.target:
            yield Place(plan.follows, plan.namespace), None


def watched_of_own(
    plan: OperationPlan, places: Sequence[Place], selector: str
) -> Iterator[tuple[Place, str | None]]:
    """Where effects on the run's own objects show, and what it creates for an effect.

    Args:
        plan: Of the workload.
        places: Where the run watches.
        selector: Of all that is the run's.
    """
    if not plan.operation.is_watched:
        return
    names = {plan.target.name, plan.follows.name} if plan.own else set()
    if plan.operation.request is Request.MIGRATE:
        names.add(plan.acts_on.name)
    yield from ((place, selector) for place in places if place.resource.name in names)


async def count_foreign(client: Client, plan: OperationPlan, run_id: str) -> ForeignTargets:
    """Count the targets that are not the run's. Raises what a request raises."""
    namespaces: Counter[str | None] = Counter()
    pages = read_pages(
        client,
        plan.target,
        EXISTING_PAGE,
        namespace=plan.namespace,
        label_selector=plan.selector,
    )
    try:
        async for page in pages:
            if page.first:
                namespaces.clear()
            for item in page.items:
                if (item.metadata.labels or {}).get(RUN_LABEL) != run_id:
                    namespaces[item.metadata.namespace] += 1
    except ForbiddenError:
        pass  # the permission is missing, which is a finding of its own
    except ApiError as error:
        raise UsageError(f"cannot list {plan.target.name}: {error}") from error
    return ForeignTargets(plan.target.kind_name, namespaces.total(), dict(namespaces))

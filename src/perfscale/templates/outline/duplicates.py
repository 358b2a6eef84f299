"""The sample of a workload's objects that is rendered, and those in it that would be made twice.

The second create would be refused with ``AlreadyExists``, perhaps after an
hour of load; so it is an error before the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config.operations import Request
from perfscale.errors import Problem
from perfscale.templates.scopes import group_of, is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.config import Config, ObjectSpec, Workload
    from perfscale.templates.factory import ObjectFactory

_EXHAUSTIVE: Final = 1000
"""A workload up to this size is rendered whole: it takes a fraction of a second."""
MOST_WORK: Final = 400_000_000
"""Of the renderings of one template, in the units of `metering`: ten seconds or so."""


class Key(NamedTuple):
    """The identity of an object in a cluster."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """As ``Kind namespace/name``."""
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass(frozen=True, slots=True)
class Made:
    """One object that would be created, and by what."""

    key: Key
    workload: int
    entry: int
    document: int
    iteration: int
    replica: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A factory, and those of its objects that were rendered."""

    factory: ObjectFactory
    made: Sequence[Made]


def render_sample(factory: ObjectFactory, workload: int, entry: int) -> Checked:
    """Render the sample of one factory.

    Args:
        factory: The factory.
        workload: Position of its workload.
        entry: Its position in the workload's ``objects``.

    Raises:
        TemplateError: One of the objects does not render.
    """
    made = []
    for iteration, replica in _sample(factory):
        for document, request in enumerate(factory.render(iteration, replica)):
            namespace = request.namespace or factory.namespace(iteration)
            if is_cluster_scoped(request.api_version, request.kind):
                namespace = ""
            key = Key(group_of(request.api_version), request.kind, namespace, request.name)
            made.append(Made(key, workload, entry, document, iteration, replica))
    return Checked(factory, made)


def _sample(factory: ObjectFactory) -> Iterator[tuple[int, int]]:
    """The (iteration, replica) pairs to render: all, or the ends and their neighbours.

    Only those where all would be too much work, which shows as they are rendered.
    """
    workload, spec, source = factory.workload, factory.spec, factory.manifests.source
    begun = source.work
    iterations = spec.iterations_of(workload.iteration_count)
    for number in _numbers(len(iterations), workload):
        iteration = iterations[number - 1]
        for replica in (*sampled_replicas(workload, spec), *_new_replicas(workload, spec)):
            at_an_end = number in _ends(len(iterations)) and (
                replica > spec.replicas or replica in _ends(spec.replicas)
            )
            if at_an_end or source.work - begun < MOST_WORK:
                yield iteration, replica


def _new_replicas(workload: Workload, spec: ObjectSpec) -> Sequence[int]:
    """Some of those that churn creates, with numbers that no others have."""
    if workload.churn is None or not workload.churn.replaces_objects or not spec.is_churned:
        return ()
    if workload.kube_burner is not None:  # they have the names of those that are gone
        return ()
    return range(spec.replicas + 1, spec.replicas + 3)


def sampled_replicas(workload: Workload, spec: ObjectSpec) -> Sequence[int]:
    """The replicas of an iteration to render: all, or the ends and their neighbours."""
    return _numbers(spec.replicas, workload)


def _numbers(count: int, workload: Workload) -> Sequence[int]:
    if workload.iteration_count * sum(entry.replicas for entry in workload.objects) <= _EXHAUSTIVE:
        return range(1, count + 1)
    return _ends(count)


def _ends(count: int) -> Sequence[int]:
    return sorted({1, min(2, count), max(1, count - 1), count})


def find_duplicates(
    config: Config, checked: Sequence[Sequence[Checked | None]]
) -> Iterator[Problem]:
    """A problem for each document of a template that makes an object which is already there.

    Args:
        config: The workload file.
        checked: By workload and entry; None where an entry has problems of its own.
    """
    left_behind: dict[Key, Made] = {}
    for number, entries in enumerate(checked):
        present = [entry for entry in entries if entry is not None]
        if config.workloads[number].does.request is Request.DELETE:
            left_behind.clear()  # what its selector means, only the cluster knows
        if not present:
            continue
        workload = present[0].factory.workload
        leaves_nothing = workload.iteration_cleanup and workload.iteration_deletion_wait
        found = _Found(config, present, left_behind, leaves_nothing)
        yield from found.problems()
        if workload.background:  # those that follow go on beside it
            left_behind |= found.ever
        elif not leaves_nothing and not workload.workload_cleanup:
            left_behind |= found.seen


class _Found:
    """What a workload makes that is there already; ``problems`` fills ``ever`` and ``seen``."""

    def __init__(
        self,
        config: Config,
        present: Sequence[Checked],
        left_behind: Mapping[Key, Made],
        leaves_nothing: bool,
    ) -> None:
        self._config = config
        self._present = present
        self._left_behind = left_behind
        self._leaves_nothing = leaves_nothing
        self.ever: dict[Key, Made] = {}
        self.seen: dict[Key, Made] = {}

    def problems(self) -> Iterator[Problem]:
        reported: set[tuple[int, int]] = set()
        current = 1
        everything = (made for entry in self._present for made in entry.made)
        for made in sorted(everything, key=lambda made: made.iteration):
            if self._leaves_nothing and made.iteration != current:
                self.seen.clear()
                current = made.iteration
            other = self.seen.setdefault(made.key, made)
            self.ever.setdefault(made.key, made)
            if other is made:
                other = self._left_behind.get(made.key, made)
            if other is not made and (made.entry, made.document) not in reported:
                reported.add((made.entry, made.document))
                entry = next(entry for entry in self._present if made in entry.made)
                yield _problem(self._config, entry.factory, other, made)


def _problem(config: Config, factory: ObjectFactory, first: Made, second: Made) -> Problem:
    """What to say, and at which line, about two that are the same."""
    entry = ("workloads", second.workload, "objects", second.entry)
    variable = factory.manifests.source.variable
    if first.workload != second.workload:
        earlier = config.workloads[first.workload].name
        if config.workloads[first.workload].background:
            return config.problem(
                entry,
                f"{second.key} would be created by the workload {earlier!r} at the same time: give "
                "the two different namespaces (inputVars.namespace) or names",
            )
        return config.problem(
            entry,
            f"{second.key} is left behind by the workload {earlier!r} and would be created again: "
            f"set iterationCleanup and iterationDeletionWait of {earlier!r}, or give the two "
            "different namespaces (inputVars.namespace) or names",
        )
    if first.iteration != second.iteration:
        namespaced = "" if factory.workload.namespaced_iterations else "set namespacedIterations, "
        return config.problem(
            entry,
            f"{second.key} would be created in iteration {first.iteration} and again in iteration "
            f"{second.iteration}: set iterationCleanup and iterationDeletionWait, {namespaced}"
            f"or put {variable('iteration')} in its name",
        )
    if first.entry != second.entry:
        return config.problem(
            entry,
            f"{second.key} is also made by objects[{first.entry}]: give the two different names, "
            "for instance with a variable of inputVars in them",
        )
    name = ("metadata", "name")
    line = factory.manifests.line_of(second.iteration, second.replica, second.document, name)
    if second.replica > factory.spec.replicas:
        message = (
            f"churn would create {second.key} anew while it may be there: put "
            f"{variable('replica')} in its name, or set once of the entry, which leaves it alone"
        )
    elif first.replica == second.replica:
        message = f"{second.key} stands twice in this template: give the two different names"
    else:
        message = (
            f"{second.key} would be created more than once in an iteration, for replica "
            f"{first.replica} and for replica {second.replica}: put "
            f"{variable('replica')} in its name"
        )
    return Problem(message, str(factory.path), line)

"""What the targets of a workload's operations are, as far as the file and its templates say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from perfscale.config.operations import VM, VMI, Request
from perfscale.config.sections.shape import POISSON, most_due
from perfscale.templates.outline.counting import count_objects
from perfscale.templates.scopes import group_of, is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.config import Config, Workload
    from perfscale.config.operations import Operation
    from perfscale.config.sections.operating.targets import Targets
    from perfscale.errors import Problem
    from perfscale.templates.factory import ObjectFactory

_COLLECTIONS: Final = frozenset({Request.LIST, Request.WATCH})
_KIND_NAMES: Final = {VM: "VirtualMachine", VMI: "VirtualMachineInstance"}
_ROUNDING: Final = 1e-9


def find_unfit_targets(
    config: Config, factories: Sequence[Sequence[ObjectFactory]]
) -> Iterator[Problem]:
    """A problem for each operation that its targets are not made for, or that could mean several.

    Args:
        config: The workload file.
        factories: Its compiled templates, by workload and object.
    """
    for number, workload in enumerate(config.workloads):
        targets = workload.targets
        if targets is None:
            continue
        there = _kinds_there(config, factories, targets)
        possible = _fitting(workload.does, targets, there)
        if len(possible) != 1:
            key = "kind" if targets.kind else "workload"
            kinds = possible or there
            yield config.problem(
                ("workloads", number, "targets", key),
                _why_unfit(workload.does, targets, [kind for _, kind in kinds], bool(possible)),
            )


def target_kind(
    config: Config, factories: Sequence[Sequence[ObjectFactory]], workload: Workload
) -> tuple[str, str] | None:
    """``(apiVersion, kind)`` of the targets; None where `find_unfit_targets` has a problem."""
    targets = workload.targets
    if targets is None:
        return None
    there = _kinds_there(config, factories, targets)
    found = _fitting(workload.does, targets, there)
    return (there[found[0]], found[0][1]) if len(found) == 1 else None


class RequestCount(NamedTuple):
    """How many requests an operation's workload comes to.

    Attributes:
        most: In all its iterations; None if nobody can say, as of objects that the run does not
            make, and of a load that goes on until no other is left.
        sure: Whether it is that many if nothing goes wrong.
        endless: Whether it goes on until no other load is left.
    """

    most: int | None = None
    sure: bool = True
    endless: bool = False


UNCOUNTED: Final = RequestCount()


def count_requests(
    config: Config, factories: Sequence[Sequence[ObjectFactory]], workload: Workload
) -> RequestCount:
    """How many requests an operation's workload comes to, as far as arithmetic gives it."""
    due = most_due(workload)
    if workload.does.goes_round and not math.isinf(due):
        return RequestCount(int(due) * workload.iteration_count, workload.arrival != POISSON)
    if workload.is_endless and workload.does.goes_round:
        return RequestCount(endless=True)
    turns = _turns(config, factories, workload)
    if turns is None:
        return RequestCount(endless=workload.is_endless)
    most = int(min(turns, due)) * workload.iteration_count
    sure = math.isinf(due) and not _may_lose_some(config, workload)
    return RequestCount(most, sure, workload.is_endless)


def _may_lose_some(config: Config, workload: Workload) -> bool:
    """Whether not all of what the templates make may be there when its turn comes."""
    name = workload.targets.workload if workload.targets else None
    for each in config.workloads:
        if each is workload:
            break
        if each.name == name and not math.isinf(most_due(each)):
            return True
        if each.does.request is Request.DELETE and each.targets and each.targets.workload == name:
            return True
    return workload.does.request is Request.DELETE and workload.iteration_count > 1


def _turns(
    config: Config, factories: Sequence[Sequence[ObjectFactory]], workload: Workload
) -> int | None:
    """Requests of one pass over the targets."""
    targets, key = workload.targets, target_kind(config, factories, workload)
    if targets is None or key is None:
        return None
    if targets.workload is None:
        return workload.streams if workload.does.request in _COLLECTIONS else None
    members = _members(config, factories, targets.workload)
    if workload.does.request in _COLLECTIONS or workload.delete_collection:
        namespaces = _namespaces(members, key)
        return None if namespaces is None else len(namespaces) * workload.streams
    made = count_objects(members)[key]
    if targets.count is not None:
        return min(targets.count, made)
    return made if targets.share is None else math.ceil(targets.share * made - _ROUNDING)


def _namespaces(members: Sequence[ObjectFactory], key: tuple[str, str]) -> set[str | None] | None:
    """Where objects of a kind are; None where their template says it."""
    found: set[str | None] = set()
    for factory in members:
        for request in factory.render(1, 1):
            if (request.api_version, request.kind) != key:
                continue
            if request.namespace is not None:
                return None
            if is_cluster_scoped(*key):
                found.add(None)
                continue
            workload = factory.workload
            last = workload.iteration_count if workload.namespaced_iterations else 1
            found.update(factory.namespace(number) for number in factory.spec.iterations_of(last))
    return found


def _members(
    config: Config, factories: Sequence[Sequence[ObjectFactory]], name: str
) -> Sequence[ObjectFactory]:
    return factories[[each.name for each in config.workloads].index(name)]


def _kinds_there(
    config: Config, factories: Sequence[Sequence[ObjectFactory]], targets: Targets
) -> dict[tuple[str, str], str]:
    """API versions by group and kind: what its workload makes, or what is named."""
    if targets.workload is None:
        version = targets.api_version or ""
        return {(group_of(version), targets.kind or ""): version}
    found: dict[tuple[str, str], str] = {}
    for factory in _members(config, factories, targets.workload):
        for api_version, kind in factory.kinds:
            found.setdefault((group_of(api_version), kind), api_version)
    return found


def _fitting(
    operation: Operation, targets: Targets, there: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of some kinds, by group and kind, that are meant and that it can be done to."""
    fit = {(name.partition(".")[2], _KIND_NAMES[name]) for name in operation.kinds}
    return [key for key in there if targets.kind in {None, key[1]} and (not fit or key in fit)]


def _why_unfit(operation: Operation, targets: Targets, kinds: Sequence[str], many: bool) -> str:
    listed = " and ".join(kinds)
    if many:
        return f"{targets.workload} makes {listed}: name one of them as kind"
    if targets.workload is not None and targets.kind not in {None, *kinds}:
        return f"{targets.workload} makes no {targets.kind}, only {listed}"
    wanted = " or ".join(_KIND_NAMES[each] for each in operation.kinds)
    what = f"{targets.workload} makes {listed}" if targets.workload else f"this is {listed}"
    return f"{operation.name} can be done to {wanted} (kubevirt.io), and {what}"

"""How many objects a workload asks for, as far as its file says."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from perfscale.config.sections.churn import describe_churn
from perfscale.config.sections.shape import (
    POISSON,
    describe_shape,
    is_steady,
    mean_rate,
    most_due,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from perfscale.config import Workload
    from perfscale.templates.factory import ObjectFactory

KindCounts: TypeAlias = "Counter[tuple[str, str]]"
"""Objects by ``(apiVersion, kind)``."""


def objects_of_iteration(
    factories: Sequence[ObjectFactory], iteration: int, within_s: float = math.inf
) -> KindCounts:
    """How many objects an iteration of a workload has, which is counted from 1.

    Of a load that ends by its time it is the most that there can be, ``within_s`` seconds of its
    beginning; what comes last in the file is left out first.
    """
    present = (factory for factory in factories if factory.spec.comes_in(iteration))
    return _count(present, within_s)


def count_objects(factories: Sequence[ObjectFactory]) -> KindCounts:
    """The same of all iterations together; of no templates, none."""
    if not factories:
        return Counter()
    iterations = factories[0].workload.iteration_count
    if all(factory.spec.iterations_of(2) == range(1, 3) for factory in factories):
        alike = Counter({tuple(factories): iterations})
    else:
        alike = Counter(
            tuple(factory for factory in factories if factory.spec.comes_in(iteration))
            for iteration in range(1, iterations + 1)
        )
    total: KindCounts = Counter()
    for members, times in alike.items():
        for key, count in _count(members).items():
            total[key] += times * count
    return total


def sure_replicas(factories: Sequence[ObjectFactory], iteration: int) -> dict[ObjectFactory, int]:
    """How many replicas of each template an iteration has at least, if nothing goes wrong.

    Random arrivals may be any number.
    """
    present = [factory for factory in factories if factory.spec.comes_in(iteration)]
    if not present:
        return {}
    if present[0].workload.arrival == POISSON and factories[0].workload.duration:
        return dict.fromkeys(present, 0)
    return {factory: due // len(factory.kinds) for factory, due in _due(present)}


class WorkloadOutline(NamedTuple):
    """What a workload's file and templates say that it is going to do.

    The attributes are those of `WorkloadPlan`.
    """

    name: str
    iterations: int
    objects: dict[str, int]
    qps: float | None
    burst: int
    steady: bool
    shape: str
    ends: bool
    background: bool
    churn: str


def outline_workload(
    workload: Workload,
    factories: Sequence[ObjectFactory],
    names: Mapping[tuple[str, str], str],
) -> WorkloadOutline:
    """Say what one workload is going to do.

    Args:
        workload: The workload.
        factories: Its compiled templates.
        names: What to call each ``(apiVersion, kind)`` of them.
    """
    objects = {names[key]: 0 for factory in factories for key in factory.kinds}
    for key, count in count_objects(factories).items():
        objects[names[key]] += count
    steady = is_steady(workload)
    return WorkloadOutline(
        name=workload.name,
        iterations=workload.iteration_count,
        objects=objects,
        qps=mean_rate(workload, objects_of_iteration(factories, 1).total()),
        burst=max(1, workload.bucket_depth) if steady else 1,
        steady=steady,
        shape=describe_shape(workload),
        ends=math.isfinite(most_due(workload)) or bool(workload.duration) or workload.is_endless,
        background=workload.background,
        churn=describe_churn(workload),
    )


class ReplacedIterations(NamedTuple):
    """What churn of namespaces replaces: iterations that share objects, together.

    Attributes:
        period: In how many iterations after another each entry of the workload comes once.
        groups: The iterations that may be replaced, in groups; where no entry is shared, of one.
    """

    period: int
    groups: list[range]

    def drawn_of(self, wanted: int) -> int:
        """How many groups have so many iterations, or one where they have fewer."""
        return min(len(self.groups), max(1, wanted // self.period)) if wanted else 0

    def unused(self) -> Iterator[int]:
        """The first numbers of groups that were never used."""
        return itertools.count(self.groups[-1].start + self.period, self.period)


def replaced_iterations(factories: Sequence[ObjectFactory]) -> ReplacedIterations:
    """Return which iterations of a workload its churn of namespaces may replace."""
    count = factories[0].workload.iteration_count
    period = math.lcm(*(factory.spec.every_iterations for factory in factories))
    # What is there once is there for others, and the first iteration has it.
    first = 1 + period * any(factory.spec.once for factory in factories)
    starts = range(first, count + 1, period)
    groups = [range(start, min(start + period, count + 1)) for start in starts]
    return ReplacedIterations(period, groups)


class ChurnCount(NamedTuple):
    """What a round of churn replaces: so many of the objects' replicas, or of the iterations."""

    replaced: int
    present: int


def count_churned(factories: Sequence[ObjectFactory]) -> ChurnCount | None:
    """What each round of a workload's churn replaces; None without any.

    Of a load that ends by its time it is the most that there can be.
    """
    churn = factories[0].workload.churn if factories else None
    if churn is None:
        return None
    if not churn.replaces_objects:
        replaced = replaced_iterations(factories)
        present = sum(map(len, replaced.groups))
        drawn = replaced.drawn_of(churn.replaced_of(present))
        return ChurnCount(min(drawn * replaced.period, present), present)
    present = sum(
        due // len(factory.kinds)
        for number in range(1, factories[0].workload.iteration_count + 1)
        if (members := [each for each in factories if each.spec.comes_in(number)])
        for factory, due in _due(members)
        if factory.spec.is_churned
    )
    return ChurnCount(churn.replaced_of(present), present)


def _count(factories: Iterable[ObjectFactory], within_s: float = math.inf) -> KindCounts:
    counts: KindCounts = Counter()
    for factory, due in _due(factories, within_s):
        whole, rest = divmod(due, len(factory.kinds))
        for position, key in enumerate(factory.kinds):
            counts[key] += whole + (position < rest)
    return counts


def _due(
    factories: Iterable[ObjectFactory], within_s: float = math.inf
) -> Iterator[tuple[ObjectFactory, int]]:
    """How many objects of each template are due, at most."""
    left: float | None = None
    for factory in factories:
        if left is None:
            left = most_due(factory.workload, within_s)
        due = min(left, factory.spec.replicas * len(factory.kinds))
        left -= due
        yield factory, int(due)

"""What of an iteration is one shard's."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.config.sections.shape import most_due

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from perfscale.engine.sharding.shard import Shard
    from perfscale.preflight import Plan
    from perfscale.templates import ObjectFactory


@dataclass(frozen=True, slots=True)
class Requested:
    """What an iteration asks for, by kind: objects, or operations.

    Attributes:
        own: Of this generator.
        whole: Of all generators of the run.
        ends: Whether its load ends by its time, so that it is the most that there can be.
    """

    own: Mapping[str, int]
    whole: Mapping[str, int]
    ends: bool = False

    @classmethod
    def of_one(cls, requested: Mapping[str, int]) -> Self:
        """In a run of one generator."""
        return cls(requested, requested)


def replicas_of(
    shard: Shard, factories: Sequence[ObjectFactory], iteration: int
) -> tuple[range, ...]:
    """Which replicas of each template of an iteration are a shard's.

    What cannot be divided goes round: from entry to entry and from iteration to iteration.
    """
    turn, found = iteration - 1, []
    for factory in factories:
        found.append(shard.replicas(factory.spec.replicas, turn))
        turn += factory.spec.replicas
    return tuple(found)


def requested_of(
    shard: Shard,
    plan: Plan,
    factories: Sequence[ObjectFactory],
    iteration: int,
    within_s: float = math.inf,
) -> Counter[str]:
    """How many objects of each kind an iteration asks a shard for.

    Of a load that ends by its time it is the most that there can be, ``within_s`` seconds of its
    beginning, as in `Plan.objects_of_iteration`.
    """
    if shard.is_whole:
        return plan.objects_of_iteration(factories, iteration, within_s)
    total: Counter[str] = Counter()
    left = math.inf
    if factories and not math.isinf(most := most_due(factories[0].workload, within_s)):
        left = math.ceil(most / shard.count)  # no shard has more of the places in the schedule
    for factory, replicas in zip(factories, replicas_of(shard, factories, iteration), strict=True):
        due = int(min(left, len(replicas) * len(factory.kinds)))
        left -= due
        each, rest = divmod(due, len(factory.kinds))
        for position, key in enumerate(factory.kinds):
            if count := each + (position < rest):
                total[plan.resources[key].kind_name] += count
    return total

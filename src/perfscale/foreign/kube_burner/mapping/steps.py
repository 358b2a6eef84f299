"""How many iterations each step of an incremental load has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perfscale.foreign.kube_burner.models.job import EXPONENTIAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.foreign.kube_burner.models.job import Exponential, IncrementalLoad, Linear


def steps_of(load: IncrementalLoad, iterations: int) -> Iterator[int]:
    """Yield the iterations of each step, the last of which has all of them.

    Args:
        load: The incremental load.
        iterations: Of the job, where the load says nothing of its first step.
    """
    first = load.start_iterations if load.start_iterations > 0 else iterations
    total = max(load.total_iterations, first)
    if load.pattern.type == EXPONENTIAL:
        increases = _growing(load.pattern.exponential, first)
    else:
        increases = _even(load.pattern.linear, total - first)
    current = first
    yield current
    for increase in increases:
        if current >= total:
            return
        current = min(total, current + increase)
        yield current


def _even(linear: Linear, rest: int) -> Iterator[int]:
    """Steps of one size, smaller where there would be too few of them."""
    size = max(1, linear.step_size)
    if linear.min_steps > 0 and math.ceil(rest / size) < linear.min_steps:
        size = max(1, math.ceil(rest / linear.min_steps))
    while True:
        yield size


def _growing(exponential: Exponential, first: int) -> Iterator[int]:
    """As many as at first, in each step of the warm-up; then that, times a power that grows."""
    warmup = exponential.warmup_steps
    base = exponential.base or 2.0
    step = 1
    while True:
        step += 1
        if step <= warmup:
            yield first
            continue
        increase = max(1, int(base ** (step - max(warmup, 0))) * first)
        yield min(increase, exponential.max_increase) if exponential.max_increase > 0 else increase

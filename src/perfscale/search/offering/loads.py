"""What the loads of a configuration come to at most: how many requests, how fast, how many at once.

It is what the file and its templates say; nothing has been sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfscale.config.sections.shape import Slope, is_steady, slopes_of
from perfscale.templates import compile_templates, count_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perfscale.config import Config, Workload
    from perfscale.templates import ObjectFactory

_NEAR: Final = 0.05
"""A moving rate is at a value as long as it is no further from it than this, as a share."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests a workload sends, and how fast.

    Attributes:
        workload: The workload.
        requests: Of an iteration, if its time does not end it; infinity where nobody can say.
    """

    workload: Workload
    requests: float

    @property
    def burst(self) -> int:
        """How many of its requests come at once before its rate holds."""
        return self.workload.bucket_depth if is_steady(self.workload) else 0

    @property
    def in_a_row(self) -> float:
        """Requests of all iterations that find the bucket as the last one left it."""
        if not is_steady(self.workload) or pauses(self.workload):
            return self.requests
        return self.requests * self.workload.iteration_count

    @property
    def peak(self) -> float:
        """The highest rate that it ever has, in requests a second; infinity without one."""
        return max(max(each.from_qps, each.to_qps) for each in self._slopes) or math.inf

    @property
    def _slopes(self) -> list[Slope]:
        workload = self.workload
        if workload.stages:
            return slopes_of(workload)
        qps = self.requests / workload.spread if workload.spread else workload.qps
        return [Slope(workload.duration or math.inf, qps, qps)]

    def requests_at(self, qps: float) -> float:
        """How many requests are due, after the burst, while the rate is ``qps``, or near it."""
        left, found = self.in_a_row - self.burst, 0.0
        for slope in self._slopes:
            if left <= 0:
                break
            found += _requests_near(slope, qps, left)
            left -= slope.requests
        return found


def loads_of(config: Config, search_id: str) -> tuple[Load, ...]:
    """The loads of a configuration, in its order.

    Raises:
        TemplateError: A template is wrong.
    """
    factories = compile_templates(config, run_id=search_id)
    return tuple(
        Load(workload, _requests(config, factories, number))
        for number, workload in enumerate(config.workloads)
    )


def _requests(config: Config, factories: Sequence[Sequence[ObjectFactory]], number: int) -> float:
    workload = config.workloads[number]
    if not workload.does.creates:
        most = count_requests(config, factories, workload).most
        return math.inf if most is None else most / workload.iteration_count
    if workload.churn is not None:
        return math.inf  # it goes on at the workload's rate for as long as it likes
    return float(
        sum(
            len(each.kinds) * each.spec.replicas
            for each in factories[number]
            if each.spec.comes_in(1)
        )
    )


def together(loads: Sequence[Load], of: Callable[[Load], float]) -> float:
    """What loads come to that go on at the same time: one, and all in the background."""
    beside = sum(of(each) for each in loads if each.workload.background)
    return beside + max((of(each) for each in loads if not each.workload.background), default=0.0)


def pauses(workload: Workload) -> bool:
    """Whether the bucket can fill again between two iterations."""
    return bool(
        workload.iteration_creation_wait
        or workload.iteration_wait
        or workload.iteration_cleanup
        or workload.iteration_interval
        or workload.duration
    )


def _requests_near(slope: Slope, qps: float, most: float) -> float:
    """How many of the first ``most`` requests of a slope are due while its rate is near ``qps``."""
    begin, end = slope.from_qps, slope.to_qps
    low, high = qps * (1 - _NEAR), qps * (1 + _NEAR)
    if begin == end:
        return min(slope.requests, most) if low <= begin <= high else 0.0
    # Of a rate that moves evenly, as many are due while it goes from a to b as make (b*b - a*a)/2.
    by_square = slope.duration_s / (end - begin) / 2
    reached = end
    if slope.requests > most:
        reached = math.sqrt(begin * begin + most / by_square)
    first, last = (min(max(rate, low), high) for rate in (begin, reached))
    return max(0.0, (last * last - first * first) * by_square)

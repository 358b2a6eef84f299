"""Which of a workload's objects are rendered to look at, before anything is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import ObjectSpec, Workload

# A workload up to this size is rendered whole: it takes a fraction of a second
_EXHAUSTIVE = 1000


def sample(workload: Workload, spec: ObjectSpec) -> Iterator[tuple[int, int]]:
    """The (iteration, replica) pairs to look at: all, or the ends and their neighbours."""
    for iteration in _numbers(workload.iteration_count, workload):
        for replica in sampled_replicas(workload, spec):
            yield iteration, replica


def sampled_replicas(workload: Workload, spec: ObjectSpec) -> Sequence[int]:
    """The replicas of an iteration to look at: all, or the ends and their neighbours."""
    return _numbers(spec.replicas, workload)


def _numbers(count: int, workload: Workload) -> Sequence[int]:
    if workload.iteration_count * sum(entry.replicas for entry in workload.objects) <= _EXHAUSTIVE:
        return range(1, count + 1)
    return sorted({1, min(2, count), max(1, count - 1), count})

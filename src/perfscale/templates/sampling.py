"""Which of a workload's objects are rendered as a sample, before anything is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import ObjectSpec, Workload
    from perfscale.templates.dialects.dialect import Source

# A workload up to this size is rendered whole: it takes a fraction of a second
_EXHAUSTIVE = 1000


MOST_WORK = 400_000_000
"""Of the renderings of one template, in the units of `metering`: ten seconds or so."""


def sample(workload: Workload, spec: ObjectSpec, source: Source) -> Iterator[tuple[int, int]]:
    """The (iteration, replica) pairs to render: all, or the ends and their neighbours.

    Only those where all would be too much work, which shows as they are rendered.
    """
    begun = source.work
    iterations = spec.iterations_of(workload.iteration_count)
    for number in _numbers(len(iterations), workload):
        iteration = iterations[number - 1]
        for replica in sampled_replicas(workload, spec):
            at_an_end = number in _ends(len(iterations)) and replica in _ends(spec.replicas)
            if at_an_end or source.work - begun < MOST_WORK:
                yield iteration, replica


def sampled_replicas(workload: Workload, spec: ObjectSpec) -> Sequence[int]:
    """The replicas of an iteration to render: all, or the ends and their neighbours."""
    return _numbers(spec.replicas, workload)


def _numbers(count: int, workload: Workload) -> Sequence[int]:
    if workload.iteration_count * sum(entry.replicas for entry in workload.objects) <= _EXHAUSTIVE:
        return range(1, count + 1)
    return _ends(count)


def _ends(count: int) -> Sequence[int]:
    return sorted({1, min(2, count), max(1, count - 1), count})

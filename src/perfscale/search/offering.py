"""Whether a search of rates offers them: a load within its burst shows nothing of its rate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perfscale.config.sections.shape import is_steady
from perfscale.errors import ConfigError
from perfscale.search.deciding.trials import Verdict
from perfscale.search.judging import Judged
from perfscale.templates import compile_templates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.config import Config, Workload
    from perfscale.results import RunResult
    from perfscale.search.varying import Varied

_RATE: Final = re.compile(r"(?:workloads|jobs)\[(\*|[0-9]+)\]\.qps")
_WAY: Final = (
    "set burst: 1 (left out, it is a second's worth of the rate), or let more replicas than the "
    "burst last a duration"
)


def refuse_unoffered(varied: Varied, values: Sequence[float]) -> None:
    """Refuse rates that no workload which varies can offer, as far as its file says.

    Raises:
        ConfigError: Each of them has no more objects than its burst.
        TemplateError: A template of them is wrong.
    """
    for value in values:
        config = varied.at(value)
        numbers = _varied(varied, config)
        # Templates are compiled only where their documents can make a difference.
        if not numbers or not all(_is_within_burst(config.workloads[at], 1) for at in numbers):
            continue
        factories = compile_templates(config, run_id=varied.search_id)
        documents = {
            at: max((len(each.kinds) for each in factories[at]), default=1) for at in numbers
        }
        if all(_is_within_burst(config.workloads[at], documents[at]) for at in numbers):
            raise ConfigError(
                [
                    config.source.problem(
                        _place(config.workloads[at], at),
                        f"at {value:g}/s the rate is never offered: "
                        f"{_why(config.workloads[at].bucket_depth)}",
                    )
                    for at in numbers
                ],
                hint=_WAY,
            )


def judge_offered(judged: Judged, varied: Varied, config: Config, result: RunResult) -> Judged:
    """A verdict on a rate, which does not count if no workload that varies has offered it.

    A threshold that has ended the load before it came to its rate was lost all the same.
    """
    numbers = _varied(varied, config)
    if judged.verdict not in {Verdict.HOLDS, Verdict.LOST} or result.error is not None:
        return judged
    if not numbers or any(_has_offered(config.workloads[at], result, at) for at in numbers):
        return judged
    burst = result.workloads[numbers[0]].rate.burst
    return Judged(
        Verdict.NOT_COUNTED, (f"the rate was never offered: {_why(burst)}", f"the way out: {_WAY}")
    )


def _why(burst: int) -> str:
    return f"no more objects than its burst, {burst} at once"


def _varied(varied: Varied, config: Config) -> list[int]:
    """The workloads whose rate is what a search varies."""
    match = _RATE.fullmatch(varied.path)
    if match is None:
        return []
    return list(range(len(config.workloads))) if match[1] == "*" else [int(match[1])]


def _is_within_burst(workload: Workload, documents: int) -> bool:
    """Whether all that it creates fits, with so many objects to a replica at most.

    Of operations on objects, and of churn, nobody knows how many there are.
    """
    if not (workload.objects and is_steady(workload)) or workload.churn is not None:
        return False
    objects = documents * sum(each.replicas for each in workload.objects)
    iterations = 1 if _pauses(workload) else workload.iteration_count
    return objects * iterations <= workload.bucket_depth


def _has_offered(workload: Workload, result: RunResult, at: int) -> bool:
    rate = result.workloads[at].rate
    if rate.offered is not None:
        return True
    # No iteration has a rate of its own, but each found the bucket as the last one left it.
    return is_steady(workload) and not _pauses(workload) and rate.creates > rate.burst


def _pauses(workload: Workload) -> bool:
    """Whether the bucket can fill again between two iterations."""
    return bool(
        workload.iteration_creation_wait
        or workload.iteration_wait
        or workload.iteration_cleanup
        or workload.iteration_interval
        or workload.duration
    )


def _place(workload: Workload, at: int) -> tuple[str | int, ...]:
    if workload.burst:
        return ("workloads", at, "burst")
    return ("workloads", at, "objects", 0, "replicas")

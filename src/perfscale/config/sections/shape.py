"""How a load changes over time, and which of the keys that say so go together."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

from pydantic import BeforeValidator, Field
from pydantic.alias_generators import to_snake

from perfscale.config.durations import format_duration
from perfscale.config.operations import CREATE
from perfscale.config.sections.fields import Flag, Rate, Timeout, choice, detail, refusal, rule
from perfscale.config.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import InitErrorDetails, PydanticCustomError

    from perfscale.config.sections.workload import Workload

CONSTANT: Final = "constant"
POISSON: Final = "poisson"

Arrival = Annotated[str, *choice(CONSTANT, POISSON)]
"""How requests follow each other at a rate."""

_NOTHING: Final = re.compile(r"(0+(\.0*)?[a-zµ]*)+", re.ASCII | re.IGNORECASE)
"""A duration of no time."""
_ROUNDING: Final = 1e-9
_LIKELY: Final = 6
"""So many standard deviations more than its mean a Poisson process never comes to in practice."""


class Stage(Section):
    """A part of a load, in which its rate moves in a straight line, or jumps and stays."""

    called: ClassVar[str] = "a mapping (duration, qps, step)"

    duration: Timeout = Field(description="How long the stage takes, as in 2m.")
    qps: Rate = Field(
        description=(
            "Objects to create a second at its end. 0: none. The rate goes there in a straight "
            "line from that of the stage before; in the first stage from qps of the workload."
        )
    )
    step: Flag = Field(
        default=False, description="Jump to qps at the beginning of the stage, and stay there."
    )


def _list_of_stages(value: object) -> object:
    if isinstance(value, list | tuple):
        return value
    raise refusal("list", "a list of stages", value)


Stages = Annotated[tuple[Stage, ...], BeforeValidator(_list_of_stages)]
"""One after the other; there may be none."""


class Slope(NamedTuple):
    """A straight part of a rate over time; the rates are a second.

    It may last for ever where both are the same and more than nothing.
    """

    duration_s: float
    from_qps: float
    to_qps: float

    @property
    def requests(self) -> float:
        """How many come in it."""
        return self.duration_s * (self.from_qps + self.to_qps) / 2


def slopes_of(workload: Workload | WrittenShape) -> list[Slope]:
    """The rate of a workload's stages over time."""
    at, slopes = workload.qps, []
    for stage in workload.stages:
        slopes.append(Slope(stage.duration, stage.qps if stage.step else at, stage.qps))
        at = stage.qps
    return slopes


def rate_at(workload: Workload, after_s: float) -> float | None:
    """The rate of a workload's stages so long after they began; None once they are over."""
    for slope in slopes_of(workload):
        if after_s < slope.duration_s:
            return slope.from_qps + (slope.to_qps - slope.from_qps) * after_s / slope.duration_s
        after_s -= slope.duration_s
    return None


def most_due(workload: Workload, within_s: float = math.inf) -> float:
    """How many requests of an iteration are due before its load is over, at most; or infinity.

    Args:
        workload: The workload.
        within_s: Count those alone that are due so soon after the load's beginning.
    """
    if workload.stages:
        mean = sum(slope.requests for slope in _begin_of(slopes_of(workload), within_s))
    elif workload.duration and workload.qps:
        mean = workload.qps * min(workload.duration, within_s)
    else:
        return math.inf
    if workload.arrival == POISSON:
        return math.ceil(mean + _LIKELY * math.sqrt(mean))
    if workload.stages:
        return math.floor(mean + _ROUNDING)
    # The burst at once, then one each 1/qps seconds, the last before the end.
    return workload.bucket_depth + math.ceil(mean - _ROUNDING) - 1


def _begin_of(slopes: Iterable[Slope], within_s: float) -> Iterator[Slope]:
    """What comes of a rate in its first so many seconds."""
    for duration_s, from_qps, to_qps in slopes:
        if within_s < duration_s:
            reached_qps = from_qps + (to_qps - from_qps) * within_s / duration_s
            yield Slope(within_s, from_qps, reached_qps)
            return
        yield Slope(duration_s, from_qps, to_qps)
        within_s -= duration_s


def mean_rate(workload: Workload, objects: int) -> float | None:
    """What an iteration of so many objects is to come to, a second; None without a rate."""
    if workload.stages:
        seconds = sum(stage.duration for stage in workload.stages)
        return sum(slope.requests for slope in slopes_of(workload)) / seconds
    if workload.spread:
        return objects / workload.spread or None  # of operations, nobody knows how many yet
    return workload.qps or None


def is_steady(workload: Workload) -> bool:
    """Whether its requests are due evenly at one rate, after a burst."""
    return not (workload.stages or workload.spread or workload.arrival == POISSON)


def describe_shape(workload: Workload) -> str:
    """How the load changes over time, in a few words; empty for one at a single rate."""
    parts = []
    if workload.stages:
        first = workload.stages[0]
        if not first.step:
            parts.append(f"from {workload.qps:g}/s")
        for stage in workload.stages:
            time = format_duration(stage.duration)
            parts.append(
                f"at {stage.qps:g}/s for {time}" if stage.step else f"to {stage.qps:g}/s in {time}"
            )
    elif workload.qps and (workload.duration or workload.arrival == POISSON):
        parts.append(f"{workload.qps:g}/s")
    if workload.spread:
        parts.append(f"spread over {format_duration(workload.spread)}")
    if workload.arrival == POISSON:
        parts.append("Poisson arrivals")
    if workload.duration:
        parts.append(f"for {format_duration(workload.duration)}")
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class WrittenShape:
    """Which keys of the shape a file has, where not all that it has is valid.

    A key that is there has some valid value here, so that the others can be compared with it.
    """

    operation: str
    arrival: str
    stages: tuple[Stage, ...]
    qps: float
    spread: float
    duration: float
    burst: int

    @classmethod
    def of(cls, given: Mapping[str, object]) -> WrittenShape:
        """Return the shape of a workload as it stands in a file."""
        return cls(
            operation=str(given.get("operation", CREATE.name)),
            arrival=str(given.get("arrival", CONSTANT)),
            stages=(Stage.model_construct(duration=1.0, qps=1.0),)
            if _is_set(given.get("stages"))
            else (),
            qps=float(_is_set(given.get("qps"))),
            spread=float(_is_set(given.get("spread"))),
            duration=float(_is_set(given.get("duration"))),
            burst=int(_is_set(given.get("burst"))),
        )


def _is_set(value: object) -> bool:
    return bool(value) and not (isinstance(value, str) and _NOTHING.fullmatch(value))


def shape_misfits(workload: Workload | WrittenShape) -> Iterator[tuple[str, PydanticCustomError]]:
    """Yield each key of the shape that does not go with the others, and why."""
    if workload.stages:
        yield from _misfits_of_stages(workload)
    elif workload.spread:
        yield from _misfits_of_spread(workload)
    elif not workload.qps:
        yield from _misfits_without_a_rate(workload)
    if workload.arrival == POISSON and workload.burst:
        message = "Poisson arrivals come one by one, each when it is due: remove this key"
        yield "burst", rule(message, against=(("arrival",),))


def _misfits_without_a_rate(
    workload: Workload | WrittenShape,
) -> Iterator[tuple[str, PydanticCustomError]]:
    against = (("qps",),)
    if workload.duration and workload.operation == CREATE.name:
        message = "without a rate nothing says how much is due by then: write qps or stages"
        yield "duration", rule(message, against=against)
    if workload.arrival == POISSON:
        message = "Poisson arrivals have a mean rate: write qps, stages or spread"
        yield "arrival", rule(message, against=against)


def _misfits_of_stages(
    workload: Workload | WrittenShape,
) -> Iterator[tuple[str, PydanticCustomError]]:
    against = (("stages",),)
    if not any(slope.requests for slope in slopes_of(workload)):
        yield "stages", rule("no stage has a rate, so nothing would be due: write qps in one")
    if workload.spread:
        yield "spread", rule("the stages say the rate: remove this key, or them", against=against)
    if workload.duration:
        message = "the load ends with its last stage: remove this key, or add a stage"
        yield "duration", rule(message, against=against)
    if workload.burst and workload.arrival != POISSON:
        message = "the stages say when each object is due: remove this key"
        yield "burst", rule(message, against=against)


def _misfits_of_spread(
    workload: Workload | WrittenShape,
) -> Iterator[tuple[str, PydanticCustomError]]:
    against = (("spread",),)
    if workload.qps:
        message = "spread and the number of objects give the rate: remove one of the two keys"
        yield "qps", rule(message, against=against)
    if workload.burst and workload.arrival != POISSON:
        message = "spread leaves the objects evenly spaced: remove this key"
        yield "burst", rule(message, against=against)
    if workload.duration:
        message = "spread says how long the load takes: remove one of the two keys"
        yield "duration", rule(message, against=against)


def hidden_shape_misfits(
    given: Mapping[str, object], found: Iterable[InitErrorDetails]
) -> Iterator[InitErrorDetails]:
    """Yield what is wrong with the shape of a load of which a value is wrong too.

    Of such a workload no model is made, which could look at its keys together.
    """
    reported = {each.get("loc") for each in found}
    spelled = {to_snake(key): value for key, value in given.items()}
    for key, error in shape_misfits(WrittenShape.of(spelled)):
        if (key,) not in reported:
            yield detail(error, (key,), spelled.get(key))

"""Churn: objects that are deleted and created anew, round by round, when all of them are there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from perfscale.config.durations import format_duration
from perfscale.config.sections.fields import (
    MAX_COUNT,
    Duration,
    MaybeCount,
    Timeout,
    choice,
    key_error,
    rule,
)
from perfscale.config.sections.operating.targets import Share
from perfscale.config.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import PydanticCustomError

    from perfscale.config.reading.source import KeyPath
    from perfscale.config.sections.workload import Workload

OBJECTS: Final = "objects"
NAMESPACES: Final = "namespaces"
_ROUNDING: Final = 1e-9
"""A share of a number misses the whole number that it stands for by less than this."""


class Churn(Section):
    """How much is replaced in each round, how often, and for how long."""

    called: ClassVar[str] = "a mapping (share or count, interval, duration or rounds, of)"

    share: Share | None = Field(
        default=None, description="How many of them each round replaces, drawn at random: 10%."
    )
    count: MaybeCount = Field(
        default=None, description="How many of them each round replaces, drawn at random."
    )
    interval: Duration = Field(
        default=0.0, description="Pause between one round and the next, as in 30s."
    )
    recreation_delay: Duration = Field(
        default=0.0,
        description="Pause between what a round deletes being gone and its creation, as in 5s.",
    )
    duration: Timeout | None = Field(
        default=None,
        description="Begin no round after this time; the last one is completed. With rounds: "
        "whichever ends first.",
    )
    rounds: MaybeCount = Field(default=None, description="How many rounds there are.")
    of: Annotated[str, *choice(OBJECTS, NAMESPACES)] = Field(
        default=OBJECTS,
        description=(
            "objects: the replicas of the templates. namespaces: whole iterations, each with its "
            "namespace; needs namespacedIterations. With everyIterations, those that share objects "
            "are replaced together."
        ),
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if self.share is not None and self.count is not None:
            raise key_error("count", "share and this key both say how many: remove one of them")
        if self.share is None and self.count is None:
            raise key_error("share", "nothing says how many to replace: write this key, or count")
        if self.duration is None and self.rounds is None:
            raise key_error(
                "rounds", "nothing says when it ends: write this key, or duration, as in 10m"
            )
        return self

    @property
    def replaces_objects(self) -> bool:
        """Whether it is objects that it replaces, and not whole iterations."""
        return self.of == OBJECTS

    def replaced_of(self, total: int) -> int:
        """Return how many of so many a round replaces: of a share, rounded up."""
        if self.share is not None:
            return math.ceil(self.share * total - _ROUNDING)
        return min(self.count or 0, total)

    def last_iteration(self, count: int) -> int:
        """Return the highest number of an iteration, where there are ``count`` before churn."""
        if self.replaces_objects:
            return count
        return count + (self.replaced_of(count) * self.rounds if self.rounds else MAX_COUNT)


def describe_churn(workload: Workload) -> str:
    """Return what churn replaces, in a few words; empty without any."""
    churn = workload.churn
    if churn is None:
        return ""
    many = str(churn.count) if churn.share is None else f"{churn.share * 100:.6g}%"
    what = "objects" if churn.replaces_objects else "iterations"
    pause = f" {format_duration(churn.interval)} apart" if churn.interval else ""
    time = f" for {format_duration(churn.duration)}" if churn.duration is not None else ""
    rounds = f"rounds{pause}{time}"
    if churn.rounds is not None:
        most = "at most " if time else ""
        rounds = f"{most}{churn.rounds} {rounds}" if churn.rounds > 1 else "1 round"
    return f"then {many} of the {what} replaced in {rounds}"


def churn_misfits(workload: Workload) -> Iterator[tuple[KeyPath, PydanticCustomError]]:
    """Yield each key that does not go with the workload's churn, and why."""
    churn = workload.churn
    if churn is None:
        return
    if not workload.waits_for_creation:
        message = (
            "churn begins when the objects are ready, so they have to be waited for: set "
            "iterationCreationWait to true"
        )
        yield ("churn",), rule(message, against=(("iterationCreationWait",),))
    if churn.replaces_objects:
        yield from _misfits_of_objects(workload)
    else:
        yield from _misfits_of_namespaces(workload)


def _misfits_of_objects(workload: Workload) -> Iterator[tuple[KeyPath, PydanticCustomError]]:
    against: tuple[KeyPath, ...] = (("churn",),)
    if workload.iteration_cleanup and workload.iteration_count > 1:
        message = (
            "all iterations but the last would be deleted before churn begins: remove this key, "
            "or have one iteration"
        )
        yield ("iterationCleanup",), rule(message, against=against)
    if workload.objects and not any(spec.is_churned for spec in workload.objects):
        message = "objects with once, or churn: false, are left alone, and there are no others"
        yield ("churn",), rule(message, against=(("objects",),))


def _misfits_of_namespaces(workload: Workload) -> Iterator[tuple[KeyPath, PydanticCustomError]]:
    against: tuple[KeyPath, ...] = (("churn", "of"),)
    if not workload.namespaced_iterations:
        message = (
            "the iterations share a namespace, which cannot be replaced: set "
            "namespacedIterations to true, or write objects"
        )
        yield ("churn", "of"), rule(message, against=(("namespacedIterations",),))
    if workload.iterations_per_namespace > 1:
        message = "of: namespaces replaces an iteration with its namespace: remove this key"
        yield ("iterationsPerNamespace",), rule(message, against=against)
    if workload.iteration_cleanup:
        message = (
            "the iterations would be deleted before churn begins: remove this key, or have "
            "churn of objects"
        )
        yield ("iterationCleanup",), rule(message, against=against)
    together = math.lcm(*(spec.every_iterations for spec in workload.objects))
    for index, spec in enumerate(workload.objects):
        if spec.once and workload.iteration_count <= together:
            message = "the iteration with it is left alone, and there is no other: remove it"
            yield ("objects", index, "once"), rule(message, against=against)

"""Hooks: commands that run at certain moments of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from perfscale.config.sections.fields import (
    Flag,
    Text,
    Timeout,
    choice,
    key_error,
    list_of,
    rule,
)
from perfscale.config.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import PydanticCustomError

    from perfscale.config.reading.source import KeyPath
    from perfscale.config.sections.workload import Workload

BEFORE_RUN: Final = "beforeRun"
BEFORE_WORKLOAD: Final = "beforeWorkload"
BEFORE_ITERATION: Final = "beforeIteration"
AFTER_CREATION: Final = "afterCreation"
AFTER_READY: Final = "afterReady"
BEFORE_CLEANUP: Final = "beforeCleanup"
AFTER_ITERATION: Final = "afterIteration"
AFTER_WORKLOAD: Final = "afterWorkload"
AFTER_RUN: Final = "afterRun"
MOMENTS: Final = (
    BEFORE_RUN,
    BEFORE_WORKLOAD,
    BEFORE_ITERATION,
    AFTER_CREATION,
    AFTER_READY,
    BEFORE_CLEANUP,
    AFTER_ITERATION,
    AFTER_WORKLOAD,
    AFTER_RUN,
)
"""When a hook can run, in the order of a run."""

ABORT: Final = "abort"
WARN: Final = "warn"
_TIMEOUT_S: Final = 60.0


class Hook(Section):
    """A command, and when it runs."""

    called: ClassVar[str] = "a mapping (when, run, timeout, onFailure, background)"

    when: Annotated[str, *choice(*MOMENTS)] = Field(
        description="The moment; those of a workload or an iteration come in each of them."
    )
    run: Annotated[tuple[Text, ...], list_of("texts: a command and its arguments")] = Field(
        json_schema_extra={"minItems": 1},
        description="The command and its arguments. There is no shell between.",
    )
    timeout: Timeout | None = Field(
        default=None,
        description="Longest time that it may take, as in 5m; without it 1m. Not of background.",
    )
    on_failure: Annotated[str, *choice(ABORT, WARN)] = Field(
        default=ABORT,
        description=(
            "When it cannot be run, ends with another exit code than 0 or takes too long. abort: "
            "the run ends, and everything of it is deleted. warn: it goes on."
        ),
    )
    background: Flag = Field(
        default=False, description="Do not wait for it; it is ended with the run."
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if self.background and self.timeout is not None:
            raise key_error("timeout", "in the background it is ended with the run: remove it")
        if self.background and self.when == AFTER_RUN:
            raise key_error("background", "it would be ended at once: remove this key")
        return self

    @property
    def timeout_s(self) -> float | None:
        """Longest time that it may take; None for all of the run."""
        if self.background:
            return None
        return _TIMEOUT_S if self.timeout is None else self.timeout


Hooks: TypeAlias = Annotated[
    tuple[Hook, ...],
    list_of("hooks", may_be_empty=True),
    BeforeValidator(lambda value: () if value is None else value),
]


def hook_misfits(workload: Workload) -> Iterator[tuple[KeyPath, PydanticCustomError]]:
    """Yield each moment that a workload with hooks of its own does not come to, and why."""
    for index, hook in enumerate(workload.hooks):
        if why := _never(workload, hook.when):
            yield ("hooks", index, "when"), rule(f"this moment does not come: {why}")


def _never(workload: Workload, when: str) -> str | None:
    if when in {BEFORE_RUN, AFTER_RUN}:
        return "it is the run's, so write the hook into globalConfig.hooks"
    if when in {AFTER_CREATION, AFTER_READY, BEFORE_CLEANUP} and not workload.does.creates:
        return f"{workload.operation} creates nothing; write afterIteration"
    if when == AFTER_READY and not workload.waits_for_creation:
        return "nothing is waited for; set iterationCreationWait to true"
    cleans_up = workload.iteration_cleanup or workload.workload_cleanup
    if when == BEFORE_CLEANUP and not cleans_up:
        return "nothing is deleted; set iterationCleanup to true"
    return None

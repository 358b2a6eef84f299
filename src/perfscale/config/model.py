"""The workload file as frozen, validated models.

Its sections are in `perfscale.config.sections`, each with all its rules, so a
configuration that a program builds with ``Config.model_validate`` keeps the same ones
as one that was loaded. The keys' descriptions end up in the JSON Schema, where editors
show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from perfscale.config.reading.source import KeyPath, Position, Source, dotted
from perfscale.config.sections.fields import (
    detail,
    details_of,
    empty_is_default,
    list_of,
    rule,
    show,
)
from perfscale.config.sections.limits import GlobalConfig
from perfscale.config.sections.operating.targets import misplaced_targets
from perfscale.config.sections.section import Section
from perfscale.config.sections.workload import Workload

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from perfscale.errors import Problem


class Config(Section):
    """A workload file: what to create, how fast, and what to wait for.

    ``Config.model_validate({...})`` builds one in a program, with the file's keys or
    with Python's names; `pydantic.ValidationError` then says what is wrong.
    """

    called: ClassVar[str] = "a mapping with the key workloads"

    global_config: Annotated[GlobalConfig, BeforeValidator(empty_is_default)] = Field(
        default_factory=GlobalConfig, description="Limits that hold for the run as a whole."
    )
    workloads: Annotated[tuple[Workload, ...], list_of("workloads")] = Field(
        json_schema_extra={"minItems": 1},
        description="What to run, one after the other; at least one.",
    )

    _source: Source = PrivateAttr(default_factory=Source)

    def model_post_init(self, context: object, /) -> None:
        """Keep the source that the validation was given as its context."""
        if isinstance(context, Source):
            self._source = context

    @field_validator("workloads", mode="wrap")
    @classmethod
    def _names_fit(cls, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        # Checks what was given, because a validator that checked what came out
        # would not be asked while anything else is wrong.
        listed = value if isinstance(value, list | tuple) else ()
        wrong = [*_repeated_names(listed), *misplaced_targets(listed)]
        try:
            workloads: object = handler(value)
        except ValidationError as error:
            if not wrong:
                raise
            raise ValidationError.from_exception_data(
                cls.__name__, [*details_of(error), *wrong]
            ) from error
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return workloads

    @field_validator("workloads")
    @classmethod
    def _something_ends(cls, workloads: tuple[Workload, ...]) -> tuple[Workload, ...]:
        if all(each.is_endless for each in workloads):
            message = "each of them goes on until no other is left: write a duration in one"
            error = detail(rule(message, against=(("background",),)), (0, "background"), True)
            raise ValidationError.from_exception_data(cls.__name__, [error])
        return workloads

    @field_validator("workloads")
    @classmethod
    def _until_comes_later(cls, workloads: tuple[Workload, ...]) -> tuple[Workload, ...]:
        wrong = [
            detail(
                rule(f"{show(each.until)} is no workload after this one"),
                (index, "until"),
                each.until,
            )
            for index, each in enumerate(workloads)
            if each.until is not None
            and each.until not in {later.name for later in workloads[index + 1 :]}
        ]
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, wrong)
        return workloads

    @property
    def source(self) -> Source:
        """Where it came from."""
        return self._source

    def locate(self, *path: str | int) -> Position | None:
        """Return where a value stands, or what encloses it; None if no file was read.

        Args:
            path: The file's keys and indexes: ``"workloads", 0, "objects", 1``.
        """
        return self._source.locate(path)

    def place(self, *path: str | int) -> str:
        """Return what the file's author calls the value at ``path``."""
        return dotted(self._source.written(path)) or ""

    def problem(self, path: KeyPath, message: str) -> Problem:
        """Return a problem with the value at ``path`` (see `locate`), placed where it stands."""
        return self._source.problem(path, message)


def _repeated_names(workloads: Iterable[object]) -> Iterator[InitErrorDetails]:
    """Yield an error for each workload that has the name of one before it."""
    first: dict[str, int] = {}
    for index, workload in enumerate(workloads):
        if isinstance(workload, Workload):
            name: object = workload.name
        else:
            name = workload.get("name") if isinstance(workload, Mapping) else None
        if not isinstance(name, str):
            continue
        if first.setdefault(name, index) != index:
            before = ("workloads", first[name], "name")
            message = f"{show(name)} is the name of workloads[{first[name]}] too: each has its own"
            yield detail(rule(message, against=(before,)), (index, "name"), name)

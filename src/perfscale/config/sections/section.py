"""What the models of all files have in common: frozen, and with no keys but their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from perfscale.config.sections.fields import refusal


class Section(BaseModel):
    """A mapping of the workload file.

    Attributes:
        called: What a message calls it.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
    )
    called: ClassVar[str] = "a mapping"

    @model_validator(mode="before")
    @classmethod
    def _is_a_mapping(cls, value: object) -> object:
        if isinstance(value, cls | Mapping):
            return value
        raise refusal("mapping", cls.called, value)

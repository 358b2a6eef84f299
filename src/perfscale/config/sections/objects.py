"""What is created in each iteration: templates, and how many objects of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from perfscale.config.sections.fields import Count, Text, empty_is_default
from perfscale.config.sections.section import Section
from perfscale.config.sections.variables import RESERVED, check_variables, variables_schema


class ObjectSpec(Section):
    """A template, and how many objects to make of it in each iteration."""

    called: ClassVar[str] = "a mapping (templateFile, replicas, inputVars)"

    template_file: Text = Field(
        description=(
            "Template of the object: a path relative to this file, or the name of a template "
            "that comes with the program, as in templates/vmi-ephemeral.yaml."
        ),
    )
    replicas: Count = Field(
        default=1,
        description="Number of objects of this template in each iteration; numbered from 1.",
    )
    input_vars: Annotated[
        Mapping[str, Any],
        BeforeValidator(check_variables),
        BeforeValidator(empty_is_default),
        WithJsonSchema(variables_schema()),
    ] = Field(
        default_factory=dict,
        description=(
            "Variables for the template, of any name but "
            f"{', '.join(RESERVED)}. namespace is the prefix of the namespace. Versions and "
            "other text that looks like a number need quotes."
        ),
    )

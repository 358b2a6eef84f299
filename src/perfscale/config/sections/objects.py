"""What is created in each iteration: templates, and how many objects of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from perfscale.config.sections.fields import Count, Flag, Text, empty_is_default, rule
from perfscale.config.sections.kube_burner import KubeBurnerObject
from perfscale.config.sections.readiness import WaitForAll
from perfscale.config.sections.section import Section
from perfscale.config.sections.variables import RESERVED, check_variables, variables_schema


def _variables(value: object, info: ValidationInfo) -> dict[str, Any]:
    """Check them; no name is taken in a job of kube-burner, whose variables they stand before."""
    return check_variables(value, any_name=info.data.get("kube_burner") is not None)


class ObjectSpec(Section):
    """A template, and how many objects to make of it in each iteration."""

    called: ClassVar[str] = "a mapping (templateFile, replicas, once, inputVars, ...)"

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
    once: Flag = Field(default=False, description="Create the objects only in the first iteration.")
    every_iterations: Count = Field(
        default=1,
        description=(
            "Create the objects only in the first of so many iterations: with 3, in the 1st, the "
            "4th, the 7th."
        ),
    )
    ready_when: WaitForAll | None = Field(
        default=None,
        description=(
            "When an object is ready, in the place of what its kind is known for: a form of "
            "kubectl wait --for, as in condition=Ready or jsonpath={.status.phase}=Bound, or a "
            "list, of which everything has to be so."
        ),
    )
    failed_when: WaitForAll | None = Field(
        default=None,
        description=(
            "When an object will never be ready, in the place of what its kind is known for: as "
            "readyWhen, but of a list one is enough."
        ),
    )
    churn: Flag = Field(
        default=True, description="false: churn leaves the objects alone, as those with once."
    )
    kube_burner: KubeBurnerObject | None = Field(
        default=None, description="In a job of kube-burner: where the entry stands in it."
    )
    input_vars: Annotated[
        Mapping[str, Any],
        BeforeValidator(_variables),
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

    @field_validator("every_iterations")
    @classmethod
    def _is_not_once(cls, every: int, info: ValidationInfo) -> int:
        if every > 1 and info.data.get("once"):
            raise rule("once is only in the first iteration: remove one of the two keys")
        return every

    @property
    def is_churned(self) -> bool:
        """Whether churn of objects may replace them."""
        return self.churn and not self.once

    def iterations_of(self, count: int) -> range:
        """Which of so many iterations have these objects; they are counted from 1."""
        return range(1, 2 if self.once else count + 1, self.every_iterations)

    def comes_in(self, iteration: int) -> bool:
        """Whether an iteration has them, which is counted from 1."""
        return iteration in self.iterations_of(iteration)

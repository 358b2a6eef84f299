"""What a workload's operations are done to, and what a patch is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_snake

from perfscale.config.operations import CREATE, OPERATIONS
from perfscale.config.sections.fields import (
    Count,
    Flag,
    Text,
    choice,
    detail,
    empty_is_default,
    refusal,
    rule,
    show,
)
from perfscale.config.sections.section import Section
from perfscale.config.sections.variables import check_variables, variables_schema

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

_SHARE: Final = r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$"
_KEY: Final = r"([A-Za-z0-9]([-.\w]*[A-Za-z0-9])?/)?[A-Za-z0-9]([-.\w]*[A-Za-z0-9])?"
_VALUE: Final = r"([A-Za-z0-9]([-.\w]*[A-Za-z0-9])?)?"
_REQUIREMENT: Final = (
    rf"\s*(!\s*{_KEY}|{_KEY}(\s*(==?|!=)\s*{_VALUE}|\s*[<>]\s*[0-9]+"
    rf"|\s+(in|notin)\s*\(\s*{_VALUE}(\s*,\s*{_VALUE})*\s*\))?)\s*"
)
_SELECTOR: Final = re.compile(rf"{_REQUIREMENT}(,{_REQUIREMENT})*", re.ASCII)
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"""

_OF_FOREIGN: Final = ("apiVersion", "namespace", "labelSelector")


def _share(value: object) -> float:
    if isinstance(value, str) and re.fullmatch(_SHARE, value) and (share := float(value[:-1])):
        return share / 100
    raise rule(f"{show(value)} is no share: write more than 0% and 100% at the most, as in 10%")


def _selector(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refusal("text", "a label selector, as in tier=web,env in (a, b)", value)
    if not _SELECTOR.fullmatch(value):
        raise rule(f"{show(value)} is no label selector: write it as in tier=web,env in (a, b)")
    return value


Share = Annotated[
    float,
    BeforeValidator(_share),
    PlainSerializer(lambda share: f"{share * 100:.6g}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": _SHARE}),
]
"""A share of something, written as a percentage; kept as a number up to 1."""

Selector = Annotated[
    str, BeforeValidator(_selector), WithJsonSchema({"type": "string", "minLength": 1})
]


def _refuse(key: str, message: str) -> ValidationError:
    return ValidationError.from_exception_data("targets", [detail(rule(message), (key,), None)])


class Targets(Section):
    """Objects that an earlier workload of the run made, or objects that the run did not make."""

    called: ClassVar[str] = "a mapping (workload, or kind and apiVersion; share, count)"

    workload: Text | None = Field(
        default=None, description="An earlier workload of this file, whose objects are meant."
    )
    kind: Text | None = Field(
        default=None,
        description="Their kind; with workload it is needed where that made several that fit.",
    )
    api_version: Text | None = Field(
        default=None, description="With kind, of objects that the run did not make."
    )
    namespace: Text | None = Field(
        default=None, description="Where they are; without it, every namespace."
    )
    label_selector: Selector | None = Field(
        default=None, description="Which of them, as kubectl takes it: tier=web,env in (a, b)."
    )
    of_run: Flag = Field(
        default=False,
        description="With kind: only those that carry the run's label, whoever made them.",
    )
    optional: Flag = Field(default=False, description="That there are none is no error.")
    share: Share | None = Field(
        default=None, description="How many of them, drawn at random, as in 10%."
    )
    count: Count | None = Field(default=None, description="How many of them, drawn at random.")

    @property
    def described(self) -> str:
        """Which objects are meant, for a person: ``Pod with tier=web in namespace shop``."""
        parts = [
            self.kind or "any object",
            self.workload and f"of workload {self.workload}",
            self.label_selector and f"with {self.label_selector}",
            self.namespace and f"in namespace {self.namespace}",
            self.of_run and "of this run",
        ]
        return " ".join(part for part in parts if part)

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        foreign = {
            "apiVersion": self.api_version,
            "namespace": self.namespace,
            "labelSelector": self.label_selector,
        }
        if self.workload is not None:
            for key in _OF_FOREIGN:
                if foreign[key] is not None:
                    message = (
                        "objects of a workload are found without this key: remove it, or remove "
                        "workload"
                    )
                    raise _refuse(key, message)
            if self.of_run:
                raise _refuse("ofRun", "objects of a workload are the run's: remove this key")
        elif self.kind is None:
            raise _refuse("kind", "this key is needed, or workload: the name of an earlier one")
        elif self.api_version is None:
            raise _refuse("apiVersion", "this key is needed with kind, as in kubevirt.io/v1")
        if self.share is not None and self.count is not None:
            raise _refuse("count", "share and this key both say how many: remove one of them")
        return self


class Patch(Section):
    """The change that a patch makes."""

    called: ClassVar[str] = "a mapping (type, templateFile, inputVars)"

    type: Annotated[str, *choice("merge", "json", "strategic", "apply")] = Field(
        default="merge",
        description=(
            "merge (RFC 7386), json (RFC 6902: a list of steps), strategic (not for custom "
            "resources), or apply (server-side)."
        ),
    )
    template_file: Text = Field(
        description=(
            "Template of the patch, in YAML: its path relative to this file. It has the "
            "variables target.name, .namespace, .uid, .labels and .index too."
        ),
    )
    input_vars: Annotated[
        Mapping[str, Any],
        BeforeValidator(check_variables),
        BeforeValidator(empty_is_default),
        WithJsonSchema(variables_schema()),
    ] = Field(default_factory=dict, description="Variables for the template.")


def misplaced_targets(workloads: Iterable[object]) -> Iterator[InitErrorDetails]:
    """Yield an error for each target's workload that comes later, or makes nothing that stays.

    It is given what stands in the file, since a validator of what came out would not be called
    while anything else is wrong.
    """
    listed = list(workloads)
    names = [_given(workload, "name", "name") for workload in listed]
    before: dict[str, object] = {}
    for index, workload in enumerate(listed):
        targets = _given(workload, "targets", "targets")
        name = _given(targets, "workload", "workload")
        if isinstance(name, str) and (message := _why_no_target(name, before, names[index:])):
            yield detail(rule(message), (index, "targets", "workload"), name)
        own = names[index]
        if isinstance(own, str):
            before.setdefault(own, workload)


def _why_no_target(
    name: str, before: Mapping[str, object], from_here: Sequence[object]
) -> str | None:
    if name not in before:
        earlier = [each for each, workload in before.items() if _makes_objects(workload)]
        known = f"write one of {', '.join(earlier)}" if earlier else "no earlier one makes objects"
        if name == from_here[0]:
            return f"a workload's targets are what an earlier one made: {known}"
        where = "comes after this workload" if name in from_here else "is no workload of this file"
        return f"{show(name)} {where}: {known}"
    workload = before[name]
    if not _makes_objects(workload):
        operation = _given(workload, "operation", "operation")
        return f"{name} makes no objects, since its operation is {operation}"
    for key in ("iterationCleanup", "workloadCleanup"):
        if _given(workload, key, to_snake(key)) is True:
            return f"{name} deletes its objects at its end: remove {key} there"
    return None


def _makes_objects(workload: object) -> bool:
    """Whether it does, as far as its operation is known."""
    operation = OPERATIONS.get(str(_given(workload, "operation", "operation") or CREATE.name))
    return operation is None or operation.creates


def _given(section: object, key: str, name: str) -> object:
    """What a section, built or as it stands in a file, has under a key."""
    if isinstance(section, Mapping):
        return section.get(key, section.get(name))
    return getattr(section, name, None)

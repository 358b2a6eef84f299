"""Files of the second generation of KubeVirt's perfscale-load-generator.

Such a file is one flat workload: so many objects of one template, and either a wait for them
(``burst``), or some of them replaced over and over (``steady-state``):
https://github.com/kubevirt/kubevirt/tree/main/tools/perfscale-load-generator
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from perfscale.config import counted, format_duration
from perfscale.config.load import validated
from perfscale.config.reading.document import Document
from perfscale.config.sections.fields import (
    Count,
    Duration,
    Label,
    MaybeCount,
    Text,
    choice,
    empty_is_default,
    key_error,
)
from perfscale.config.sections.section import Section
from perfscale.config.sections.variables import check_variables

if TYPE_CHECKING:
    from perfscale.config.reading.source import KeyPath

BURST: Final = "burst"
STEADY_STATE: Final = "steady-state"
_KEYS: Final = frozenset({"type", "timeout", "count", "churn", "minChurnSleep", "object"})
_FEW: Final = 2
"""A file with so many of its keys at the top is meant to be one: a single key may be a slip."""

_TIMEOUT_S: Final = 300.0
_LEAST_TIMEOUT_S: Final = 30.0
"""The Go program took a timeout up to this one for none, and its default instead."""
_LEAST_SLEEP_S: Final = 1e-6
_SLEEP_S: Final = 20.0

_WORKLOAD: Final = ("workloads", 0)
_OBJECT: Final = (*_WORKLOAD, "objects", 0)
_PLACES: Final[Mapping[KeyPath, tuple[KeyPath, ...]]] = {
    (): ((), _WORKLOAD[:1], _WORKLOAD),
    ("name",): ((*_WORKLOAD, "name"),),
    ("timeout",): ((*_WORKLOAD, "maxWaitTimeout"), (*_WORKLOAD, "churn", "duration")),
    ("count",): ((*_OBJECT, "replicas"),),
    ("churn",): ((*_WORKLOAD, "churn"), (*_WORKLOAD, "churn", "count")),
    ("minChurnSleep",): ((*_WORKLOAD, "churn", "interval"),),
    ("object",): (_OBJECT[:-1], _OBJECT),
}
"""Where each of its keys ends up, so that what is found there is reported at the key's line."""


class _Template(Section):
    called: ClassVar[str] = "a mapping (templateFile, inputVars)"

    template_file: Text
    input_vars: Annotated[
        Mapping[str, Any], BeforeValidator(check_variables), BeforeValidator(empty_is_default)
    ] = Field(default_factory=dict)


class _FlatWorkload(Section):
    """A file of this form, in its own words."""

    called: ClassVar[str] = "a mapping (name, type, timeout, count, object)"

    name: Label
    type: Annotated[str, *choice(BURST, STEADY_STATE)] = BURST
    timeout: Duration = 0.0
    count: Count
    churn: MaybeCount = None
    min_churn_sleep: Duration = 0.0
    object: _Template

    @model_validator(mode="after")
    def _churn_fits(self) -> Self:
        if self.type != STEADY_STATE:
            return self
        if self.churn is None:
            raise key_error(
                "type", f"{STEADY_STATE} replaces so many objects at a time: write churn"
            )
        if self.churn > self.count:
            raise key_error(
                "churn", f"there are only {self.count} objects: lower it, or raise count"
            )
        return self

    @property
    def timeout_s(self) -> float:
        return self.timeout if self.timeout > _LEAST_TIMEOUT_S else _TIMEOUT_S

    @property
    def sleep_s(self) -> float:
        return self.min_churn_sleep if self.min_churn_sleep >= _LEAST_SLEEP_S else _SLEEP_S


def is_second_generation(tree: object) -> bool:
    """Whether the content of a file is meant to be of this form."""
    if not isinstance(tree, Mapping) or "workloads" in tree:
        return False
    return len(_KEYS.intersection(tree)) >= _FEW


def translated(document: Document) -> Document:
    """Return a file of this form as one of ours, whose values stand where its own do.

    Raises:
        ConfigError: Everything that is wrong in it, in the order of the file.
    """
    flat = validated(document, _FlatWorkload)
    return Document(
        document.name,
        document.directory,
        document.wanted,
        {"workloads": [_workload_of(flat, document.tree["object"])]},
        _moved(document.values),
        _moved(document.keys),
        reading=_describe(flat),
    )


def _workload_of(flat: _FlatWorkload, template: Mapping[str, Any]) -> dict[str, Any]:
    timeout = format_duration(flat.timeout_s)
    workload: dict[str, Any] = {
        "name": flat.name,
        "iterationCreationWait": True,
        "maxWaitTimeout": timeout,
        "numberedNamespaces": False,
        "objects": [{**template, "replicas": flat.count}],
    }
    if flat.type == STEADY_STATE:
        churn = {"count": flat.churn, "interval": format_duration(flat.sleep_s)}
        workload["churn"] = {**churn, "duration": timeout}
        workload |= {"iterationCleanup": True, "iterationDeletionWait": True}
    return workload


def _moved(places: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
    """Return what is known of each value or key, by where that is in a file of ours."""
    moved: dict[KeyPath, Any] = {}
    for path, known in places.items():
        if path[:1] == ("object",) and len(path) > 1:
            moved[*_OBJECT, *path[1:]] = known
        for place in _PLACES.get(path, ()):
            moved[place] = known
    return moved


def _describe(flat: _FlatWorkload) -> str:
    timeout = format_duration(flat.timeout_s)
    what = f"the old tool's second generation, {flat.type}: {counted(flat.count, 'object')}"
    if flat.type == BURST:
        return f"{what}, waited for {timeout} at most"
    sleep = format_duration(flat.sleep_s)
    return f"{what}, {flat.churn} of them replaced every {sleep} for {timeout}, then all deleted"

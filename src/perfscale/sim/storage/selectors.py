"""Label and field selectors, parsed once and matched against stored objects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from perfscale.sim.storage import refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.sim.storage.records import JSON, Record

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
_REQUIREMENT: Final = re.compile(
    r"""\s*(?:
        (?P<absent>!)\s*(?P<absent_key>[^\s=!,()]+)
      | (?P<key>[^\s=!,()]+)\s*(?:
            (?P<equality>==|=|!=)\s*(?P<value>[^\s=!,()]*)
          | (?P<set>(?:not)?in)\s*\((?P<values>[^()]*)\)
          | (?P<present>)
        )
    )\s*(?:,|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a label selector."""

    key: str
    operator: Literal["in", "notin", "exists", "absent"]
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; a label that is missing is also not in any set."""
        if self.operator == "in":
            return labels.get(self.key) in self.values
        if self.operator == "notin":
            return labels.get(self.key) not in self.values
        return (self.key in labels) == (self.operator == "exists")


@dataclass(frozen=True, slots=True)
class Field:
    """One term of a field selector: a path such as ``status.phase``, and its value."""

    path: str
    value: str
    equal: bool

    def matches(self, record: Record) -> bool:
        """Whether the object meets it; only names are known without reading the object."""
        if self.path == "metadata.name":
            actual = record.name
        elif self.path == "metadata.namespace":
            actual = record.namespace
        else:
            actual = _read(record.load(), self.path)
        return (actual == self.value) == self.equal


@dataclass(frozen=True, slots=True)
class Selector:
    """The selectors of a request: every term must hold."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Field, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether it has no terms."""
        return not self.labels and not self.fields

    def matches(self, record: Record) -> bool:
        """Whether a stored object meets every term."""
        labels = record.labels or {}
        return all(each.matches(labels) for each in self.labels) and all(
            each.matches(record) for each in self.fields
        )


EVERYTHING: Final = Selector()

# What each kind can be selected by, besides its names: the API server's own lists.
_SELECTABLE: Final[Mapping[str, frozenset[str]]] = {
    "pods": frozenset({"status.phase", "spec.nodeName", "spec.restartPolicy", "status.podIP"}),
    "nodes": frozenset({"spec.unschedulable"}),
    "namespaces": frozenset({"status.phase"}),
    "secrets": frozenset({"type"}),
    "events": frozenset(
        {
            "reason",
            "type",
            "source",
            "reportingComponent",
            *(
                f"involvedObject.{key}"
                for key in (
                    "kind",
                    "namespace",
                    "name",
                    "uid",
                    "apiVersion",
                    "resourceVersion",
                    "fieldPath",
                )
            ),
        }
    ),
}


def parse_selector(labels: str, fields: str, plural: str) -> Selector:
    """The selector of a request; raises an `ApiError` (400) that quotes what is wrong."""
    if not labels and not fields:
        return EVERYTHING
    return Selector(parse_labels(labels), parse_fields(fields, plural))


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """The terms of a label selector: ``a=b,c!=d,e in (f,g),!h``."""
    terms: list[Requirement] = []
    position = 0
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        if found is None:
            raise refusals.bad_request(f"unable to parse requirement: {text[position:]!r}")
        terms.append(_requirement(found))
        position = found.end()
    return tuple(terms)


def _requirement(found: re.Match[str]) -> Requirement:
    if found["absent"]:
        return Requirement(found["absent_key"], "absent")
    key = found["key"]
    if found["equality"]:
        operator: Literal["in", "notin"] = "notin" if found["equality"] == "!=" else "in"
        return Requirement(key, operator, frozenset({found["value"]}))
    if found["set"]:
        values = frozenset(value.strip() for value in found["values"].split(","))
        return Requirement(key, "in" if found["set"] == "in" else "notin", values)
    return Requirement(key, "exists")


def parse_fields(text: str, plural: str) -> tuple[Field, ...]:
    """The terms of a field selector: ``metadata.name=a,status.phase!=Running``."""
    terms = []
    for term in filter(None, text.split(",")):
        path, operator, value = _split_field(term)
        allowed = _SELECTABLE.get(plural, frozenset())
        if path not in ("metadata.name", "metadata.namespace") and path not in allowed:
            raise refusals.bad_request(f'field label not supported: "{path}"')
        terms.append(Field(path, value, equal=operator != "!="))
    return tuple(terms)


def _split_field(term: str) -> tuple[str, str, str]:
    for operator in ("!=", "==", "="):
        path, found, value = term.partition(operator)
        if found:
            return path.strip(), operator, value.strip()
    raise refusals.bad_request(
        f"invalid selector: '{term}'; can't understand '{term}'",
    )


def _read(obj: JSON, path: str) -> str:
    value: object = obj
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

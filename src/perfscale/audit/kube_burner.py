"""kube-burner's metrics and alert profiles, read as profiles of ours.

A list, by itself or under ``metrics``, of ``query``, ``metricName``, ``instant`` and
``captureStart``: https://kube-burner.github.io/kube-burner/latest/observability/metrics/

A list of ``expr``, ``description`` and ``severity``:
https://kube-burner.github.io/kube-burner/latest/observability/alerting/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from perfscale.audit.alerts import PLACEHOLDER, SEVERITIES, Alert
from perfscale.audit.query import Query
from perfscale.config.load import validated
from perfscale.config.reading.document import Document
from perfscale.config.reading.source import clip
from perfscale.config.sections.fields import Flag, Text, choice, rule
from perfscale.config.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

_ELAPSED: Final = re.compile(r"\{\{-?\s*\.elapsed\s*-?\}\}")
_ACTION: Final = re.compile(r"\{\{.*?(\}\}|$)")


def _known_actions(query: str) -> str:
    other = _ACTION.search(_ELAPSED.sub("", query))
    if other:
        raise rule(f"{clip(other[0])} is not known here: of kube-burner's variables only .elapsed")
    return query


class _Entry(Section):
    called: ClassVar[str] = "a mapping (query, metricName, instant, captureStart)"

    query: Annotated[Text, AfterValidator(_known_actions)]
    metric_name: Text
    instant: Flag = False
    capture_start: Flag = False


def _known_placeholders(description: str) -> str:
    other = _ACTION.search(PLACEHOLDER.sub("", description))
    if other:
        raise rule(
            f"{clip(other[0])} is not known here: of templates only {{{{$labels.name}}}} and "
            "{{$value}}"
        )
    return description


class _AlertEntry(Section):
    called: ClassVar[str] = "a mapping (expr, description, severity)"

    expr: Annotated[Text, AfterValidator(_known_actions)]
    description: Annotated[Text, AfterValidator(_known_placeholders)]
    severity: Annotated[str, *choice(*SEVERITIES)] = "info"


class _AlertFile(Section):
    called: ClassVar[str] = "a list of alerts"

    alerts: tuple[_AlertEntry, ...]


class _File(Section):
    called: ClassVar[str] = "a list of queries"

    metrics: tuple[_Entry, ...] = Field(min_length=1)


def is_kube_burner(document: Document) -> bool:
    """Whether a document has kube-burner's form."""
    tree = document.tree
    return isinstance(tree, list) or (isinstance(tree, dict) and "metrics" in tree)


def is_alerts(document: Document) -> bool:
    """Whether a document has the form of kube-burner's alert profiles."""
    tree = document.tree
    return isinstance(tree, list) and any(
        isinstance(entry, dict) and "expr" in entry and "query" not in entry for entry in tree
    )


def read_alerts(document: Document) -> tuple[Alert, ...]:
    """The alerts of a document that has the form of kube-burner's alert profiles.

    Raises:
        ConfigError: Everything that is wrong in it.
    """
    file = validated(_under("alerts", document), _AlertFile)
    return tuple(
        Alert(_expression(entry.expr), entry.description, entry.severity) for entry in file.alerts
    )


def read_kube_burner(document: Document) -> tuple[Query, ...]:
    """The queries of a document that has kube-burner's form.

    Raises:
        ConfigError: Everything that is wrong in it.
    """
    if isinstance(document.tree, list):
        document = _under("metrics", document)
    file = validated(document, _File)
    return tuple(query for entry in file.metrics for query in _queries(entry))


def _under(name: str, document: Document) -> Document:
    """The same with its list under a key, as a model needs it, and all places kept."""
    return Document(
        document.name,
        document.directory,
        document.wanted,
        {name: document.tree},
        {(name, *path): mark for path, mark in document.values.items()},
        {(name, *path): position for path, position in document.keys.items()},
        document.problems,
    )


def _queries(entry: _Entry) -> Iterator[Query]:
    expression = _expression(entry.query)
    yield Query(entry.metric_name, expression, kind="instant" if entry.instant else "range")
    if entry.instant and entry.capture_start:
        yield Query(f"{entry.metric_name}-start", expression, at_start=True)


def _expression(query: str) -> str:
    """A query in our terms: `$` means nothing to kube-burner."""
    return _ELAPSED.sub("$duration", query.replace("$", "$$"))

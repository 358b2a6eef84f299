"""kube-burner's metrics profiles, read as profiles of ours.

A list, by itself or under ``metrics``, of ``query``, ``metricName``, ``instant`` and
``captureStart``: https://kube-burner.github.io/kube-burner/latest/observability/metrics/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from perfscale.audit.query import Query
from perfscale.config.load import validated
from perfscale.config.reading.document import Document
from perfscale.config.reading.source import clip
from perfscale.config.sections.fields import Flag, Text, rule
from perfscale.config.sections.section import Section
from perfscale.errors import ConfigError

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


class _File(Section):
    called: ClassVar[str] = "a list of queries"

    metrics: tuple[_Entry, ...] = Field(min_length=1)


def is_kube_burner(document: Document) -> bool:
    """Whether a document has kube-burner's form."""
    tree = document.tree
    return isinstance(tree, list) or (isinstance(tree, dict) and "metrics" in tree)


def refuse_alerts(document: Document) -> None:
    """Refuse a document that has the form of kube-burner's alert profiles.

    https://kube-burner.github.io/kube-burner/latest/observability/alerting/

    Raises:
        ConfigError: It has.
    """
    tree = document.tree
    entries = tree if isinstance(tree, list) else []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and "expr" in entry and "query" not in entry:
            message = (
                "this is an alert profile of kube-burner (expr, severity), and a metrics profile "
                "(query, metricName) is wanted: ask for what an alert is about as a query, and "
                "write its limit as a threshold"
            )
            raise ConfigError([document.source.problem((index,), message)])


def read_kube_burner(document: Document) -> tuple[Query, ...]:
    """The queries of a document that has kube-burner's form.

    Raises:
        ConfigError: Everything that is wrong in it.
    """
    if isinstance(document.tree, list):
        document = _under_metrics(document)
    file = validated(document, _File)
    return tuple(query for entry in file.metrics for query in _queries(entry))


def _under_metrics(document: Document) -> Document:
    """The same with its list under a key, as a model needs it, and all places kept."""
    return Document(
        document.name,
        document.directory,
        document.wanted,
        {"metrics": document.tree},
        {("metrics", *path): mark for path, mark in document.values.items()},
        {("metrics", *path): position for path, position in document.keys.items()},
        document.problems,
    )


def _queries(entry: _Entry) -> Iterator[Query]:
    # `$` means nothing to kube-burner.
    expression = _ELAPSED.sub("$duration", entry.query.replace("$", "$$"))
    yield Query(entry.metric_name, expression, kind="instant" if entry.instant else "range")
    if entry.instant and entry.capture_start:
        yield Query(f"{entry.metric_name}-start", expression, at_start=True)

"""kube-burner's metrics and alert profiles, read as profiles of ours.

A list, by itself or under ``metrics``, of ``query``, ``metricName``, ``instant`` and
``captureStart``: https://kube-burner.github.io/kube-burner/latest/observability/metrics/

A list of ``expr``, ``description`` and ``severity``:
https://kube-burner.github.io/kube-burner/latest/observability/alerting/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import AfterValidator

from perfscale.audit.alerts import PLACEHOLDER, SEVERITIES, Alert
from perfscale.audit.query import Query
from perfscale.config.load import validated
from perfscale.config.reading.document import Document
from perfscale.config.reading.source import clip
from perfscale.config.sections.fields import Flag, Text, choice, list_of, rule
from perfscale.config.sections.section import Section
from perfscale.errors import ConfigError, Problem, TemplateError
from perfscale.templates.gotemplate import Settings, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.config.reading.source import KeyPath

_ACTION: Final = re.compile(r"\{\{.*?(\}\}|$)")
_ELAPSED: Final = "\ue000elapsed\ue000"
"""Stands for the variable until the time of the test is known."""
_HINT: Final = ": there is .elapsed, and in a run with --allow-env what the environment has"


class _Entry(Section):
    called: ClassVar[str] = "a mapping (query, metricName, instant, captureStart)"

    query: Text
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

    expr: Text
    description: Annotated[Text, AfterValidator(_known_placeholders)]
    severity: Annotated[str, *choice(*SEVERITIES)] = "info"


class _AlertFile(Section):
    called: ClassVar[str] = "a list of alerts"

    alerts: tuple[_AlertEntry, ...]


class _File(Section):
    called: ClassVar[str] = "a list of queries"

    metrics: Annotated[tuple[_Entry, ...], list_of("queries or alerts")]


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


def read_alerts(
    document: Document, environment: Mapping[str, str] | None = None
) -> tuple[Alert, ...]:
    """The alerts of a document that has the form of kube-burner's alert profiles.

    Args:
        document: The file.
        environment: Variables that its templates see; None for none.

    Raises:
        ConfigError: Everything that is wrong in it.
    """
    document = _under("alerts", document)
    file = validated(document, _AlertFile)
    texts = [(("alerts", n, "expr"), entry.expr) for n, entry in enumerate(file.alerts)]
    expressions = _expressions(document, texts, environment)
    return tuple(
        Alert(expression, entry.description, entry.severity)
        for expression, entry in zip(expressions, file.alerts, strict=True)
    )


def read_kube_burner(
    document: Document, environment: Mapping[str, str] | None = None
) -> tuple[Query, ...]:
    """The queries of a document that has kube-burner's form; otherwise as `read_alerts`."""
    if isinstance(document.tree, list):
        document = _under("metrics", document)
    file = validated(document, _File)
    texts = [(("metrics", n, "query"), entry.query) for n, entry in enumerate(file.metrics)]
    expressions = _expressions(document, texts, environment)
    pairs = zip(expressions, file.metrics, strict=True)
    return tuple(query for expression, entry in pairs for query in _queries(expression, entry))


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


def _queries(expression: str, entry: _Entry) -> Iterator[Query]:
    yield Query(entry.metric_name, expression, kind="instant" if entry.instant else "range")
    if entry.instant and entry.capture_start:
        yield Query(f"{entry.metric_name}-start", expression, at_start=True)


def _expressions(
    document: Document,
    texts: Sequence[tuple[KeyPath, str]],
    environment: Mapping[str, str] | None,
) -> list[str]:
    """Queries in our terms, each of which is a template in Go's language there.

    Raises:
        ConfigError: Every template that is wrong, at its own place.
    """
    expressions: list[str] = []
    problems: list[Problem] = []
    for path, text in texts:
        try:
            expressions.append(_expression(text, document.name, environment))
        except TemplateError as error:
            found = dict.fromkeys(each.message for each in error.problems)
            problems += (document.source.problem(path, message) for message in found)
    if problems:
        raise ConfigError(problems)
    return expressions


def _expression(text: str, file: str, environment: Mapping[str, str] | None) -> str:
    """One query; `$` means nothing to kube-burner once it is rendered."""
    if "{{" in text:
        template = parse(text, file=file, settings=Settings("error", None, environment))
        variables = {**(environment or {}), "elapsed": _ELAPSED}
        missing = [each.name for each in template.references if each.name not in variables]
        if missing:
            message = f"the variable {', '.join(missing)} is not defined{_HINT}"
            raise TemplateError([Problem(message, file)])
        text = template.render(variables)
    return text.replace("$", "$$").replace(_ELAPSED, "${duration}")

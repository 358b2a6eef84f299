"""Rendered text as plain values, decoded as gopkg.in/yaml.v3 does into typed fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from perfscale.config.reading.document import Wanted, parse_document
from perfscale.config.reading.keys import fields_of, section_in
from perfscale.config.reading.scalars import read_plain
from perfscale.config.reading.source import SET, Mark, Position, clip
from perfscale.errors import ConfigError, Problem
from perfscale.foreign.kube_burner.models.fields import AS_WRITTEN
from perfscale.foreign.kube_burner.older import modernize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.config.reading.document import Document
    from perfscale.config.reading.source import KeyPath
    from perfscale.config.sections.section import Section
    from perfscale.foreign.kube_burner.rendering import Rendered

WANTED: Final = Wanted("configuration of kube-burner", "the key jobs")
ENDPOINTS: Final = Wanted("list of metrics endpoints", "one entry")
_ENDPOINTS_KEY: Final = "metricsEndpoints"
_FREE: Final = frozenset({"inputVars"})
_TRUE: Final = frozenset({"t", "T", "1", "true", "True", "TRUE"})
_FALSE: Final = frozenset({"f", "F", "0", "false", "False", "FALSE"})
_INDEX: Final = re.compile(r"[0-9]{1,9}")
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,400}")
"""Longer ones are beyond every field's bound, and Python refuses the longest."""


def decode(
    rendered: Rendered,
    overrides: Sequence[str],
    model: type[Section],
    endpoints: Rendered | None = None,
) -> Document:
    """Return the first YAML document of a rendered text, with ``--set`` applied.

    Keys without a value are as if they were not there, and text fields have the text of any
    scalar, so that ``false`` is a label.

    Args:
        rendered: The text.
        overrides: Of ``--set``.
        model: Of its top.
        endpoints: A list that stands in the place of its ``metricsEndpoints``.

    Raises:
        ConfigError: It is not YAML, or something cannot be set.
    """
    document = _parse(rendered, WANTED)
    if endpoints is not None:
        _replace_endpoints(document, _parse(endpoints, ENDPOINTS))
    document.problems += apply_sets(document, overrides)
    document.notes = tuple(modernize(document))
    if isinstance(document.tree, dict):
        _drop_nothing(document.tree)
        _take_texts(document, document.tree, model, ())
    return document


def _parse(rendered: Rendered, wanted: Wanted) -> Document:
    try:
        document = parse_document(rendered.file, wanted, first_alone=True)
    except ConfigError as error:
        raise ConfigError([rendered.problem(each) for each in error.problems]) from error
    rendered.place(document)
    return document


def _replace_endpoints(document: Document, endpoints: Document) -> None:
    """Put a list into the place of a configuration's own, at the lines of its own file."""
    if not isinstance(document.tree, dict):
        return
    document.tree[_ENDPOINTS_KEY] = endpoints.tree
    document.problems += endpoints.problems
    for known in (document.values, document.keys):
        for path in [path for path in known if path[:1] == (_ENDPOINTS_KEY,)]:
            del known[path]
    for path, mark in endpoints.values.items():
        document.values[_ENDPOINTS_KEY, *path] = mark
    for path, key in endpoints.keys.items():
        document.keys[_ENDPOINTS_KEY, *path] = key


def _drop_nothing(tree: Any) -> None:  # noqa: ANN401 - YAML holds anything
    """Leave out the keys of mappings that have no value: their defaults hold."""
    if isinstance(tree, dict):
        for key in [key for key, value in tree.items() if value is None]:
            del tree[key]
        for key, value in tree.items():
            if key not in _FREE:
                _drop_nothing(value)
    elif isinstance(tree, list):
        for item in tree:
            _drop_nothing(item)


def _take_texts(document: Document, tree: Any, model: type[Section], path: KeyPath) -> None:  # noqa: ANN401 - as above
    """Put the written text of scalars into fields that are texts."""
    if not isinstance(tree, dict):
        return
    for key, field in fields_of(model):
        if key not in tree:
            continue
        if AS_WRITTEN in field.metadata:
            tree[key] = _written(document, tree[key], (*path, key))
            continue
        inner = section_in(field.annotation)
        if inner is None:
            continue
        if isinstance(tree[key], list):
            for index, item in enumerate(tree[key]):
                _take_texts(document, item, inner, (*path, key, index))
        else:
            _take_texts(document, tree[key], inner, (*path, key))


def _written(document: Document, value: Any, path: KeyPath) -> Any:  # noqa: ANN401 - YAML holds anything
    if isinstance(value, Mapping):
        return {key: _written(document, each, (*path, key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_written(document, each, (*path, n)) for n, each in enumerate(value)]
    mark = document.values.get(path)
    return value if mark is None or mark.written is None else mark.written


# -- --set --------------------------------------------------------------------


def apply_sets(document: Document, overrides: Iterable[str]) -> list[Problem]:
    """Set values as that program's ``--set jobs.0.qps=5,jobs.0.burst=5`` does.

    A number walks into an element that a list has, and missing mappings are made.
    """
    problems = []
    for override in (part for each in overrides for part in each.split(",")):
        path, equals, text = override.partition("=")
        steps = [step for step in re.split(r"[.\[\]]+", path.strip()) if step]
        if not equals or not steps:
            problems.append(Problem(f"{clip(override)} sets nothing: write jobs.0.qps=5", SET))
        elif (message := _set(document, steps, text.strip())) is not None:
            problems.append(Problem(message, SET, path=path.strip()))
    return problems


def _set(document: Document, steps: Sequence[str], text: str) -> str | None:
    """Set one value; returns why that cannot be."""
    node, path = document.tree, list[str | int]()
    for depth, step in enumerate(steps):
        key: str | int = step
        if isinstance(node, list):
            if not _INDEX.fullmatch(step) or int(step) >= len(node):
                return f"the list has {len(node)} elements, from 0, and no {clip(step)}"
            key = int(step)
        elif not isinstance(node, dict):
            return f"there is no {clip(step)} in one value"
        path.append(key)
        if depth == len(steps) - 1:
            node[key] = _value(text)
        elif isinstance(node, dict) and node.get(key) is None:
            node[key] = {}
        node = node[key]
    where = tuple(path)
    for below in [known for known in document.values if known[: len(where)] == where]:
        del document.values[below]
    document.values[where] = Mark(Position(SET), text)
    document.keys[where] = Position(SET)
    return None


def _value(text: str) -> str | float | bool:
    """A whole number, else a number, else a boolean, else a text."""
    if _WHOLE.fullmatch(text):
        return int(text)
    reading = read_plain(text)
    if reading.kind == "number" and isinstance(reading.value, int | float):
        return reading.value
    if text in _TRUE | _FALSE:
        return text in _TRUE
    return text

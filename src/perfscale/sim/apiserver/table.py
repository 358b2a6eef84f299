"""The representations of objects that kubectl accepts: tables, and metadata alone."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.sim.storage.records import JSON
    from perfscale.sim.storage.resources import Column, Kind

_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[([^\]]+)\]")


def table(kind: Kind, objects: Iterable[JSON], metadata: JSON, now: datetime) -> JSON:
    """A ``meta.k8s.io/v1`` Table with a row for each object."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            _definition("Name", "string", 0, "name"),
            *map(_definition_of, kind.columns),
        ],
        "rows": [row(kind, obj, now) for obj in objects],
    }


def row(kind: Kind, obj: JSON, now: datetime) -> JSON:
    """One row: the object's cells, and its metadata beside them."""
    cells = [obj["metadata"]["name"], *(cell(obj, column, now) for column in kind.columns)]
    return {"cells": cells, "object": partial_metadata(obj)}


def partial_metadata(obj: JSON) -> JSON:
    """The object as a PartialObjectMetadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }


def _definition_of(column: Column) -> JSON:
    shown_type = "string" if column.type == "date" else column.type
    return _definition(column.name, shown_type, column.priority)


def _definition(name: str, shown_type: str, priority: int, shown_format: str = "") -> JSON:
    return {
        "name": name,
        "type": shown_type,
        "format": shown_format,
        "description": name,
        "priority": priority,
    }


def cell(obj: JSON, column: Column, now: datetime) -> object:
    """The value of a column; empty where the object does not have it."""
    value = read(obj, column.path)
    if column.of:
        return f"{value or 0}/{read(obj, column.of) or 0}"
    if column.type == "date":
        return age(value, now) if isinstance(value, str) else "<unknown>"
    if column.type == "integer":
        return value if isinstance(value, int) else None
    return "" if value is None else value


def read(obj: object, path: str) -> object:
    """The value at a path: ``.a.b``, a list's index ``[0]``, or a condition ``[Ready]``."""
    value = obj
    for key, bracket in _STEP.findall(path):
        if bracket:
            value = _of_list(value, bracket)
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _of_list(value: object, wanted: str) -> object:
    items = value if isinstance(value, list) else []
    if wanted.isdigit():
        return items[int(wanted)] if int(wanted) < len(items) else None
    return next((each for each in items if each.get("type") == wanted), None)


# Up to so many seconds, an age is shown in this unit, with or without the next smaller one:
# the steps of k8s.io/apimachinery/pkg/util/duration.HumanDuration.
_AGES: Final = (
    (120, 1, "s", 0, ""),
    (600, 60, "m", 1, "s"),
    (10_800, 60, "m", 0, ""),
    (28_800, 3600, "h", 60, "m"),
    (172_800, 3600, "h", 0, ""),
    (691_200, 86_400, "d", 3600, "h"),
)


def age(stamp: str, now: datetime) -> str:
    """How long ago, in at most two units, as kubectl shows it."""
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return "<invalid>"
    seconds = max(0, int((now - then).total_seconds()))
    for below, size, unit, smaller, smaller_unit in _AGES:
        if seconds < below:
            rest = seconds % size // smaller if smaller else 0
            return f"{seconds // size}{unit}{f'{rest}{smaller_unit}' if rest else ''}"
    return f"{seconds // 86_400}d"

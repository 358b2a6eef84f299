"""The JSON Schema of workload files, with which editors complete and explain them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.config.durations import PATTERN, format_duration
from perfscale.config.model import Config

if TYPE_CHECKING:
    from perfscale.config.sections.section import Section

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the workload file."""
    return schema_of(
        Config,
        "perfscale workload file",
        "What to create on a cluster, how fast, and what to wait for.",
    )


def schema_of(model: type[Section], title: str, description: str) -> dict[str, Any]:
    """Return the JSON Schema of a file, of whose top ``model`` is the model."""
    schema = _as_written(model.model_json_schema(by_alias=True))
    return {"$schema": DIALECT, **schema, "title": title, "description": description}


def _as_written(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Return ``schema`` in the file's terms: no Python titles, defaults as one writes them."""
    if isinstance(schema, list):
        return [_as_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {
        key: _as_written(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
    default = tidy.get("default")
    if isinstance(default, float):
        kinds = tidy.get("anyOf", [tidy])
        is_duration = any(kind.get("pattern") == PATTERN for kind in kinds)
        tidy["default"] = format_duration(default) if is_duration else int(default)
    return tidy

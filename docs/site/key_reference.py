"""The reference of the workload file's keys, from the JSON Schema of the models that read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from markup import code, definition, escaped

from perfscale.config import json_schema

Schema = Mapping[str, Any]

_REFERENCE = "#/$defs/"
_TYPES = {
    "array": "list",
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "null": "`null`",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
_SPELLINGS = {
    "30s": "duration, as in `30s`",
    "10%": "share, as in `10%`",
    "condition=Ready": "condition, as in `condition=Ready`",
}
"""What a text is called, by an example that its pattern accepts."""

_INTRODUCTION = """\
# Keys of the workload file

Every key that a workload file may have, made from the models that read it. `perfscale schema`
prints the same as a JSON Schema; [the guide](../docs/workload-file.md) explains how the keys work
together. `[]` stands for each entry of a list, and `NAME` for any name.
"""


def page() -> str:
    """Return the page: a section for each mapping of the file, an entry for each of its keys."""
    schema = json_schema()
    places: dict[str, list[str]] = {}
    _find_places(schema, schema, "", places)
    sections = [_section("## The file", schema, schema)]
    for name, found in places.items():
        heading = f"({_anchor(name)})=\n## {code(found[0])}"
        if also := ", ".join(map(code, found[1:])):
            heading += f"\n\nThe same keys are those of {also}."
        sections.append(_section(heading, schema["$defs"][name], schema))
    return "\n".join([_INTRODUCTION, *sections])


def keys_of(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Give the keys of a mapping with their schemas, and whether they are required.

    Of keys that are mappings spelled out in place, theirs follow, as in ``inputVars.namespace``.
    """
    for key, value in schema.get("properties", {}).items():
        yield prefix + key, value, key in schema.get("required", ())
        for choice in value.get("anyOf", [value]):
            yield from keys_of(choice, f"{prefix}{key}.")


def _find_places(part: Schema, schema: Schema, path: str, places: dict[str, list[str]]) -> None:
    """Note under which paths each definition is used, outer ones before inner ones."""
    if reference := part.get("$ref"):
        name = reference.removeprefix(_REFERENCE)
        known = name in places
        places.setdefault(name, []).append(path)
        if not known:
            _find_places(schema["$defs"][name], schema, path, places)
    for choice in part.get("anyOf", ()):
        _find_places(choice, schema, path, places)
    if "items" in part:
        _find_places(part["items"], schema, f"{path}[]", places)
    if isinstance(part.get("additionalProperties"), Mapping):
        _find_places(part["additionalProperties"], schema, f"{path}.NAME", places)
    for key, value in part.get("properties", {}).items():
        _find_places(value, schema, f"{path}.{key}".lstrip("."), places)


def _section(heading: str, part: Schema, schema: Schema) -> str:
    entries = [_entry(*found, schema) for found in keys_of(part)]
    return "\n".join([f"{heading}\n\n{escaped(part['description'])}\n", *entries])


def _entry(key: str, value: Schema, required: bool, schema: Schema) -> str:
    said = f"Type: {_type(value)}."
    if required:
        said += " Required."
    elif (default := value.get("default")) is not None:
        said += f" Default: {code(default if isinstance(default, str) else json.dumps(default))}."
    return definition(code(key), escaped(_description(value, schema)), said)


def _description(value: Schema, schema: Schema) -> str:
    """Return what a key is for; where its schema does not say so, that of its mapping does."""
    if "description" in value or "$ref" not in value:
        return str(value.get("description", ""))
    return str(schema["$defs"][value["$ref"].removeprefix(_REFERENCE)]["description"])


def _type(value: Schema) -> str:
    """Return in words, as Markdown, what may stand there; null is what a missing key means."""
    if choices := value.get("anyOf"):
        return " or ".join(_type(choice) for choice in choices if choice.get("type") != "null")
    if reference := value.get("$ref"):
        return f"[mapping](#{_anchor(reference.removeprefix(_REFERENCE))})"
    if "const" in value:
        return code(json.dumps(value["const"]))
    if "enum" in value:
        return "one of " + ", ".join(map(code, value["enum"]))
    types = value["type"] if isinstance(value["type"], list) else [value["type"]]
    words = " or ".join(_TYPES[name] for name in types if name != "null")
    return _spelling(value.get("pattern")) or words + _contents(value) + _range(value)


def _spelling(pattern: str | None) -> str:
    fitting = (text for text in _SPELLINGS if pattern is not None and re.search(pattern, text))
    return _SPELLINGS.get(next(fitting, ""), "")


def _contents(value: Schema) -> str:
    if "items" in value:
        return f", each a {_type(value['items'])}"
    if isinstance(value.get("additionalProperties"), Mapping):
        return f" of names, each to a {_type(value['additionalProperties'])}"
    return ""


def _range(value: Schema) -> str:
    least, most = value.get("minimum"), value.get("maximum")
    if most is not None:
        return f", {least or 0} to {most}"
    return "" if least is None else f", {least} or more"


def _anchor(name: str) -> str:
    return f"keys-of-{name.lower()}"

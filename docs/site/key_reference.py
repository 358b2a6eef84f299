"""The reference of keys, from the JSON Schemas of the models that read and write documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markup import code, definition, escaped

from perfscale.config import json_schema
from perfscale.results import results_schema
from perfscale.search import search_schema

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

_QUOTED = escaped("``")
"""What stands on either side of code in a docstring."""
_MOST_PLACES = 6
"""Where the same keys stand, as many as help."""

_WORKLOAD_FILE = """\
# Keys of the workload file

Every key that a workload file may have, made from the models that read it. `perfscale schema`
prints the same as a JSON Schema; [the guide](../docs/workload-file.md) explains how the keys work
together. `[]` stands for each entry of a list, and `NAME` for any name.
"""
_SUMMARY = """\
# Keys of summary.json

Every key of the `summary.json` of a run, made from the models that write and read it. `perfscale
schema --results` prints the same as a JSON Schema; [the guide](../docs/results.md) explains what
was counted and measured. `[]` stands for each entry of a list, and `NAME` for any name.
"""
_SEARCH = """\
# Keys of search.json

Every key of the `search.json` of a search, made from the models that write and read it. `perfscale
schema --search` prints the same as a JSON Schema; [the guide](../docs/search.md) explains how a
search goes. `[]` stands for each entry of a list, and `NAME` for any name.
"""


@dataclass(frozen=True)
class Reference:
    """A page of keys, of one sort of document.

    Attributes:
        begin: How the page begins.
        whole: The heading of the keys of the document itself.
        schema: Its JSON Schema.
        prefix: What the anchors of the page begin with; no other page has it.
        nullable: Whether a key with nothing is there, as null, and not missing.
    """

    begin: str
    whole: str
    schema: Schema
    prefix: str
    nullable: bool = True

    def page(self) -> str:
        """Return the page: a section for each mapping, an entry for each of its keys."""
        root = self._resolved(self.schema)
        places: dict[str, list[str]] = {}
        for key, value in root["properties"].items():
            self._find_places(value, key, places)
        sections = [self._section(f"## {self.whole}", root)]
        for name, found in places.items():
            heading = f"({self._anchor(name)})=\n## {code(found[0])}"
            if also := ", ".join(map(code, found[1:_MOST_PLACES])):
                more = " and others" if len(found) > _MOST_PLACES else ""
                heading += f"\n\nThe same keys are those of {also}{more}."
            sections.append(self._section(heading, self.schema["$defs"][name]))
        return "\n".join([self.begin, *sections])

    def _resolved(self, part: Schema) -> Schema:
        """Return what a reference is to, or the part itself."""
        reference = part.get("$ref")
        if reference is None:
            return part
        found: Schema = self.schema["$defs"][reference.removeprefix(_REFERENCE)]
        return found

    def _find_places(self, part: Schema, path: str, places: dict[str, list[str]]) -> None:
        """Note under which paths each mapping is used, outer ones before inner ones."""
        if (reference := part.get("$ref")) and "properties" in self._resolved(part):
            name = reference.removeprefix(_REFERENCE)
            known = name in places
            places.setdefault(name, []).append(path)
            if not known:
                self._find_places(self.schema["$defs"][name], path, places)
        for choice in part.get("anyOf", ()):
            self._find_places(choice, path, places)
        if "items" in part:
            self._find_places(part["items"], f"{path}[]", places)
        if isinstance(part.get("additionalProperties"), Mapping):
            self._find_places(part["additionalProperties"], f"{path}.NAME", places)
        for key, value in part.get("properties", {}).items():
            self._find_places(value, f"{path}.{key}", places)

    def _section(self, heading: str, part: Schema) -> str:
        entries = [self._entry(*found) for found in keys_of(part)]
        said = escaped(_summary(part)).replace(_QUOTED, "`")
        return "\n".join([f"{heading}\n\n{said}\n", *entries])

    def _entry(self, key: str, value: Schema, required: bool) -> str:
        said = f"Type: {self._type(value)}."
        if required and not self.nullable:
            said += " Required."
        elif (default := value.get("default")) is not None:
            text = default if isinstance(default, str) and default else json.dumps(default)
            said += f" Default: {code(text)}."
        return definition(code(key), escaped(self._description(value)), said)

    def _description(self, value: Schema) -> str:
        """Return what a key is for; where its schema does not say so, that of its mapping does."""
        if "description" in value:
            return str(value["description"])
        if "$ref" in value:
            text = _summary(self._resolved(value))
            return " ".join(text.partition("\n\n")[0].split()) if self.nullable else text
        inner = [*value.get("anyOf", ()), value.get("items"), value.get("additionalProperties")]
        found = (self._description(each) for each in inner if isinstance(each, Mapping))
        return next(filter(None, found), "") if self.nullable else ""

    def _type(self, value: Schema) -> str:
        """Return in words, as Markdown, what may stand there."""
        if choices := value.get("anyOf"):
            shown = (each for each in choices if self.nullable or each.get("type") != "null")
            return " or ".join(map(self._type, shown))
        if "properties" in (found := self._resolved(value)) and "$ref" in value:
            return f"[mapping](#{self._anchor(value['$ref'].removeprefix(_REFERENCE))})"
        if "const" in found:
            return code(json.dumps(found["const"]))
        if "enum" in found:
            return "one of " + ", ".join(map(code, found["enum"]))
        if "type" not in found:
            return "anything"
        types = found["type"] if isinstance(found["type"], list) else [found["type"]]
        words = " or ".join(_TYPES[each] for each in types if self.nullable or each != "null")
        return _spelling(found.get("pattern")) or words + self._contents(found) + _range(found)

    def _contents(self, value: Schema) -> str:
        if "items" in value:
            return f", each a {self._type(value['items'])}"
        if isinstance(value.get("additionalProperties"), Mapping):
            return f" of names, each to a {self._type(value['additionalProperties'])}"
        return ""

    def _anchor(self, name: str) -> str:
        return f"{self.prefix}{name.lower()}"


def pages() -> dict[str, str]:
    """Return the pages of keys, by their names."""
    workload_file = Reference(_WORKLOAD_FILE, "The file", json_schema(), "keys-of-", nullable=False)
    summary = Reference(_SUMMARY, "The document", results_schema(), "summary-keys-of-")
    search = Reference(_SEARCH, "The document", search_schema(), "search-keys-of-")
    return {
        "workload-file": workload_file.page(),
        "summary": summary.page(),
        "search": search.page(),
    }


def keys_of(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """Give the keys of a mapping with their schemas, and whether they are required.

    Of keys that are mappings spelled out in place, theirs follow, as in ``inputVars.namespace``.
    """
    for key, value in schema.get("properties", {}).items():
        yield prefix + key, value, key in schema.get("required", ())
        for choice in value.get("anyOf", [value]):
            yield from keys_of(choice, f"{prefix}{key}.")


def _summary(part: Schema) -> str:
    """Return what a mapping is, without what its docstring says of single fields."""
    return str(part.get("description", "")).partition("\n\nAttributes:")[0]


def _spelling(pattern: str | None) -> str:
    fitting = (text for text in _SPELLINGS if pattern is not None and re.search(pattern, text))
    return _SPELLINGS.get(next(fitting, ""), "")


def _range(value: Schema) -> str:
    least, most = value.get("minimum"), value.get("maximum")
    if most is not None:
        return f", {least or 0} to {most}"
    return "" if least is None else f", {least} or more"

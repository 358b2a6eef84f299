"""Writing a configuration as the file that would give it, and the JSON Schema of files.

Editors complete and explain a file with its schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from perfscale.config.durations import PATTERN, format_duration
from perfscale.config.model import Config
from perfscale.config.reading.scalars import looks_commented, read_plain, resolve

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


def dump_config(config: Config) -> str:
    """Return ``config`` as YAML with every default written out, but those that are nothing.

    `load_config` of it gives an equal configuration.
    """
    return dump_tree(config.model_dump(by_alias=True, mode="json", exclude_none=True))


def dump_tree(tree: dict[str, Any]) -> str:
    """Return the tree of a configuration as YAML, of which `load_config` gives an equal one."""
    return yaml.dump(
        tree,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )


class _Dumper(yaml.CSafeDumper):
    """Writes scalars as workload files are read here, which is stricter than YAML."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's interface
        """Write equal lists and mappings out each time."""
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    safe = read_plain(text).kind == "text" and not looks_commented(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if safe else '"')


def _represent_float(dumper: _Dumper, number: float) -> yaml.ScalarNode:
    # PyYAML knows no exponent without a point and a sign, and would add a tag to it.
    return dumper.represent_scalar(resolve(repr(number)), repr(number))


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_float)

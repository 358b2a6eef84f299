from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perfscale.config import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.yaml")
    if path.parent.name != "faults"
)
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
    "number": (int, float), "null": type(None),
}  # fmt: skip


def _type_fits(value: object, names: str | list[str]) -> bool:
    wanted = [names] if isinstance(names, str) else names
    return any(
        isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
        for name in wanted
    )


def _fits(value: Any, schema: dict[str, Any] | bool, root: dict[str, Any]) -> bool:
    """Tell whether ``value`` is valid, for the keywords that the schema uses."""
    if isinstance(schema, bool):
        return schema
    return all(_checks(value, schema, root))


def _checks(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> Iterator[bool]:
    if "$ref" in schema:
        yield _fits(value, root["$defs"][schema["$ref"].split("/")[-1]], root)
    if "type" in schema:
        yield _type_fits(value, schema["type"])
    if "allOf" in schema:
        yield all(_fits(value, one, root) for one in schema["allOf"])
    if "anyOf" in schema:
        yield any(_fits(value, one, root) for one in schema["anyOf"])
    if "if" in schema and _fits(value, schema["if"], root):
        yield _fits(value, schema["then"], root)
    yield value == schema.get("const", value)
    if isinstance(value, str):
        yield re.search(schema.get("pattern", ""), value) is not None
    elif isinstance(value, int | float):
        yield schema.get("minimum", value) <= value <= schema.get("maximum", value)
    elif isinstance(value, list):
        yield len(value) >= schema.get("minItems", 0)
        yield all(_fits(item, schema.get("items", {}), root) for item in value)
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        yield set(schema.get("required", ())) <= set(value)
        yield schema.get("additionalProperties") is not False or set(value) <= set(known)
        yield all(_fits(item, known.get(key, {}), root) for key, item in value.items())


def _valid(text: str) -> bool:
    schema = json_schema()
    return _fits(yaml.safe_load(text), schema, schema)


SPECIFICATION = """\
globalConfig: {qps: 0, burst: 0}
workloads:
  - name: kubevirt-density-10
    iterationCount: 1
    iterationInterval: 0
    iterationCreationWait: true
    iterationCleanup: true
    iterationDeletionWait: true
    namespacedIterations: false
    maxWaitTimeout: 30m
    qps: 20
    burst: 20
    waitWhenFinished: 30s
    objects:
      - templateFile: templates/vmi-ephemeral.yaml
        replicas: 1
        inputVars:
          containerPrefix: registry:5000/kubevirt/
          containerImg: cirros-container-disk-demo
          containerTag: devel
          namespace: kubevirt-density
"""


def test_the_specifications_file_is_valid() -> None:
    assert _valid(SPECIFICATION)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid(example: Path) -> None:
    assert _valid(example.read_text())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("iterationCount: 1", "iterationCont: 1"),
        ("iterationInterval: 0", "iterationInterval: 5"),
        ("maxWaitTimeout: 30m", "maxWaitTimeout: 30min"),
        ("maxWaitTimeout: 30m", "maxWaitTimeout: 0"),
        ("    qps: 20", "    qps: -1"),
        ("    qps: 20", '    qps: "20"'),
        ("    burst: 20", "    burst: 2.5"),
        ("iterationCleanup: true", "iterationCleanup: 1"),
        ("iterationCleanup: true", "iterationCleanup: false"),
        ("name: kubevirt-density-10", "name: Density"),
        ("replicas: 1", "replicas: 0"),
        ("templateFile: templates/vmi-ephemeral.yaml", "replicas: 1"),
    ],
)
def test_an_editor_can_see_what_is_wrong(right: str, wrong: str) -> None:
    assert right in SPECIFICATION
    assert not _valid(SPECIFICATION.replace(right, wrong))


def test_every_key_is_explained_and_its_default_is_as_one_writes_it() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    properties: dict[str, dict[str, Any]] = dict(schema["properties"])
    for section in schema["$defs"].values():
        properties |= section["properties"]
    for key, property_ in properties.items():
        referred = schema["$defs"].get(property_.get("$ref", "").split("/")[-1], {})
        assert property_.get("description") or referred.get("description"), key
    assert properties["maxWaitTimeout"]["default"] == "30m"
    assert properties["waitWhenFinished"]["default"] == "0s"


def test_the_schema_is_json_without_pythons_words() -> None:
    text = json.dumps(json_schema())
    assert "model_validate" not in text
    assert "pydantic" not in text

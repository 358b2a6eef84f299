"""What ``inputVars`` may hold: names that a template can use, values that it can print."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from perfscale.config.sections.fields import detail, refusal, rule

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from perfscale.config.reading.source import KeyPath

RESERVED: Final = ("iteration", "replica", "uuid", "workload")
"""Variables that every template has, and that none may shadow."""

TEMPLATE_WORDS: Final = frozenset(
    {"and", "else", "false", "if", "in", "is", "none", "not", "or", "self", "true"}
    | {"False", "None", "True"}
)
"""Words of the template language, which cannot name a variable."""

_VALUES: Final = "a text, a number, true or false, a list or a mapping"


def check_variables(value: object, *, any_name: bool = False) -> dict[str, Any]:
    """Return the variables as plain values, an empty one as an empty text.

    ``any_name`` takes every text as a name, and ``namespace`` as one like the others.

    Raises:
        ValidationError: Some names or values cannot be used; all of them at once.
    """
    if not isinstance(value, Mapping):
        raise refusal("mapping", "a mapping of names to values", value)
    wrong: list[InitErrorDetails] = []
    variables: dict[str, Any] = {}
    for name, content in value.items():
        if not (any_name and isinstance(name, str)) and (message := _name_problem(name)):
            wrong.append(detail(rule(message, at_key=True), (str(name),), content))
        else:
            variables[name] = _plain(content, (name,), wrong)
    if not any_name and "namespace" in variables and not isinstance(variables["namespace"], str):
        error = refusal("text", "a text", value["namespace"])
        wrong.append(detail(error, ("namespace",), value["namespace"]))
    if wrong:
        raise ValidationError.from_exception_data("inputVars", wrong)
    return variables


def variables_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``inputVars``."""
    words = sorted(TEMPLATE_WORDS.union(RESERVED))
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"enum": words}},
        "properties": {
            "namespace": {
                "type": ["string", "null"],
                "description": "Prefix of the namespace; the workload's name if it is empty.",
            },
            "containerPrefix": {
                "type": ["string", "null"],
                "description": (
                    "Repository of the images; if it is empty, --container-prefix or DOCKER_PREFIX."
                ),
            },
            "containerTag": {
                "type": ["string", "null"],
                "description": (
                    "Tag of the images; if it is empty, --container-tag or DOCKER_TAG."
                ),
            },
        },
    }


def _name_problem(name: object) -> str | None:
    if not isinstance(name, str):
        return "a variable's name is a text"
    if name in RESERVED:
        return f"every template has a variable {name}: choose another name"
    if name in TEMPLATE_WORDS:
        return f"{name} is a word of the template language: choose another name"
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return None
    usable = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_").lstrip("0123456789")
    hint = f": write {usable}" if usable else ""
    return f"a template cannot use this name: letters, digits and _ only, no digit first{hint}"


def _plain(value: object, path: KeyPath, wrong: list[InitErrorDetails]) -> Any:  # noqa: ANN401 - variables are of any type
    """Return a copy of ``value`` in plain types; note in ``wrong`` what has none."""
    match value:
        case None:
            return ""
        case float() if not math.isfinite(value):
            wrong.append(detail(refusal("text", "a number that has a value", value), path, value))
        case str() | bool() | int() | float():
            pass
        case list() | tuple():
            return [_plain(item, (*path, index), wrong) for index, item in enumerate(value)]
        case Mapping():
            return {str(key): _plain(item, (*path, str(key)), wrong) for key, item in value.items()}
        case _:
            wrong.append(detail(refusal("text", _VALUES, value), path, value))
    return value

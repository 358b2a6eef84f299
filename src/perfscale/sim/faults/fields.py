"""The types of values that a faults file has beside those of a workload file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from perfscale.config.durations import PATTERN, format_duration
from perfscale.config.reading.source import clip
from perfscale.config.sections.fields import (
    MAX_RATE,
    duration_reader,
    number_reader,
    pick,
    refusal,
    rule,
    show,
)
from perfscale.sim.storage.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

_MAX_SEED: Final = 2**53 - 1
"""The largest whole number that every reader of YAML and JSON keeps exactly."""

_GROUP_VERSION: Final = re.compile(r"[a-z0-9.-]+/v[a-z0-9]+")

_REFUSED: Final = (429, 503)

VERBS: Final = ("create", "get", "list", "watch", "update", "patch", "delete", "deletecollection")
RESOURCES: Final = tuple(
    name for kind in KINDS for name in dict.fromkeys((kind.plural, kind.resource.name))
)
"""Every resource of the simulated cluster: ``pods``, ``virtualmachines.kubevirt.io``."""
CORE: Final = "core"
"""What a faults file calls the API group that has no name."""
GROUPS: Final = tuple(dict.fromkeys(kind.group or CORE for kind in KINDS))
"""Every API group of the simulated cluster."""


_duration: Final = duration_reader(0)
_from_0_to_1: Final = number_reader(1, "a share from 0 (never) to 1 (always)")
_A_RATE: Final = f"a number above 0, up to {MAX_RATE:,}"
_from_0_to_max_rate: Final = number_reader(MAX_RATE, _A_RATE)


def _words(what: str, known: Collection[str] | None, *, listed: bool = True) -> Any:  # noqa: ANN401 - as above
    def check(value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise refusal("list", f"a list with one or more {what} in it", value)
        for word in value:
            if not isinstance(word, str) or not word:
                raise rule(f"{show(word)} is not a text, as each of the {what} must be")
            if known is not None:
                pick(word, known, listed=listed)
        return tuple(value)

    items = {"minLength": 1} if known is None else {"enum": list(known)}
    schema = {"type": "array", "minItems": 1, "items": {"type": "string", **items}}
    return BeforeValidator(check), WithJsonSchema(schema)


def _share(value: object) -> float:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,2}(\.[0-9]+)?%", value):
        raise rule(f"{value} is a text to YAML: write {float(value[:-1]) / 100:g}")
    return _from_0_to_1(value)


def _rate(value: object) -> float:
    if value == 0:
        raise refusal("number", _A_RATE, value)
    return _from_0_to_max_rate(value)


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_SEED:
        raise refusal("number", "a whole number that is not negative", value)
    return value


def _finalizer(value: object) -> str:
    domain, slash, name = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not (domain and slash and name) or "/" in name or clip(str(value)) != value:
        raise rule(f"{show(value)} is not a finalizer: write it with a domain, example.com/hold")
    return str(value)


def _offset(value: object) -> float:
    if isinstance(value, str) and value.startswith("-"):
        return -_duration(value[1:])
    return _duration(value)


def _group_version(value: object) -> object:
    for each in value if isinstance(value, list | tuple) else ():
        if not isinstance(each, str) or not _GROUP_VERSION.fullmatch(each):
            raise rule(f"{show(each)} is no group with its version: write metrics.k8s.io/v1beta1")
    return value


def _refused_status(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _REFUSED:
        raise refusal("number", "429 or 503", value)
    return value


Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
"""How many of all: 0.05 is one in twenty."""

Rate = Annotated[
    float,
    BeforeValidator(_rate),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_RATE}),
]
"""How many a second."""

Seed = Annotated[
    int,
    BeforeValidator(_seed),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _MAX_SEED}),
]
"""Where a sequence of chances begins."""

Verbs = Annotated[tuple[str, ...], *_words("verbs", VERBS)]
"""What a request does, in Kubernetes' words."""

Resources = Annotated[tuple[str, ...], *_words("resources", RESOURCES, listed=False)]
"""Kinds of objects, by their plural."""

Groups = Annotated[tuple[str, ...], *_words("groups", GROUPS)]
"""API groups."""

GroupVersions = Annotated[
    tuple[str, ...], BeforeValidator(_group_version), *_words("groups with a version", None)
]
"""API groups with a version each: ``metrics.k8s.io/v1beta1``."""

Offset = Annotated[
    float,
    BeforeValidator(_offset),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN.replace("^", "^-?", 1)}),
]
"""Seconds forth, or back where there is a minus before them, written as a Go duration."""

RefusedStatus = Annotated[
    int, BeforeValidator(_refused_status), WithJsonSchema({"type": "integer", "enum": [429, 503]})
]
"""A status that invites another attempt."""

Names = Annotated[tuple[str, ...], *_words("names", None)]
"""Names of objects, as patterns with ``*`` and ``?``."""

Finalizer = Annotated[str, BeforeValidator(_finalizer), WithJsonSchema({"type": "string"})]
"""A finalizer with a domain."""

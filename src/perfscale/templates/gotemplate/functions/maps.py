"""sprig's maps: https://masterminds.github.io/sprig/dicts.html."""

from __future__ import annotations

import copy
from typing import Any, Final

from perfscale.templates.gotemplate.formatting import plain, sorted_keys
from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.values import GoError, Strings, is_true, type_name

Map = dict[str, Any]


def _dict(*values: object) -> Map:
    pairs = zip(values[::2], (*values[1::2], ""), strict=False)
    return {plain(key): value for key, value in pairs}


def _set(into: Map, key: str, value: object) -> Map:
    into[key] = value
    return into


def _unset(of: Map, key: str) -> Map:
    of.pop(key, None)
    return of


def _pick(of: Map, *keys: str) -> Map:
    return {key: of[key] for key in keys if key in of}


def _omit(of: Map, *keys: str) -> Map:
    return {key: value for key, value in of.items() if key not in keys}


def _keys(*maps: Map) -> Strings:
    """Sorted, where Go gives any order."""
    return Strings(key for each in maps for key in sorted_keys(each))


def _merge(into: Map, *others: Map, overwrite: bool = False) -> Map:
    for other in others:
        for key, value in other.items():
            if value is None and not overwrite:
                continue
            known = into.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                _merge(known, value, overwrite=overwrite)
            elif key not in into or (overwrite or not is_true(known)):
                into[key] = value
    return into


def _dig(*path: Any) -> Any:  # noqa: ANN401 -- any value
    if len(path) < 3:
        raise GoError("dig needs at least three arguments")
    *keys, default, of = path
    for key in keys:
        if not isinstance(of, dict):
            raise GoError(f"dig: {type_name(of)} is no map")
        if not isinstance(key, str):
            raise GoError(f"dig: a key is {type_name(key)}, not string")
        if key not in of:
            return default
        of = of[key]
    return of


_MERGE: Final = takes("map map...", _merge, changes=True)
_OVERWRITE: Final = takes(
    "map map...", lambda into, *others: _merge(into, *others, overwrite=True), changes=True
)
_DEEP_COPY: Final = takes("any", copy.deepcopy)

MAPS: Final[dict[str, Function]] = {
    "deepCopy": _DEEP_COPY,
    "dict": takes("any...", _dict),
    "dig": takes("any...", _dig),
    "get": takes("map string", lambda of, key: of.get(key, "")),
    "hasKey": takes("map string", lambda of, key: key in of),
    "keys": takes("map...", _keys),
    "merge": _MERGE,
    "mergeOverwrite": _OVERWRITE,
    "mustDeepCopy": _DEEP_COPY,
    "mustMerge": _MERGE,
    "mustMergeOverwrite": _OVERWRITE,
    "omit": takes("map string...", _omit),
    "pick": takes("map string...", _pick),
    "pluck": takes("string map...", lambda key, *maps: [m[key] for m in maps if key in m]),
    "set": takes("map string any", _set, changes=True),
    "unset": takes("map string", _unset, changes=True),
    "values": takes("map", lambda of: [of[key] for key in sorted_keys(of)]),
}

"""The ways to change an object by sending only the difference.

JSON merge patch is RFC 7386, JSON patch RFC 6902, and strategic merge patch is
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
in as much as the core kinds need it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from perfscale.sim.storage import refusals
from perfscale.sim.storage.refusals import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.sim.storage.records import JSON

# The lists that a strategic merge patch merges by a key: the patchMergeKey of the core API.
_MERGE_KEYS: Final[Mapping[str, str]] = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "secrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "hostAliases": "ip",
    "conditions": "type",
    "addresses": "type",
    "ownerReferences": "uid",
    "topologySpreadConstraints": "topologyKey",
}
# Those of containers and those of services have the same name.
_PORT_KEYS: Final = ("containerPort", "port")
# Lists of plain values that a strategic merge patch adds to.
_MERGED_VALUES: Final = frozenset({"finalizers"})


def merge_patch(target: object, patch: object) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """RFC 7386: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def strategic_merge_patch(target: object, patch: object) -> Any:  # noqa: ANN401 - JSON
    """A merge patch in which some lists merge by a key, and ``$patch`` directs."""
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        is_deleted = isinstance(value, dict) and value.get("$patch") == "delete"
        if value is None or is_deleted:
            merged.pop(key, None)
        elif isinstance(value, list):
            merged[key] = _merged_list(key, merged.get(key), value)
        else:
            merged[key] = strategic_merge_patch(merged.get(key), value)
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [each for each in merged.get(name) or [] if each not in value]
    return merged


def _merged_list(key: str, target: object, patch: list[Any]) -> list[Any]:
    current = list(target) if isinstance(target, list) else []
    if key in _MERGED_VALUES:
        return current + [each for each in patch if each not in current]
    if not all(isinstance(each, dict) for each in (*current, *patch)):
        return patch
    merge_key = _merge_key(key, patch)
    if merge_key is None:
        return patch
    if any(each.get("$patch") == "replace" for each in patch):
        return [each for each in patch if each.get("$patch") != "replace"]
    for item in patch:
        key, keys = item.get(merge_key), [each.get(merge_key) for each in current]
        if item.get("$patch") == "delete":
            if key in keys:
                del current[keys.index(key)]
        elif key in keys:
            position = keys.index(key)
            current[position] = strategic_merge_patch(current[position], item)
        else:
            current.append(strategic_merge_patch({}, item))
    return current


def _merge_key(name: str, items: list[JSON]) -> str | None:
    if name == "ports":
        return next((key for key in _PORT_KEYS if any(key in each for each in items)), None)
    return _MERGE_KEYS.get(name)


class PatchError(ValueError):
    """An operation of a JSON patch cannot be done."""


def json_patch(target: JSON, patch: object) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """RFC 6902.

    Raises:
        ApiError: 400 if it is not a JSON patch, 422 if one of its operations cannot be done.
    """
    if not isinstance(patch, list) or not all(isinstance(each, dict) for each in patch):
        raise refusals.bad_request("a JSON patch is a list of operations")
    document: Any = copy.deepcopy(target)
    for operation in patch:
        try:
            document = _apply(document, operation)
        except (PatchError, KeyError, IndexError, ValueError, TypeError) as error:
            why = f"the server rejected our request due to an error in our request: {error}"
            cause = Cause("FieldValueInvalid", str(error), str(operation.get("path", "")))
            raise refusals.InvalidError(why, causes=[cause]) from error
    return document


def _apply(document: Any, operation: JSON) -> Any:  # noqa: ANN401 - JSON in, JSON out
    root = {"": document}
    match operation.get("op"):
        case "add":
            _insert(root, operation["path"], operation["value"])
        case "copy":
            place, key = _resolve(root, operation["from"])
            _insert(root, operation["path"], copy.deepcopy(place[key]))
        case "move":
            place, key = _resolve(root, operation["from"])
            value = place[key]
            del place[key]
            _insert(root, operation["path"], value)
        case "remove":
            place, key = _resolve(root, operation["path"])
            del place[key]
        case "replace":
            place, key = _resolve(root, operation["path"])
            _ = place[key]  # a key that is not there cannot be replaced
            place[key] = operation["value"]
        case "test":
            place, key = _resolve(root, operation["path"])
            if place[key] != operation["value"]:
                raise PatchError(f"testing value {operation['path']} failed")
        case unknown:
            raise PatchError(f"unknown operation {unknown!r}")
    return root[""]


def _resolve(root: Any, pointer: str) -> tuple[Any, str | int]:  # noqa: ANN401 - JSON
    """The container that a JSON pointer leads to, and the last key into it (RFC 6901)."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]
    place = root
    for part in parents:
        place = place[_index(place, part)]
    return place, _index(place, last)


def _index(place: Any, part: str) -> str | int:  # noqa: ANN401 - JSON
    if isinstance(place, list):
        if part != "-" and not (part.isascii() and part.isdecimal()):
            raise PatchError(f"{part!r} is no index of a list")
        return len(place) if part == "-" else int(part)
    if isinstance(place, dict):
        return part
    raise PatchError(f"nothing can be at {part!r}")


def _insert(root: Any, pointer: str, value: object) -> None:  # noqa: ANN401 - JSON
    place, key = _resolve(root, pointer)
    if isinstance(place, list) and isinstance(key, int):
        if not 0 <= key <= len(place):
            raise PatchError(f"no index {key} in {pointer}")
        place.insert(key, value)
    else:
        place[key] = value

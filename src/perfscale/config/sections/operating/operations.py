"""The keys of a workload that only some operations take, and which fit which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic.alias_generators import to_camel, to_snake

from perfscale.config.operations import CREATE, OPERATIONS, Operation, Request
from perfscale.config.sections.fields import MAX_COUNT, choice, detail, refusal, rule, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import InitErrorDetails

SPECIAL: Final = {
    key: tuple(each.name for each in OPERATIONS.values() if key in (*each.needs, *each.takes))
    for operation in OPERATIONS.values()
    for key in (*operation.needs, *operation.takes)
}
"""The operations that take a key that not every operation takes."""

CLEANS_UP: Final[dict[str, Any]] = {
    "if": {
        "properties": {"iterationDeletionWait": {"const": True}},
        "required": ["iterationDeletionWait"],
    },
    "then": {
        "properties": {"iterationCleanup": {"const": True}},
        "required": ["iterationCleanup"],
    },
}
"""In the JSON Schema: who waits for a deletion deletes."""

OperationName = Annotated[str, *choice(*OPERATIONS)]
Replicas = Annotated[int, *whole(0, MAX_COUNT)]


def _volume(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise refusal("mapping", "a mapping with the name of a volume in it", value)
    return {str(key): content for key, content in value.items()}


Volume = Annotated[
    Mapping[str, Any],
    BeforeValidator(_volume),
    WithJsonSchema(
        {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    ),
]
"""The options of KubeVirt's ``addvolume`` or ``removevolume``."""


def misfits(given: Mapping[str, object]) -> Iterator[InitErrorDetails]:
    """Yield an error for each key that does not fit the workload's operation, or is missing."""
    operation = operation_of(given)
    if operation is None:  # it is not known, and that is reported
        return
    keys = {key for key in SPECIAL if key in given or to_snake(key) in given}
    for key in sorted(keys):
        if operation.name not in SPECIAL[key]:
            yield detail(rule(_why_not(operation, key), at_key=True), (key,), given.get(key))
    for key in operation.needs:
        if key not in keys:
            yield {"type": "missing", "loc": (key,), "input": dict(given)}
    yield from _unfit_targets(operation, given)
    yield from _unfit_options(operation, given)


def operation_of(given: Mapping[str, object]) -> Operation | None:
    """Return the operation of a workload as it stands in a file; None if it is not known."""
    name = given.get("operation", CREATE.name)
    return OPERATIONS.get(name) if isinstance(name, str) else None


def without_misfits(operation: str, dumped: Mapping[str, object]) -> dict[str, object]:
    """Return what is written of a workload, without the keys that its operation does not take."""
    return {
        key: value
        for key, value in dumped.items()
        if operation in SPECIAL.get(to_camel(key), (operation,))
        and not (operation == CREATE.name and to_camel(key) == "iterationWait")
    }


def with_one_wait(given: Mapping[str, object]) -> Mapping[str, object]:
    """Return what was given, with the wait of a create under both of its names."""
    if given.get("operation", CREATE.name) != CREATE.name:
        return given
    names = ("iterationCreationWait", "iteration_creation_wait", "iterationWait", "iteration_wait")
    waits = [given[name] for name in names if name in given]
    if not waits or not isinstance(waits[0], bool):
        return given
    rest = {key: value for key, value in given.items() if key not in names}
    return {**rest, "iterationCreationWait": waits[0], "iterationWait": waits[0]}


def fitting_schema() -> list[dict[str, Any]]:
    """Return, for JSON Schema's ``allOf``, what each operation takes and needs."""
    schemas = []
    for operation in OPERATIONS.values():
        condition: dict[str, Any] = {"properties": {"operation": {"const": operation.name}}}
        if operation is not CREATE:
            condition["required"] = ["operation"]
        others = sorted(key for key, names in SPECIAL.items() if operation.name not in names)
        then: dict[str, Any] = {"required": list(operation.needs)}
        then["properties"] = dict.fromkeys(others, False)
        schemas.append({"if": condition, "then": then})
    return schemas


def _why_not(operation: Operation, key: str) -> str:
    takers = SPECIAL[key]
    if takers == (CREATE.name,):
        return f"{operation.name} creates nothing, and only create takes this key: remove it"
    if operation is CREATE:
        return f"create takes no such key, only {' and '.join(takers)}: set operation"
    return f"{operation.name} takes no such key, only {' and '.join(takers)}: remove it"


def _unfit_targets(operation: Operation, given: Mapping[str, object]) -> Iterator[InitErrorDetails]:
    """Find a choice among the targets where all of a collection are meant."""
    targets = given.get("targets")
    if not isinstance(targets, Mapping):
        return
    if operation.request in {Request.LIST, Request.WATCH}:
        why = f"{operation.name} reads whole collections: remove this key"
    elif given.get("deleteCollection", given.get("delete_collection")) is True:
        why = "deleteCollection deletes all of a collection: remove this key, or that one"
    else:
        return
    for key in ("share", "count"):
        if key in targets:
            yield detail(rule(why, at_key=True), ("targets", key), targets[key])


def _unfit_options(operation: Operation, given: Mapping[str, object]) -> Iterator[InitErrorDetails]:
    """Find options that KubeVirt refuses."""
    volume = given.get("volume")
    if operation.name == "addVolume" and isinstance(volume, Mapping):
        for key in ("disk", "volumeSource"):
            if key not in volume:
                yield {"type": "missing", "loc": ("volume", key), "input": dict(volume)}
    grace = given.get("gracePeriod", given.get("grace_period"))
    if operation.name == "restart" and grace not in (None, 0, 0.0, "0", "0s"):
        why = "KubeVirt takes no other gracePeriod than 0s for a restart: write 0s, or remove it"
        yield detail(rule(why), ("gracePeriod",), grace)


def at_least_one(schema: dict[str, Any]) -> None:
    """Have a list in the JSON Schema that is not needed, and not empty where it is there."""
    schema["minItems"] = 1
    schema.pop("default", None)

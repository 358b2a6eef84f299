"""The fields of KubeVirt's kinds that controllers read, and what a schema says they are.

Controllers take an object's shape for granted, as KubeVirt's do: its API server refuses what
does not fit the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perfscale.sim.storage.refusals import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from perfscale.sim.storage.records import JSON


class _Shape(NamedTuple):
    """What a field has to be."""

    fits: Callable[[Any], bool]
    what: str


_OBJECT: Final = _Shape(lambda value: isinstance(value, dict), "an object")
_OBJECTS: Final = _Shape(
    lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
    "a list of objects",
)
_TEXT: Final = _Shape(lambda value: isinstance(value, str), "a string")
_TEXTS: Final = _Shape(
    lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
    "an object of strings",
)
_COUNT: Final = _Shape(lambda value: type(value) is int and value > 0, "a positive whole number")


def _spec(at: str) -> Mapping[str, _Shape]:
    """The fields of an instance's spec, which stands there."""
    return {
        f"{at}.domain": _OBJECT,
        f"{at}.domain.devices": _OBJECT,
        f"{at}.domain.devices.disks": _OBJECTS,
        f"{at}.volumes": _OBJECTS,
    }


_TEMPLATE: Final[Mapping[str, _Shape]] = {
    "spec.template": _OBJECT,
    "spec.template.metadata": _OBJECT,
    "spec.template.spec": _OBJECT,
    **_spec("spec.template.spec"),
}
_FIELDS: Final[Mapping[str, Mapping[str, _Shape]]] = {
    "virtualmachineinstances.kubevirt.io": {
        **_spec("spec"),
        "status.phase": _TEXT,
        "status.nodeName": _TEXT,
        "status.conditions": _OBJECTS,
        "status.activePods": _TEXTS,
        "status.interfaces": _OBJECTS,
        "status.volumeStatus": _OBJECTS,
        "status.migrationState": _OBJECT,
        "status.phaseTransitionTimestamps": _OBJECTS,
    },
    "virtualmachines.kubevirt.io": {
        **_TEMPLATE,
        "spec.runStrategy": _TEXT,
        "status.conditions": _OBJECTS,
        "status.stateChangeRequests": _OBJECTS,
        "status.startFailure": _OBJECT,
        "status.startFailure.consecutiveFailCount": _COUNT,
    },
    "virtualmachineinstancereplicasets.kubevirt.io": _TEMPLATE,
}


def misshapen(name: str, obj: JSON) -> Iterator[Cause]:
    """What is wrong with the fields of an object whose resource has this name."""
    for path, shape in _FIELDS.get(name, {}).items():
        value: Any = obj
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None and not shape.fits(value):
            why = f"Invalid value: must be {shape.what}"
            yield Cause("FieldValueTypeInvalid", why, path)

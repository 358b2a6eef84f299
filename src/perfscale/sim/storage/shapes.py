"""What a field of an object has to be, as much of a schema as controllers depend on."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perfscale.sim.storage.refusals import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_PERCENTAGE: Final = re.compile(r"[0-9]{1,9}%", re.ASCII)


class Shape(NamedTuple):
    """What a field has to be.

    Attributes:
        fits: Whether a value is of the right type.
        what: What it should be, for the message.
        fields: The fields of an object that are known; others may be anything.
        required: Those that it cannot do without.
        items: What each item of a list has to be.
    """

    fits: Callable[[Any], bool]
    what: str
    fields: Mapping[str, Shape] = MappingProxyType({})
    required: Sequence[str] = ()
    items: Shape | None = None


def an_object(*required: str, **fields: Shape) -> Shape:
    """An object with these fields."""
    return Shape(_is_object, "an object", fields, required)


def objects(*required: str, **fields: Shape) -> Shape:
    """A list of objects with these fields."""
    return Shape(_is_list_of_objects, "a list of objects", items=an_object(*required, **fields))


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_object, value))


def _is_object_of_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_amount(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_part(value: object) -> bool:
    return _is_amount(value) or (isinstance(value, str) and bool(_PERCENTAGE.fullmatch(value)))


OBJECT: Final = an_object()
OBJECTS: Final = objects()
TEXT: Final = Shape(lambda value: isinstance(value, str), "a string")
TEXTS: Final = Shape(_is_object_of_texts, "an object of strings")
COUNT: Final = Shape(lambda value: _is_amount(value) and value > 0, "a positive whole number")
AMOUNT: Final = Shape(_is_amount, "a whole number that is not negative")
PART: Final = Shape(_is_part, "a whole number that is not negative, or a percentage")


def misfits(shape: Shape, value: Any, path: str = "") -> Iterator[Cause]:  # noqa: ANN401 - JSON
    """What is wrong with a value that is there, and with what is below it.

    Args:
        shape: What it has to be.
        value: The value.
        path: Where it is, as in ``spec.template``; empty for a whole object.
    """
    if not shape.fits(value):
        yield Cause("FieldValueTypeInvalid", f"Invalid value: must be {shape.what}", path)
        return
    prefix = f"{path}." if path else ""
    for key in shape.required:
        if value.get(key) in (None, ""):
            yield Cause("FieldValueRequired", "Required value", prefix + key)
    for key, below in shape.fields.items():
        found = value.get(key)
        if found is not None:
            yield from misfits(below, found, prefix + key)
    if shape.items is not None:
        for index, item in enumerate(value):
            yield from misfits(shape.items, item, f"{path}[{index}]")

"""The keys that each part of a file has, and the problems of others."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from perfscale.config.model import Config
from perfscale.config.reading.source import KeyPath, clip
from perfscale.config.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

_TOP: Final = "the top of the file"
_LISTS: Final = frozenset({"workloads", "objects", "thresholds", "hooks"})


def keys_of(section: type[Section]) -> tuple[str, ...]:
    """Return the keys of a part of the file, as the file spells them."""
    return tuple(key for key, _ in fields_of(section))


def fields_of(section: type[Section]) -> Iterator[tuple[str, FieldInfo]]:
    """Return the keys of a part of the file, with what the part knows of each."""
    return ((field.alias or name, field) for name, field in section.model_fields.items())


@cache
def _inside(section: type[Section]) -> Mapping[str, type[Section]]:
    """Return the parts that stand inside of one, by the key that leads to them."""
    parts = ((key, section_in(field.annotation)) for key, field in fields_of(section))
    return {key: inner for key, inner in parts if inner is not None}


def holds_list(section: type[Section], key: str | int) -> bool:
    """Return whether ``key`` holds a list in ``section``; elsewhere its name may be a number's."""
    found = (field.annotation for name, field in fields_of(section) if name == key)
    return key in _LISTS and any(get_origin(annotation) is tuple for annotation in found)


def section_in(annotation: Any) -> type[Section] | None:  # noqa: ANN401 - types have no type
    """Return the part of a file that a key of this type leads to; None where it leads to none."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    inner = (section_in(argument) for argument in get_args(annotation))
    return next((section for section in inner if section is not None), None)


def _parts(section: type[Section], name: str = "") -> Iterator[tuple[type[Section], str]]:
    """Yield every part of a file with what to call it: ``workloads[].objects[]``."""
    yield section, name or _TOP
    for key, field in fields_of(section):
        if inner := section_in(field.annotation):
            brackets = "" if field.annotation is inner else "[]"
            yield from _parts(inner, f"{name}.{key}{brackets}".removeprefix("."))


def section_at(path: KeyPath, top: type[Section] = Config) -> type[Section] | None:
    """Return the part of the file that ``path`` leads to; None where keys are free."""
    section: type[Section] | None = top
    for part in path:
        if isinstance(part, str):
            section = _inside(section).get(part) if section else None
    return section


def unknown_key(section: type[Section], key: str, top: type[Section] = Config) -> str:
    """Return what is wrong with a key that ``section`` does not have, and what it has."""
    homes = [name for part, name in _parts(top) if key in keys_of(part)]
    if homes:
        return f"this key does not belong here: it is a key of {' and of '.join(homes)}"
    spelled = {_bare(known): known for known in keys_of(section)}
    close = difflib.get_close_matches(_bare(key), spelled, n=1, cutoff=0.6)
    if close:
        return f"there is no such key; did you mean {spelled[close[0]]}?"
    return f"there is no key {clip(key)} here, only {', '.join(keys_of(section))}"


def _bare(key: str) -> str:
    """Return ``key`` without what people spell in different ways."""
    return re.sub(r"[-_ ]", "", key).lower()

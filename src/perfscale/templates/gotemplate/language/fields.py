"""What a template gets at in a value: its fields, and what ``range`` goes through."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.gotemplate.formatting import sorted_keys
from perfscale.templates.gotemplate.functions.dates import METHODS
from perfscale.templates.gotemplate.functions.signature import SLICE
from perfscale.templates.gotemplate.values import GoError, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.templates.gotemplate.running import Run

_MISSING: Final = object()
_SHOWN: Final = 20
"""Keys of a map that a message names, at most."""


def pairs_of(value: object) -> Iterator[tuple[Any, Any]]:
    """What ``range`` goes through: keys and elements.

    Raises:
        GoError: It has none.
    """
    if isinstance(value, SLICE):
        yield from enumerate(value)
    elif isinstance(value, Mapping):
        yield from [(key, value[key]) for key in sorted_keys(value)]
    elif isinstance(value, int) and not isinstance(value, bool):
        for number in range(value):
            yield number, number
    elif value is not None:
        raise GoError(f"range can't iterate over {type_name(value)}")


def fields_of(run: Run, value: object, names: Sequence[str]) -> Any:  # noqa: ANN401 -- any value
    """The field ``.name.other`` of a value; raises as `field_of` does."""
    for name in names:
        value = field_of(run, value, name)
    return value


def field_of(run: Run, value: Any, name: str) -> Any:  # noqa: ANN401 -- any value
    """The field ``.name`` of a value.

    Raises:
        GoError: It has none, and that is an error.
    """
    if isinstance(value, (dict, Mapping)):
        found = value.get(name, _MISSING)
        if found is not _MISSING:
            return found
        if run.strict:
            raise GoError(f'map has no entry for key "{name}"{_guess(value, name)}')
        return None
    if value is None:
        raise GoError(f"nil pointer evaluating interface {{}}.{name}")
    if isinstance(value, datetime) and name in METHODS:
        return METHODS[name](value)
    raise GoError(f"can't evaluate field {name} in type {type_name(value)}")


def _guess(value: Mapping[str, Any], name: str) -> str:
    names = sorted(map(str, value))
    lowered = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    guess = f" (did you mean {lowered[near[0]]}?)" if near else ""
    return guess if len(names) > _SHOWN else f"{guess}; it has {', '.join(names) or 'no keys'}"

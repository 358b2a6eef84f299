"""sprig's lists: https://masterminds.github.io/sprig/lists.html."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.bounds.weights import weight_of
from perfscale.templates.gotemplate.formatting import plain
from perfscale.templates.gotemplate.functions.numbers import to_int
from perfscale.templates.gotemplate.functions.signature import SLICE, Function, takes
from perfscale.templates.gotemplate.functions.texts import bytes_of, strings_of
from perfscale.templates.gotemplate.values import (
    GoError,
    Strings,
    is_true,
    length,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def deep_equal(first: object, second: object) -> bool:
    """Go's ``reflect.DeepEqual``: the same types, and the same values in them."""
    if type_name(first) != type_name(second):
        return False
    if isinstance(first, SLICE) and isinstance(second, SLICE):
        return len(first) == len(second) and all(map(deep_equal, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(
            deep_equal(value, second[key]) for key, value in first.items()
        )
    return first == second


def elements(value: object, what: str) -> list[Any]:
    """The elements of a list.

    Raises:
        GoError: It is none.
    """
    if not isinstance(value, SLICE):
        raise GoError(f"Cannot {what} type {type_name(value)}: it is no list")
    return list(value)


def _on_list(what: str, take: Callable[[list[Any]], Any]) -> Function:
    return takes("any", lambda value: take(elements(value, what)))


def _push(value: object, element: object) -> list[Any]:
    return [*elements(value, "push on"), element]


def _prepend(value: object, element: object) -> list[Any]:
    return [element, *elements(value, "prepend on")]


def _without(value: object, *omitted: object) -> list[Any]:
    found = elements(value, "find without on")
    return [each for each in found if not any(deep_equal(each, other) for other in omitted)]


def _unique(found: list[Any]) -> list[Any]:
    unique: list[Any] = []
    for each in found:
        if not any(deep_equal(each, other) for other in unique):
            unique.append(each)
    return unique


def _has(needle: object, value: object) -> bool:
    if value is None:
        return False
    return any(deep_equal(needle, each) for each in elements(value, "find has on"))


def _slice(value: object, *indices: object) -> Any:  # noqa: ANN401 -- a list, or a text
    """Of a list as sprig's, of a text as Go's own."""
    if value is None:
        raise GoError("slice of untyped nil")
    size = length(value)
    if isinstance(value, SLICE) and not size:
        return None
    if len(indices) > 2:
        raise GoError("a slice with a capacity (three indices) is not supported")
    start = to_int(indices[0]) if indices else 0
    end = to_int(indices[1]) if len(indices) > 1 else size
    if not 0 <= start <= end <= size:
        raise GoError(f"slice bounds out of range [{start}:{end}] of {size}")
    if isinstance(value, str):
        return bytes_of(value, start, end)
    return type(value)(elements(value, "slice")[start:end])  # type: ignore[call-arg]


def _concat(*values: object) -> list[Any]:
    return [each for value in values for each in elements(value, "concat")]


def _chunk(size: int, value: object) -> list[Any]:
    found = elements(value, "chunk")
    if size < 1:
        raise GoError(f"a chunk of {size} elements")
    return [found[start : start + size] for start in range(0, len(found), size)]


def _sorted(value: object) -> Strings:
    if not isinstance(value, SLICE):
        return Strings([plain(value)])
    return Strings(sorted(strings_of(value), key=str.encode))


def _squared(value: object, *others: object) -> int:
    """Each element is compared with many others."""
    count = len(value) if isinstance(value, SLICE) else 0
    return weight_of(value) * (len(others) or count)


def index(value: Any, *keys: Any) -> Any:  # noqa: ANN401 -- whatever is in the template's variables
    """Go's ``index``: an element of a list, or of a map, where nil stands for what is not there.

    Raises:
        GoError: It has no elements, the key is none, or a list is not that long.
    """
    for key in keys:
        if value is None:
            raise GoError("index of untyped nil")
        if isinstance(value, str):
            raw = value.encode()
            value = raw[_position(key, len(raw))]
        elif isinstance(value, SLICE):
            value = value[_position(key, len(value))]
        elif isinstance(value, dict):
            if not isinstance(key, str) and key not in value:
                raise GoError(f"value has type {type_name(key)}; should be string")
            value = value.get(key)
        else:
            raise GoError(f"can't index item of type {type_name(value)}")
    return value


def _position(key: object, size: int) -> int:
    if not isinstance(key, int) or isinstance(key, bool):
        what = "untyped nil" if key is None else f"type {type_name(key)}"
        raise GoError(f"cannot index slice/array with {what}")
    if not 0 <= key < size:
        raise GoError(f"index out of range: {key}")
    return key


_FIRST: Final = _on_list("find first on", lambda found: found[0] if found else None)
_LAST: Final = _on_list("find last on", lambda found: found[-1] if found else None)
_REST: Final = _on_list("find rest on", lambda found: found[1:])
_INITIAL: Final = _on_list("find initial on", lambda found: found[:-1])
_REVERSE: Final = _on_list("find reverse on", lambda found: found[::-1])
_UNIQ: Final = takes("any", lambda v: _unique(elements(v, "find uniq on")), cost=_squared)
_COMPACT: Final = _on_list("compact on", lambda found: [each for each in found if is_true(each)])
_APPEND: Final = takes("any any", _push)
_PREPEND: Final = takes("any any", _prepend)
_WITHOUT: Final = takes("any any...", _without, cost=_squared)
_HAS: Final = takes("any any", _has)
_SLICE: Final = takes("any any...", _slice)
_CHUNK: Final = takes("int any", _chunk)


def _list(*values: object) -> list[object]:
    return list(values)


LISTS: Final[dict[str, Function]] = {
    "append": _APPEND,
    "chunk": _CHUNK,
    "compact": _COMPACT,
    "concat": takes("any...", _concat),
    "deepEqual": takes("any any", deep_equal),
    "first": _FIRST,
    "has": _HAS,
    "index": takes("any any...", index),
    "initial": _INITIAL,
    "last": _LAST,
    "list": takes("any...", _list),
    "mustAppend": _APPEND,
    "mustChunk": _CHUNK,
    "mustCompact": _COMPACT,
    "mustFirst": _FIRST,
    "mustHas": _HAS,
    "mustInitial": _INITIAL,
    "mustLast": _LAST,
    "mustPrepend": _PREPEND,
    "mustPush": _APPEND,
    "mustRest": _REST,
    "mustReverse": _REVERSE,
    "mustSlice": _SLICE,
    "mustUniq": _UNIQ,
    "mustWithout": _WITHOUT,
    "prepend": _PREPEND,
    "push": _APPEND,
    "rest": _REST,
    "reverse": _REVERSE,
    "slice": _SLICE,
    "sortAlpha": takes("any", _sorted),
    "tuple": takes("any...", _list),
    "uniq": _UNIQ,
    "without": _WITHOUT,
}

"""A function that templates can call: what it takes, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.gotemplate.values import GoError, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.templates.gotemplate.running import Run

SLICE: Final = (list, tuple)
"""What stands for a slice."""

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "any": (object,),
    "bool": (bool,),
    "float": (float, int),
    "int": (int,),
    "list": SLICE,
    "map": (dict, Mapping),
    "string": (str,),
    "time": (datetime,),
}
_GO_NAMES: Final = {
    "float": "float64",
    "list": "[]interface {}",
    "map": "map[string]interface {}",
    "time": "time.Time",
}


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        call: Computes it.
        takes: The kinds of its parameters.
        more: The kind of all that follow; None: nothing may.
        cost: The size of its result, from its arguments, where that can be more than they are.
        needs_run: Whether `call` is given the `Run` before the arguments.
        varies: Whether it may give something else for the same arguments.
        changes: Whether it changes a map that it is given.
    """

    call: Callable[..., object]
    takes: tuple[str, ...]
    more: str | None
    cost: Callable[..., int] | None
    needs_run: bool
    varies: bool
    changes: bool

    def check_count(self, name: str, count: int) -> None:
        """Raise `GoError` where there are too few or too many arguments."""
        fewest = len(self.takes)
        if count < fewest or (self.more is None and count > fewest):
            least = "at least " if self.more else ""
            message = f"wrong number of args for {name}: want {least}{fewest} got {count}"
            raise GoError(message)

    def invoke(self, run: Run, arguments: list[Any]) -> object:
        """Its result, with all of it counted; nil for a map becomes an empty one.

        Raises:
            GoError: An argument is of another type, or the function fails.
            TooMuchError: The result would be too large.
        """
        run.spend(_CALL)
        for position, value in enumerate(arguments):
            kind = self.takes[position] if position < len(self.takes) else self.more
            if value is None and kind == "map":
                arguments[position] = {}
            elif kind != "any":
                _check(kind or "any", value)
            run.weigh(value)
        if self.cost is not None:
            run.reserve(self.cost(*arguments))
        result = self.call(run, *arguments) if self.needs_run else self.call(*arguments)
        run.weigh(result)
        return result


_CALL: Final = 160


def takes(
    signature: str,
    call: Callable[..., object],
    *,
    cost: Callable[..., int] | None = None,
    run: bool = False,
    varies: bool = False,
    changes: bool = False,
) -> Function:
    """A function whose parameters are given as in ``int string any...``."""
    kinds = signature.split()
    more = kinds.pop().removesuffix("...") if signature.endswith("...") else None
    return Function(call, tuple(kinds), more, cost, run, varies, changes)


def _check(kind: str, value: object) -> None:
    if isinstance(value, _TYPES[kind]) and not (type(value) is bool and kind in {"int", "float"}):
        return
    wanted = _GO_NAMES.get(kind, kind)
    if value is None:
        raise GoError(f"invalid value; expected {wanted}")
    raise GoError(f"wrong type for value; expected {wanted}; got {type_name(value)}")

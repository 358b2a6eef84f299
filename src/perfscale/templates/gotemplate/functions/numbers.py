"""sprig's arithmetic. Integers are int64: they wrap around, and division truncates.

https://masterminds.github.io/sprig/math.html
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, DivisionByZero, InvalidOperation, localcontext
from typing import TYPE_CHECKING, Any, Final

from perfscale.templates.bounds.amplifiers import TooMuchError
from perfscale.templates.bounds.weights import MAX_WEIGHT, STEP
from perfscale.templates.gotemplate.formatting import plain
from perfscale.templates.gotemplate.functions.signature import Function, takes
from perfscale.templates.gotemplate.values import GoError, Int64, Ints, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_INTEGER: Final = re.compile(
    r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?[0-9])*)"
)
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_LONGEST: Final = 100
_LEAST: Final = -(1 << 63)
_MANY: Final = MAX_WEIGHT // STEP


def to_int(value: object) -> int:
    """A value as an int64, as ``cast.ToInt64`` has it: of a text that is no integer, 0."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return wrap(int(value))
    if isinstance(value, float):
        return int(value) if abs(value) < -_LEAST else _LEAST  # as amd64 converts the others
    if isinstance(value, str) and len(value) <= _LONGEST:
        return _parsed(re.sub(r"(?<=.)\.0*$", "", value))
    return 0


def _parsed(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        return 0
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    digits = digits.replace("_", "")
    is_octal = len(digits) > 1 and digits.isdigit() and digits.startswith("0")
    number = sign * (int(digits, 8) if is_octal else int(digits, 0))
    return number if wrap(number) == number else 0


def to_float(value: object) -> float:
    """A value as a float64, as ``cast.ToFloat64`` has it."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str) and len(value) <= _LONGEST and _DECIMAL.fullmatch(value):
        return float(value)
    return 0.0


def _int64(value: int) -> Int64:
    return Int64(wrap(value))


def _add(*values: object) -> Int64:
    return _int64(sum(map(to_int, values)))


def _mul(first: object, *values: object) -> Int64:
    product = to_int(first)
    for value in values:
        product = wrap(product * to_int(value))
    return Int64(product)


def quotient(first: int, second: int) -> int:
    """Go's ``/`` of two integers, which truncates.

    Raises:
        GoError: The second is 0.
    """
    if not second:
        raise GoError("integer divide by zero")
    result = abs(first) // abs(second)
    return result if (first < 0) == (second < 0) else -result


def _div(first: object, second: object) -> Int64:
    return _int64(quotient(to_int(first), to_int(second)))


def _mod(first: object, second: object) -> Int64:
    one, other = to_int(first), to_int(second)
    return _int64(one - quotient(one, other) * other)


def _decimals(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., float]:
    """Floats as exact decimals, as shopspring's: 16 digits behind the point when divided."""

    def compute(first: object, *values: object) -> float:
        with localcontext() as context:
            context.prec = 400
            result = Decimal(repr(to_float(first)))
            for value in values:
                try:
                    result = operation(result, Decimal(repr(to_float(value))))
                except (DivisionByZero, InvalidOperation) as error:
                    raise GoError("decimal division by 0, or of what is no number") from error
        return float(result) + 0.0  # there is no -0 among decimals

    return compute


def _divided(first: Decimal, second: Decimal) -> Decimal:
    if not second:
        raise GoError("decimal division by 0")
    return round(first / second, 16)


def _rounded(value: object, places: int, *least: float) -> float:
    if abs(places) > 300:
        raise TooMuchError("rounding to more than 300 places")
    power = 10.0**places
    scaled = power * to_float(value)
    if not math.isfinite(scaled):
        return scaled
    up = math.fmod(scaled, 1) >= (least[0] if least else 0.5)
    return float(math.ceil(scaled) if up else math.floor(scaled)) / power


def _whole(operation: Callable[[float], int]) -> Callable[[object], float]:
    def compute(value: object) -> float:
        number = to_float(value)
        return float(operation(number)) if math.isfinite(number) else number

    return compute


def until_step(start: int, stop: int, step: int) -> Ints:
    """The integers from one to another, without the last."""
    if (stop < start) != (step < 0):
        return Ints()
    return Ints(range(start, stop, step)) if step else Ints()


def until_cost(start: int, stop: int, step: int) -> int:
    """What the list of `until_step` weighs."""
    if not step or (stop < start) != (step < 0):
        return 0
    return abs(stop - start) // abs(step) * STEP


def _until(count: int) -> Ints:
    return until_step(0, count, -1 if count < 0 else 1)


def _sequence(*parameters: int) -> str:
    start, step, end = 1, 1, 0
    if not parameters or len(parameters) > 3:
        return ""
    end = parameters[-1]
    if len(parameters) > 1:
        start = parameters[0]
    step = -1 if end < start else 1
    if len(parameters) == 3:
        if step < 0 < parameters[1]:
            return ""
        return " ".join(map(str, until_step(start, end + step, parameters[1])))
    return " ".join(map(str, until_step(start, end + step, step)))


def _sequence_cost(*parameters: int) -> int:
    return 2 * STEP * max(map(abs, parameters), default=0)


def _decimal_of_octal(value: object) -> Int64:
    text = plain(value)
    is_octal = len(text) <= _LONGEST and re.fullmatch(r"[+-]?[0-7]+", text)
    number = int(text, 8) if is_octal else 0
    return Int64(number if wrap(number) == number else 0)


def _extreme(choose: Callable[..., Any], convert: Callable[[object], Any]) -> Callable[..., Any]:
    def compute(*values: object) -> Any:  # noqa: ANN401 -- a number of either kind
        found = choose(convert(value) for value in values)
        return Int64(found) if isinstance(found, int) else found

    return compute


def _atoi(text: str) -> int:
    is_number = len(text) <= _LONGEST and re.fullmatch(r"[+-]?[0-9]+", text)
    number = int(text) if is_number else 0
    return min(max(number, _LEAST), -_LEAST - 1)


NUMBERS: Final[dict[str, Function]] = {
    "add": takes("any...", _add),
    "add1": takes("any", lambda value: _int64(to_int(value) + 1)),
    "add1f": takes("any", lambda value: _decimals(lambda a, b: a + b)(value, 1)),
    "addf": takes("any...", lambda *values: _decimals(lambda a, b: a + b)(0.0, *values)),
    "atoi": takes("string", _atoi),
    "biggest": takes("any any...", _extreme(max, to_int)),
    "ceil": takes("any", _whole(math.ceil)),
    "div": takes("any any", _div),
    "divf": takes("any any...", _decimals(_divided)),
    "float64": takes("any", to_float),
    "floor": takes("any", _whole(math.floor)),
    "int": takes("any", to_int),
    "int64": takes("any", lambda value: Int64(to_int(value))),
    "max": takes("any any...", _extreme(max, to_int)),
    "maxf": takes("any any...", _extreme(max, to_float)),
    "min": takes("any any...", _extreme(min, to_int)),
    "minf": takes("any any...", _extreme(min, to_float)),
    "mod": takes("any any", _mod),
    "mul": takes("any any...", _mul),
    "mulf": takes("any any...", _decimals(lambda a, b: a * b)),
    "round": takes("any int float...", _rounded),
    "seq": takes("int...", _sequence, cost=_sequence_cost),
    "sub": takes("any any", lambda a, b: _int64(to_int(a) - to_int(b))),
    "subf": takes("any any...", _decimals(lambda a, b: a - b)),
    "toDecimal": takes("any", _decimal_of_octal),
    "until": takes("int", _until, cost=lambda count: abs(count) * STEP),
    "untilStep": takes("int int int", until_step, cost=until_cost),
}

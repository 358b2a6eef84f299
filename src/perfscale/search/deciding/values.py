"""Values between two others that a person can read: as few digits as the place allows."""

from __future__ import annotations

import math
from typing import Final

_WINDOW: Final = 0.008
"""How far from the middle a rounder value may be, as a share of the way between the ends.

So the larger part is at most 51 % of the whole: six values bring 64 tolerances, of which a tenth
is spare, down to one."""
_MOST_DIGITS: Final = 9


def middle(low: float, high: float, *, whole: bool = False) -> float:
    """A round value about half-way, by factors: as far above ``low`` as ``high`` is above it."""
    way = math.log(high / low)
    least, most = (low * math.exp(way * (0.5 + side)) for side in (-_WINDOW, _WINDOW))
    exact = math.sqrt(low * high)
    for digits in range(1, _MOST_DIGITS):
        value = rounded(exact, digits)
        if least <= value <= most and (not whole or value.is_integer()):
            return value
    return exact if not whole else min(max(float(round(exact)), math.floor(low) + 1), high)


def spread(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """``count`` values from ``low`` to ``high``, each by the same factor above the one before."""
    if same(low, high) or count < 2:
        return [low]
    factor = (high / low) ** (1 / (count - 1))
    inner = (low * factor**index for index in range(1, count - 1))
    values = [low, *(rounded(value, 3) for value in inner), high]
    return sorted({float(round(value)) if whole else value for value in values})


def rounded(value: float, digits: int) -> float:
    """A value with so many significant digits."""
    return float(f"{value:.{digits}g}")


def same(first: float, second: float) -> bool:
    """Whether two values differ by no more than calculating has lost."""
    return math.isclose(first, second, rel_tol=1e-9)

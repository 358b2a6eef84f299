"""Whether a change of a series is more than chance, though its place was searched for.

The better of two sides is found by trying every place, so an ordinary test of the two would find
something nearly always. What is tested is therefore the largest t of all places.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST: Final = 3
"""Values on either side of a change: fewer are outliers."""
_INTERVAL: Final = 6.0
"""By how much twice the logarithm of the likelihood may be lower; benchmarks/trend.py."""


class Certainty(NamedTuple):
    """How sure a change is.

    Attributes:
        p_value: Probability that values without a change give as large a difference somewhere.
        first: The earliest index at which the other level may begin, and the last; 95 %.
    """

    p_value: float
    first: int
    last: int


def judge_change(values: NDArray[np.float64], place: int) -> Certainty:
    """How sure it is that these values have one level before ``place`` and another from there.

    The p-value is that of the largest likelihood ratio of all places, of normal values of unknown
    mean and variance: James, James and Siegmund, "Tests for a change-point", Biometrika 74 (1987),
    71-83. Student's t is made a normal deviate as by Wallace, "Bounds on normal approximations to
    Student's and the chi-square distributions", The Annals of Mathematical Statistics 30 (1959),
    1121-1130.

    Args:
        values: All of both levels, at least twice `SHORTEST`.
        place: Where the second level begins.
    """
    n = len(values)
    if n < 2 * SHORTEST:
        return Certainty(1.0, 0, n - 1)
    places = np.arange(SHORTEST, n - SHORTEST + 1)
    squared_t = _squared_t(values, places)
    ratio = n * np.log1p(squared_t / (n - 2))
    at = min(max(place - SHORTEST, 0), len(places) - 1)
    likely = np.flatnonzero(ratio >= ratio[at] - _INTERVAL)
    freedom = n - 2
    deviate = (8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * ratio[at] / n)
    return Certainty(
        _chance_of_maximum(deviate, n, places), int(places[likely[0]]), int(places[likely[-1]])
    )


def _squared_t(values: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """The square of Student's t of what is before each place against what is from there on."""
    n = len(values)
    centred = values - values.mean()
    before = np.cumsum(centred)[places - 1]
    between = before**2 * n / (places * (n - places))  # the sums of both sides cancel out
    within = float(np.sum(centred**2)) - between
    smallest = np.finfo(np.float64).eps * max(float(np.sum(values**2)), 1e-300)
    squared: NDArray[np.float64] = (n - 2) * between / np.maximum(within, smallest)
    return squared


def _chance_of_maximum(deviate: float, n: int, places: NDArray[np.int64]) -> float:
    """Probability that the largest of all places' deviates is this large, or as small."""
    if deviate <= 0:
        return 1.0
    share = places / n
    spread = n * share * (1 - share)
    crossing = float(np.sum(np.interp(deviate / np.sqrt(spread), *_overshoots()) / spread))
    return min(1.0, deviate * _density(deviate) * crossing + math.erfc(deviate / math.sqrt(2)))


@cache
def _overshoots() -> tuple[list[float], list[float]]:
    """Sizes of steps, and for each how much rarer such steps reach a bound than smaller ones do.

    That is the function nu of the paper, by its usual approximation.
    """
    halves = [number / 50 for number in range(1, 1001)]
    below = [(1 + math.erf(half / math.sqrt(2))) / 2 for half in halves]
    rarer = [
        (share - 0.5) / half / (half * share + _density(half))
        for half, share in zip(halves, below, strict=True)
    ]
    return [2 * half for half in halves], rarer


def _density(deviate: float) -> float:
    return math.exp(-(deviate**2) / 2) / math.sqrt(2 * math.pi)

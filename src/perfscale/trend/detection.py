"""Where a series has changed.

Candidates are found by ruptures (an exact minimum of squared deviations with a penalty for each
level), more than there may be. Then the least certain is dropped, and the others judged anew with
what it had separated put together, until all that are left are certain and large enough: as in
Fleming et al., "Hunter: Using Change Point Detection to Hunt for Performance Regressions",
ICPE 2023.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import ruptures  # type: ignore[import-untyped]

from perfscale.trend.changes import Change
from perfscale.trend.significance import SHORTEST, judge_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from perfscale.trend.changes import Limits

_WINDOW: Final = 2 * SHORTEST + 1
"""Values that an outlier is one among: three of them in a row are no outliers."""
_OUTLIER: Final = 3.0
"""Standard deviations from the median of its neighbours, from where on a value is one."""
_PENALTY: Final = 2.0
"""Of a level, in logarithms of the number of values: half of what an information criterion
takes, since doubtful candidates are dropped later."""
_DEVIATIONS: Final = 0.6745 * math.sqrt(2)
"""The median distance of two normal values, in standard deviations."""


def find_changes(values: Sequence[float], limits: Limits) -> list[Change]:
    """The changes of a series, in their order.

    Args:
        values: In the order in which they were measured.
        limits: Which of them to find.
    """
    series = np.asarray(values, dtype=np.float64)
    if len(series) < 2 * SHORTEST:
        return []
    deviation = _deviation(series)
    if not deviation:
        return []
    calm = _without_outliers(series, deviation)
    ends = _candidates(calm, deviation)
    while ends:
        borders = [0, *ends, len(series)]
        found = [_judged(series, calm, *borders[place : place + 3]) for place in range(len(ends))]
        weakest = max(range(len(found)), key=lambda place: found[place].p_value)
        if found[weakest].p_value < limits.significance:
            small = [place for place, each in enumerate(found) if not each.is_beyond(limits)]
            if not small:
                return found
            weakest = min(small, key=lambda place: abs(found[place].share))
        del ends[weakest]
    return []


def _judged(
    series: NDArray[np.float64], calm: NDArray[np.float64], begin: int, index: int, end: int
) -> Change:
    certainty = judge_change(calm[begin:end], index - begin)
    # Of stretches as short as this there are several, any of which could have looked so.
    stretches = len(calm) / (end - begin)
    return Change(
        index,
        begin + certainty.first,
        begin + certainty.last,
        float(np.median(series[begin:index])),
        float(np.median(series[index:end])),
        min(1.0, stretches * certainty.p_value),
    )


def _deviation(series: NDArray[np.float64]) -> float:
    """The standard deviation within levels: of neighbours, since these have the same mostly."""
    robust = float(np.median(np.abs(np.diff(series)))) / _DEVIATIONS
    # Where most neighbours are equal, the others decide.
    return robust or float(np.std(np.diff(series))) / math.sqrt(2)


def _without_outliers(series: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    """The values, none farther from the median of those around it than a few deviations."""
    width = min(_WINDOW, len(series))
    windows = np.lib.stride_tricks.sliding_window_view(series, width)
    begins = np.clip(np.arange(len(series)) - width // 2, 0, len(series) - width)
    medians = np.median(windows, axis=1)[begins]
    reach = _OUTLIER * deviation
    return np.clip(series, medians - reach, medians + reach)


def _candidates(calm: NDArray[np.float64], deviation: float) -> list[int]:
    search = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST)
    search.fit((calm / deviation).reshape(-1, 1))
    ends = search.predict(pen=_PENALTY * math.log(len(calm)))
    return [int(end) for end in ends[:-1]]

"""Whether a difference between two sets of samples is more than chance.

Two tests, since a latency can grow as a whole or in its tail alone. Both look
at ranks only, so they assume nothing of the distribution, and an object that
never got there is a sample like any other: the longest. They are written out
here because SciPy, which has the one and half of the other, takes 200 MB with
NumPy.
"""

from __future__ import annotations

import math
from itertools import chain, groupby
from typing import TYPE_CHECKING

from perfscale.results.measure.statistics.percentiles import percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.results.measure.statistics.percentiles import LatencySamples


def rank_sum_test(base: LatencySamples, new: LatencySamples) -> float:
    """Probability that samples of one and the same distribution look this much longer.

    The test of Mann and Whitney, "On a Test of Whether one of Two Random
    Variables is Stochastically Larger than the Other", The Annals of
    Mathematical Statistics 18 (1947), 50-60, one-sided, by the normal
    approximation with corrections for ties and for continuity.

    Returns:
        The p-value: small if ``new`` is longer.
    """
    n, m = new.total, base.total
    total = n + m
    ordered = sorted(
        chain(
            ((value, 1) for value in _with_missing(new)),
            ((value, 0) for value in _with_missing(base)),
        )
    )
    rank_sum, before, ties = 0.0, 0, 0
    for _, group in groupby(ordered, key=lambda sample: sample[0]):
        members = [is_new for _, is_new in group]
        rank_sum += sum(members) * (before + (len(members) + 1) / 2)
        before += len(members)
        ties += len(members) ** 3 - len(members)
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0  # all of them are equal
    above = rank_sum - n * (n + 1) / 2 - n * m / 2
    return math.erfc((above - 0.5) / math.sqrt(2 * variance)) / 2


def quantile_test(base: LatencySamples, new: LatencySamples, quantile: float) -> float:
    """Probability that by chance so many of the longest samples are of ``new``.

    The test of Westenberg, "Significance Test for Median and Interquartile
    Range in Samples from Continuous Populations of any Form", Proceedings of
    the Koninklijke Nederlandse Akademie van Wetenschappen 51 (1948), 252-261,
    for any quantile: samples above the quantile of all of them together are
    counted, and the counts are judged by Fisher's exact test, one-sided.
    Where that quantile was not reached, those that are missing are above it.

    Returns:
        The p-value: small if ``new`` has more than its share above.
    """
    together = sorted((*base.values, *new.values))
    border = percentile(together, quantile, missing=base.missing + new.missing)
    if border is None:
        border = math.inf
    above_new, above_base = _above(new, border), _above(base, border)
    return _drawn_at_least(above_new, new.total, above_new + above_base, new.total + base.total)


def _drawn_at_least(count: int, draws: int, marked: int, total: int) -> float:
    """Probability to draw ``count`` marked ones or more, without putting back."""
    return min(
        1.0,
        math.fsum(
            math.exp(
                _log_choices(marked, drawn)
                + _log_choices(total - marked, draws - drawn)
                - _log_choices(total, draws)
            )
            for drawn in range(max(count, draws + marked - total), min(marked, draws) + 1)
        ),
    )


def _log_choices(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)


def _with_missing(samples: LatencySamples) -> Sequence[float]:
    return (*samples.values, *([math.inf] * samples.missing))


def _above(samples: LatencySamples, border: float) -> int:
    return sum(value > border for value in samples.values) + samples.missing

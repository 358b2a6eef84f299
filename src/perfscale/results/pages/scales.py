"""From values to places on an axis, and which values to write beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_TICKS: Final = 5
"""About as many as fit on a phone."""
_FEW_DECADES: Final = 2.5
_SHORTEST_S: Final = 0.0001
"""A logarithmic axis of latencies begins here at the earliest."""
_WIDE: Final = 20
"""Latencies that differ by a larger factor are drawn on a logarithmic axis."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IN_MONTHS: Final = 300
"""From so many days on, an axis shows months."""
_IN_DAYS: Final = 2
"""From so many days on, it shows days, and hours otherwise."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a plot.

    Attributes:
        label: What it measures, with the unit.
        low: Its first value.
        high: Its last value, above ``low``.
        ticks: The values written beside it.
        logarithmic: Whether equal distances are equal factors; then ``low`` is above 0.
    """

    label: str
    low: float
    high: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value is: 0 at ``low``, 1 at ``high``; never beyond."""
        return self.places((value,))[0]

    def places(self, values: Iterable[float]) -> list[float]:
        """Where each of the values is."""
        low, high = self.low, self.high
        inside = [each if low <= each <= high else min(max(each, low), high) for each in values]
        if self.logarithmic:
            width = math.log(high / low)
            return [math.log(each / low) / width for each in inside]
        width = high - low
        return [(each - low) / width for each in inside]

    def marks(self) -> list[tuple[str, float]]:
        """The ticks as text, with their places."""
        return [(short(tick), self.place(tick)) for tick in self.ticks]

    def read(self, value: float) -> float | str:
        """A value as a reader of the plot sees it."""
        return float(f"{value:.6g}")


@dataclass(frozen=True, slots=True)
class DateAxis(Axis):
    """An axis of days since ``begin``, which shows dates."""

    begin: datetime = _EPOCH

    def marks(self) -> list[tuple[str, float]]:
        """The ticks: months of a long time, days, or hours of a short one."""
        days = "%m-%d" if self.high > _IN_DAYS else "%H:%M"
        form = "%Y-%m" if self.high > _IN_MONTHS else days
        return [(f"{self._at(tick):{form}}", self.place(tick)) for tick in self.ticks]

    def read(self, value: float) -> float | str:
        """The date."""
        return f"{self._at(value):%Y-%m-%d %H:%M}"

    def _at(self, days: float) -> datetime:
        return self.begin + timedelta(days=days)


def short(value: float) -> str:
    """A number as it stands beside an axis."""
    return f"{value:,.10g}"


def from_zero(label: str, high: float, *, to_tick: bool = False) -> Axis:
    """An axis from 0 to ``high``, or to the next tick beyond it."""
    high = high if high > 0 else 1.0
    step = _step(high / _TICKS)
    if to_tick:
        high = step * math.ceil(high / step - 1e-9)
    count = math.floor(high / step + 1e-9)
    return Axis(label, 0.0, high, tuple(round(step * index, 10) for index in range(count + 1)))


def over_days(label: str, begin: datetime, days: float) -> DateAxis:
    """An axis of dates from ``begin`` on, for so many days."""
    plain = from_zero(label, days)
    return DateAxis(label, plain.low, plain.high, plain.ticks, begin=begin)


def by_factors(label: str, low: float, high: float) -> Axis:
    """A logarithmic axis between two values, both above 0."""
    high = high if high > low else low * 1.1
    within = math.log10(high / low) <= _FEW_DECADES
    factors = (1, 2, 5) if within else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks = (
        round(factor * 10.0**power, 10) for power in range(first, last + 1) for factor in factors
    )
    return Axis(label, low, high, tuple(tick for tick in ticks if low <= tick <= high), True)


def of_latencies(values: Collection[float], *, margin: float = 1.0, to_tick: bool = False) -> Axis:
    """An axis of seconds for these values: logarithmic, where they differ by large factors.

    Args:
        values: All, or the shortest and the longest ones.
        margin: By which factor a logarithmic axis goes beyond the longest.
        to_tick: Whether another one goes to the next tick.
    """
    longest = max(values, default=1.0)
    shortest = max(min(values, default=1.0), _SHORTEST_S)
    if longest / shortest > _WIDE:
        return by_factors("seconds", shortest / 1.5, longest * margin)
    return from_zero("seconds", longest, to_tick=to_tick)


def _step(least: float) -> float:
    """The smallest round number that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in _STEPS if power * step >= least * (1 - 1e-9))

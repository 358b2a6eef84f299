"""A plot as SVG paths in a frame that stretches.

The drawing is stretched to whatever room the page has, and the labels are text
of the page around it: so they are of one size on a phone, a screen and paper,
and nothing has to be drawn again when the room changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perfscale.results.pages.marks import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from perfscale.results.pages.marks import Band, Lines, Marks
    from perfscale.results.pages.scales import Axis

UNITS: Final = 1000
"""Width and height of a drawing; a unit is less than a pixel on most screens."""
BAR_WIDTH: Final = 1000
_NARROWEST: Final = 2
"""Units of a band, however short the time is that it marks."""
_DOT: Final = "h2"
"""A point with nothing on either side has to have a length to be seen."""
_MOST_ROWS: Final = 60
"""Rows of the table behind a plot."""


class Shape(StrEnum):
    """How the values of a plot are drawn."""

    LINES = "lines"
    STEPS = "steps"
    STACK = "stack"


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one band of a stack: a value for each place, or None.

    ``colour`` is its number; None takes that of its place among the others.
    """

    name: str
    values: Sequence[float | None]
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that is drawn and written of one plot.

    Attributes:
        key: Its id on the page.
        note: How to read it, in a sentence or two.
        at: Where along ``x`` the values are, ascending. Of ``STEPS``, a value
            holds until the next place, or the end of the axis.
        series: At most eight, in the order of the legend; a stack has the first at the bottom.
        shape: How they are drawn.
        marks: What is marked on it, of a plot over time.
    """

    key: str
    title: str
    note: str
    x: Axis
    y: Axis
    at: Sequence[float]
    series: tuple[Series, ...]
    shape: Shape = Shape.LINES
    marks: Marks = NONE

    @property
    def colours(self) -> list[int]:
        """The number of each series' colour."""
        return [
            place if each.colour is None else each.colour for place, each in enumerate(self.series)
        ]

    @property
    def grid(self) -> str:
        """Lines at the ticks of both axes, as the ``d`` of an SVG path."""
        across = (f"M0 {UNITS - round(UNITS * place)}H{UNITS}" for _, place in self.y.marks())
        down = (f"M{round(UNITS * place)} 0V{UNITS}" for _, place in self.x.marks())
        return "".join((*across, *down))

    def ticks(self, axis: Axis) -> list[tuple[str, str]]:
        """What is written beside an axis, and how far along that is, in per cent."""
        return [(label, f"{100 * place:.4g}%") for label, place in axis.marks()]

    def band_path(self, band: Band) -> str:
        """The drawing of a band, as the ``d`` of an SVG path; wide enough to be seen."""
        drawn: list[tuple[int, int]] = []
        for began_s, ended_s in band.spans:
            left = self._along(began_s)
            right = max(self._along(ended_s), left + _NARROWEST)
            if drawn and left <= drawn[-1][1]:  # they could not be told apart
                left, right = drawn[-1][0], max(right, drawn.pop()[1])
            drawn.append((left, right))
        return "".join(f"M{left} 0H{right}V{UNITS}H{left}Z" for left, right in drawn)

    def line_path(self, lines: Lines) -> str:
        """The drawing of moments, as lines across the plot."""
        return "".join(f"M{self._along(at_s)} 0V{UNITS}" for at_s, _ in lines.at)

    def labels(self, lines: Lines) -> list[tuple[str, float]]:
        """The numbers of moments, with their places."""
        return [(number, self.x.place(at_s)) for at_s, number in lines.at if number]

    @property
    def paths(self) -> list[str]:
        """The drawing of each series, as the ``d`` of an SVG path."""
        along = [round(UNITS * place) for place in self.x.places(self.at)]
        if self.shape is Shape.STACK:
            return list(self._bands(along))
        drawn = _steps if self.shape is Shape.STEPS else _line
        return [drawn(along, self._up(each.values)) for each in self.series]

    def reading(self) -> dict[str, Any]:
        """What the page's script shows of the place that a reader points at."""
        return {
            "steps": self.shape is Shape.STEPS,
            "places": [round(place, 4) for place in self.x.places(self.at)],
            "at": [self.x.read(at) for at in self.at],
            "values": [[_rounded(value) for value in each.values] for each in self.series],
        }

    def rows(self) -> Iterator[tuple[float | str, list[float | None]]]:
        """The table behind the plot: as many places as a person would read."""
        for index in range(0, len(self.at), self.every):
            yield self.x.read(self.at[index]), [each.values[index] for each in self.series]

    @property
    def every(self) -> int:
        """The table has each so many-th place."""
        return max(1, -(-len(self.at) // _MOST_ROWS))

    def _bands(self, along: Sequence[int]) -> Iterator[str]:
        back = along[::-1]
        bottom = [0.0] * len(along)
        lower = self._up(bottom)
        for each in self.series:
            top = [low + (value or 0.0) for low, value in zip(bottom, each.values, strict=True)]
            upper = self._up(top)
            yield _line([*along, *back], [*upper, *lower[::-1]]) + "Z"
            bottom, lower = top, upper

    def _along(self, value: float) -> int:
        return round(UNITS * self.x.place(value))

    def _up(self, values: Sequence[float | None]) -> list[int | None]:
        """How far down each value is; None where the line is interrupted."""
        places = iter(self.y.places(value for value in values if value is not None))
        return [None if value is None else UNITS - round(UNITS * next(places)) for value in values]


class Bar(NamedTuple):
    """A piece of a bar that is `BAR_WIDTH` wide, with its colour's number."""

    colour: int
    left: int
    right: int

    @property
    def path(self) -> str:
        """The drawing, as the ``d`` of an SVG path."""
        return f"M{self.left} 0H{self.right}V10H{self.left}Z"


def highest(series: Iterable[Series], *, stacked: bool = False) -> float:
    """The highest value that a plot of these has to show."""
    columns = [[value or 0.0 for value in each.values] for each in series]
    if stacked:
        columns = [[sum(column) for column in zip(*columns, strict=True)]]
    return max((value for column in columns for value in column), default=0.0)


def _line(along: Iterable[int], up: Iterable[int | None]) -> str:
    """A path through the points, interrupted where there is none."""
    path: list[str] = []
    before: tuple[int, int] | None = None
    is_dot = False
    for x, y in zip(along, up, strict=True):
        point = None if y is None else (x, y)
        if point == before:
            continue
        if point is None:
            path += [_DOT] * is_dot
        else:
            path.append(f"{'M' if before is None else 'L'}{x} {y}")
        is_dot = before is None
        before = point
    path += [_DOT] * (is_dot and before is not None)
    return "".join(path)


def _steps(along: Iterable[int], up: Iterable[int | None]) -> str:
    """A path that stays at each point's height until the next point, or the end of the axis."""
    path: list[str] = []
    before: int | None = None
    for x, y in zip(along, up, strict=True):
        if y == before:
            continue
        if before is not None:
            path.append(f"H{x}")
        if y is not None:
            path.append(f"M{x} {y}" if before is None else f"V{y}")
        before = y
    if before is not None:
        path.append(f"H{UNITS}")
    return "".join(path)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")

"""What is drawn: paths in a square of 1000 units, whose y axis points down."""

import pytest

from perfscale.results.pages.plots import Plot, Series, Shape
from perfscale.results.pages.scales import Axis


def plot(*values: list[float | None], shape: Shape, at: tuple[float, ...] = (0, 1, 2)) -> Plot:
    axis = Axis("seconds", 0.0, 4.0, (0.0, 4.0))
    series = tuple(Series(f"series {place}", each) for place, each in enumerate(values))
    return Plot(
        "key", "Title", "Note.", axis, Axis("objects", 0.0, 10.0, (0.0,)), at, series, shape
    )


@pytest.mark.parametrize(
    ("shape", "values", "path"),
    [
        (Shape.LINES, [0, 5, 10], "M0 1000L250 500L500 0"),
        (Shape.LINES, [0, None, 10], "M0 1000h2M500 0h2"),
        (Shape.LINES, [0, 0, 20], "M0 1000L250 1000L500 0"),
        (Shape.STEPS, [5, 10, 0], "M0 500H250V0H500V1000H1000"),
    ],
)
def test_a_line_goes_through_its_values(
    shape: Shape, values: list[float | None], path: str
) -> None:
    assert plot(values, shape=shape).paths == [path]


def test_bands_stand_on_each_other() -> None:
    lower, upper = plot([2, 2, 2], [3, 3, 8], shape=Shape.STACK).paths
    assert lower == "M0 800L250 800L500 800L500 1000L250 1000L0 1000Z"
    assert upper == "M0 500L250 500L500 0L500 800L250 800L0 800Z"


def test_the_table_behind_a_plot_has_as_many_rows_as_a_person_reads() -> None:
    drawn = plot(
        [float(number) for number in range(300)],
        shape=Shape.LINES,
        at=tuple(number / 100 for number in range(300)),
    )
    rows = list(drawn.rows())
    assert (len(rows), drawn.every) == (60, 5)
    assert rows[1] == (0.05, [5.0])
    reading = drawn.reading()
    assert len(reading["at"]) == len(reading["places"]) == len(reading["values"][0]) == 300


def test_a_plot_of_nothing_has_an_empty_table() -> None:
    drawn = plot([], shape=Shape.LINES, at=())
    assert list(drawn.rows()) == []
    assert drawn.every == 1

"""The lines at the bottom of a terminal: what stays of them, and of what is said above them."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import pytest
from rich.console import Console
from rich.text import Text
from screen import Screen

from perfscale.cli.output.live import LiveLines
from perfscale.cli.output.streams import say

PANEL = Text("\n".join(("first " + "=" * 70, "second " + "=" * 69, "third")))


@contextmanager
def drawing() -> Iterator[tuple[LiveLines, Screen]]:
    screen = Screen(80)
    console = Console(file=screen, force_terminal=True, width=80, height=20, _environ={})
    console.print("before")
    with redirect_stderr(screen), LiveLines(console) as live:
        live.show(PANEL)
        yield live, screen


def test_what_is_said_stands_above_and_stays() -> None:
    with drawing() as (live, screen):
        say("stopping and cleaning up; once more stops at once")
        live.show(Text("changed"))
        live.show(PANEL)
        assert screen.text == (
            f"before\nstopping and cleaning up; once more stops at once\n{PANEL.plain}"
        )


def test_what_is_typed_leaves_nothing_behind() -> None:
    with drawing() as (live, screen):
        screen.write("^C")
        say("stopping")
        live.show(PANEL)
        assert screen.text == f"before\nstopping\n{PANEL.plain}"


@pytest.mark.parametrize("width", [79, 60, 40, 20])
def test_a_terminal_that_is_made_narrower_shows_no_pieces(width: int) -> None:
    with drawing() as (live, screen):
        screen.narrow(width)
        live.console.width = width
        live.show(Text("short"))
        assert screen.text == "before\nshort"
        live.show(PANEL)
        live.show(Text("short"))
        assert screen.text == "before\nshort"


def test_more_lines_than_the_terminal_has_are_cut_off() -> None:
    with drawing() as (live, screen):
        live.show(Text("\n".join(map(str, range(100)))))
        assert screen.text == "\n".join(["before", *map(str, range(19))])


def test_nothing_stays_when_it_is_over() -> None:
    with drawing() as (live, screen):
        say("said")
    live.console.print("after")
    assert screen.text == "before\nsaid\nafter"

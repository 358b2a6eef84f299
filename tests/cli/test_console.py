"""How lines are broken that are wider than a terminal."""

import io

from rich.console import Console

from perfscale.cli.output.console import print_point, print_wrapped
from perfscale.cli.output.latencies import print_latencies
from perfscale.results.measure.statistics.percentiles import LatencySamples

TEXT = "VirtualMachineInstance ns/a, 31s, 12s of it in Scheduling: no node fits"


def printed(*, terminal: bool) -> list[str]:
    console = Console(file=io.StringIO(), width=40, force_terminal=terminal, color_system=None)
    print_wrapped(console, TEXT, indent=2)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_on_a_terminal_all_rows_of_a_line_are_indented_and_no_word_is_torn() -> None:
    rows = printed(terminal=True)
    assert all(row.startswith("  ") and len(row) <= 40 for row in rows)
    assert " ".join(row.strip() for row in rows) == TEXT


def test_of_a_word_that_is_wider_than_the_terminal_nothing_is_cut_off() -> None:
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system=None)
    path = f"/mnt/{'x' * 60}/summary-17.json"
    print_point(console, "!", f"left out: {path}: it has no values")
    assert isinstance(console.file, io.StringIO)
    rows = console.file.getvalue().splitlines()
    assert all(len(row) <= 40 for row in rows)
    assert path in "".join(row.strip() for row in rows)


def test_elsewhere_a_line_stays_whole_for_searches() -> None:
    assert printed(terminal=False) == [f"  {TEXT}"]


def test_a_phase_of_the_cluster_is_no_markup() -> None:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    samples = LatencySamples()
    samples.add(1.0)
    print_latencies(console, [("[/odd]", samples.summarize())])
    assert isinstance(console.file, io.StringIO)
    assert "[/odd]" in console.file.getvalue()

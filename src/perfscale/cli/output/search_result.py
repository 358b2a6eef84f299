"""A search on the terminal: a line for each step, and at the end a table and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from perfscale.cli.options import Output
from perfscale.cli.output.console import open_console, print_point
from perfscale.cli.output.streams import say
from perfscale.config import format_duration
from perfscale.config.sections.metrics import Latency
from perfscale.search import PAGE_FILE, Verdict, at

if TYPE_CHECKING:
    from rich.console import Console

    from perfscale.search import SearchDocument, SearchFolder, Step

_WORDS = {
    Verdict.HOLDS: "[green]holds[/]",
    Verdict.LOST: "[red]lost[/]",
    Verdict.NOT_COUNTED: "[yellow]not counted[/]",
}
_MOST_REASONS = 10


def say_step(step: Step, document: SearchDocument) -> None:
    """Before a step."""
    say(f"\nstep {step.number}: {at(document.plan, step.value)}")


def say_verdict(step: Step, document: SearchDocument) -> None:
    """After it."""
    verdict = "did not come to its end" if step.verdict is None else _plain(step.verdict)
    why = f": {step.reasons[0]}" if step.reasons else ""
    say(f"step {step.number}: {at(document.plan, step.value)} {verdict}{why}")


def _plain(verdict: Verdict) -> str:
    return "is not counted" if verdict is Verdict.NOT_COUNTED else f"{verdict.value}"


def say_removing(step: Step, document: SearchDocument) -> None:
    """Before what an earlier step has left is removed."""
    say(f"removing what step {step.number} ({at(document.plan, step.value)}) may have left")


def say_settling(seconds: float) -> None:
    """Before a pause."""
    say(f"pausing for {format_duration(seconds)}")


def print_search(document: SearchDocument, folder: SearchFolder, *, output: Output) -> None:
    """Print the answer, the steps, and where the rest is; as JSON, the document."""
    if output is Output.JSON:
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
        typer.echo(text)
        return
    console = open_console()
    console.print()
    _print_steps(console, document)
    answer = document.answer
    text = "no answer yet" if answer is None else answer.text
    console.print(f"\n[bold]{escape(text)}[/]", soft_wrap=True)
    ends = () if answer is None else (answer.lost_at, answer.not_judged_at)
    for end in (each for each in ends if each is not None):
        for reason in end.reasons[:_MOST_REASONS]:
            print_point(console, "[red]✗[/]", reason)
    if document.expectation is not None:
        met = {True: "[green]met[/]", False: "[red]not met[/]", None: "not known"}
        expected = escape(document.expectation.text)
        console.print(f"expected {expected}: {met[document.expectation.met]}")
    console.print(f"\nresults: {escape(str(folder.path))}", soft_wrap=True)
    console.print(f"report:  {escape(str(folder.path / PAGE_FILE))}", soft_wrap=True)


def _print_steps(console: Console, document: SearchDocument) -> None:
    """A row for each step, by value, with the first latency and rate of each."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 1), header_style="dim")
    for name in ("value", "step", "p50", "p99", "accepted/s"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    measures = {each.latencies[0].measure for each in document.steps if each.latencies}
    # What answers took is another thing: it stands there where nothing is ever ready.
    shown = measures & {Latency.READY.value, "effect"} or measures
    for step in sorted(document.steps, key=lambda each: (each.value, each.number)):
        latency = next((each for each in step.latencies[:1] if each.measure in shown), None)
        rate = step.rates[0].achieved_qps if step.rates else None
        table.add_row(
            escape(at(document.plan, step.value)),
            str(step.number),
            "" if latency is None else _seconds(latency.p50),
            "" if latency is None else _seconds(latency.p99),
            "" if rate is None else f"{rate:.1f}",
            "did not end" if step.verdict is None else _WORDS[step.verdict],
        )
    console.print(table)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

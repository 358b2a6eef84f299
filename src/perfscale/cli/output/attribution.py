"""Where the time of slow objects went, in two lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from perfscale.cli.output.console import print_wrapped
from perfscale.config import counted
from perfscale.results import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from perfscale.results import AttributedObject, AttributionResult


def print_attribution(console: Console, found: AttributionResult | None) -> None:
    """Print it, if an object was slow."""
    if found is None or not found.objects:
        return
    console.print("\n[bold]slow objects[/]")
    print_wrapped(console, _all(found), indent=2)
    print_wrapped(console, escape(_slowest(found.objects[0])), indent=2)


def _all(found: AttributionResult) -> str:
    took_s = sum(each.lasted_s for each in found.objects)
    by_size = sorted(found.causes.items(), key=lambda each: -each[1])
    causes = ", ".join(
        f"{WORDS[cause]} {lasted_s:.1f} s ({lasted_s / took_s:.0%})" for cause, lasted_s in by_size
    )
    return f"{counted(len(found.objects), 'object')} took {took_s:.1f} s in all: {causes}"


def _slowest(slow: AttributedObject) -> str:
    return f"the slowest, {', '.join(_said(slow))}"


def _said(slow: AttributedObject) -> Iterator[str]:
    yield f"{slow.kind} {'/'.join(part for part in (slow.namespace, slow.name) if part)}"
    yield f"took {slow.lasted_s:.1f} s{'' if slow.ready else ' and is not ready'}"
    if slow.causes:
        cause, lasted_s = max(slow.causes.items(), key=lambda each: each[1])
        yield f"{lasted_s:.1f} s of it {WORDS[cause]}"

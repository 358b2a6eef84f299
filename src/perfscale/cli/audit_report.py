"""What an audit has found, in lines that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.config import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from perfscale.audit import Audit, Value, Window


def reach_warnings(window: Window, reached: datetime | None, hint: str) -> Iterator[str]:
    """What is missing from an audit, or in it too much, because of when Prometheus scrapes.

    Args:
        window: The time of the audit.
        reached: How far the data of Prometheus reaches; None if it cannot say.
        hint: What to do where it does not reach far enough.
    """
    if reached is None:
        yield "warning: Prometheus knows no scrape (up): how far its data reaches is not known"
    elif reached <= window.end:
        short = format_duration(round((window.end - reached).total_seconds(), 1))
        yield (
            f"warning: the data of Prometheus reaches until {reached:%H:%M:%S} UTC, {short} before "
            f"the end of the test: what came later is not counted{hint}"
        )
    if window.before_s:
        before = format_duration(round(window.before_s, 1))
        yield (
            f"note: the test was shorter than 10 scrapes: rates and counts are taken over "
            f"{format_duration(window.range_s)}, and {before} before the test are in them"
        )


def findings(audit: Audit) -> Iterator[str]:
    """What went wrong, and what there was nothing of."""
    yield from (f"error: {failure}" for failure in audit.failures)
    for what, names in (
        ("no data", audit.empty),
        ("not a number, as of no observation, and counted as 0", audit.not_numbers),
        ("no result to judge by the threshold of", audit.unjudged),
    ):
        if names:
            yield f"note: {what}: {_listed(names)}"


def verdicts(audit: Audit) -> Iterator[str]:
    """How the results compare with their thresholds."""
    for name, each in audit.values.items():
        if each.verdict is not None:
            mark = "✗" if each.verdict.exceeded else "✓"
            yield f"  {mark} {name} {number(each)}, {limit(each)}"


def number(value: Value) -> str:
    """A result with its unit."""
    return f"{value.value:.6g} {value.unit}".rstrip()


def limit(value: Value) -> str:
    """The threshold of a result; empty if it has none."""
    verdict = value.verdict
    if verdict is None:
        return ""
    how = "above" if verdict.exceeded else "at most"
    by = f", by the ratio to {verdict.metric}" if verdict.metric else ""
    return f"{how} {verdict.limit:.6g}{by}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)

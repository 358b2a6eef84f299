"""What slow objects waited for, in one run and in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.results.comparison.rows import Row
from perfscale.results.model.course.attribution import WORDS, WaitCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.comparison.rows import Subject
    from perfscale.results.model.document import Summary


def slow_rows(subject: Subject, base: Summary, new: Summary) -> Iterator[Row]:
    """For each cause how long it took a slow object of the kind on average, in both runs.

    These show where a difference comes from, and have no verdict. There are none unless both runs
    kept slow objects of the kind.
    """
    before, now = _means(subject, base), _means(subject, new)
    if not before or not now:
        return
    for cause in WaitCause:
        if cause in before or cause in now:
            means = round(before.get(cause, 0.0), 6), round(now.get(cause, 0.0), 6)
            yield Row(subject, f"slow: {WORDS[cause]}", "", *means)


def _means(subject: Subject, summary: Summary) -> dict[WaitCause, float]:
    slow = [
        each
        for each in (summary.attribution.objects if summary.attribution else ())
        if (each.workload, each.kind) == (subject.workload, subject.kind)
    ]
    total: dict[WaitCause, float] = {}
    for each in slow:
        for name, lasted_s in each.causes.items():
            total[WaitCause(name)] = total.get(WaitCause(name), 0.0) + lasted_s
    return {cause: lasted_s / len(slow) for cause, lasted_s in total.items()}

"""What slow objects waited for, in two runs that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attribution import slow
from run_folders import finished_run, vmi

from perfscale.results import (
    AttributedObject,
    AttributionCounts,
    AttributionEntry,
    WaitCause,
)
from perfscale.results.comparison import Comparison, Limits, Verdict, compare, read_compared

if TYPE_CHECKING:
    from pathlib import Path


def run(folder: Path, *found: AttributedObject) -> Path:
    counts = AttributionCounts(limit=20)
    lives = [vmi(number, sent_s=number / 10, ready_after_s=1.0) for number in range(20)]
    kept = [AttributionEntry(9.0, each.uid, each, counts) for each in found]
    return finished_run(folder, [*lives, *kept], requested=20)


def compared(base: Path, new: Path) -> Comparison:
    return compare(read_compared(base), read_compared(new), Limits())


def test_the_mean_of_each_cause_stands_beside_the_others_without_a_verdict(tmp_path: Path) -> None:
    before = run(
        tmp_path / "base",
        slow("a", (WaitCause.GUEST, 4.0)),
        slow("b", (WaitCause.SCHEDULING, 6.0), (WaitCause.GUEST, 2.0)),
        slow("c", (WaitCause.GUEST, 99.0), kind="Pod"),
    )
    now = run(tmp_path / "new", slow("a", (WaitCause.IMAGE_PULL, 10.0), (WaitCause.GUEST, 3.0)))
    comparison = compared(before, now)
    found = {row.measure: (row.base, row.new) for row in comparison.rows if "slow" in row.measure}
    assert found == {
        "slow: waiting to be scheduled": (3.0, 0.0),
        "slow: image pull": (0.0, 10.0),
        "slow: guest": (3.0, 3.0),
    }
    assert comparison.verdict is Verdict.SAME


def test_a_run_without_slow_objects_is_compared_without_causes(tmp_path: Path) -> None:
    before = run(tmp_path / "base", slow("a", (WaitCause.GUEST, 4.0)))
    comparison = compared(before, run(tmp_path / "new"))
    assert not [row for row in comparison.rows if "slow" in row.measure]

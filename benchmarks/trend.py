"""How often a change is found in series without one, how often one that is there, and how fast.

Values of a normal distribution with 5 % of noise around their level, of which the last ones may be
10 % higher. Then results of audits are read, and the page about them written. Ends with exit code
1 if the rates are not those of docs/trend.md, or reading takes ten seconds or more.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from figures import report

from perfscale.trend import Limits, analyse, collect, write_trend
from perfscale.trend.detection import find_changes

_NOISE: Final = 0.05
_SHIFT: Final = 0.10
_LENGTHS: Final = (20, 40, 100, 300)
_AFTER: Final = (3, 5, 8, 10, 20)
_NEAR: Final = 3
"""So many values away a change may be found."""
_MOST_FALSE: Final = 0.01
_LEAST_FOUND: Final = 0.8
"""Of changes with ten values after them, in a series of so many values:"""
_MANY: Final = 100
_MOST_S: Final = 10.0

Noise = Callable[[random.Random, int], list[float]]


def normal(chance: random.Random, length: int) -> list[float]:
    """Values that have nothing to do with each other."""
    return [chance.gauss(0, 1) for _ in range(length)]


def hanging_together(chance: random.Random, length: int) -> list[float]:
    """Each has three tenths of the one before it."""
    values = [chance.gauss(0, 1)]
    while len(values) < length:
        values.append(0.3 * values[-1] + (1 - 0.3**2) ** 0.5 * chance.gauss(0, 1))
    return values


def with_outliers(chance: random.Random, length: int) -> list[float]:
    """One in twenty is half as high again, up to three times as high."""
    return [
        chance.uniform(10, 40) if chance.random() < 0.05 else chance.gauss(0, 1)
        for _ in range(length)
    ]


def series(noise: list[float], after: int = 0) -> list[float]:
    """A level of 100, or 110 in the last values."""
    begin = len(noise) - after
    return [
        100 * (1 + _NOISE * each) * (1 + _SHIFT * (index >= begin))
        for index, each in enumerate(noise)
    ]


def rates(noise: Noise, length: int, rounds: int, limits: Limits) -> dict[str, float | None]:
    """How often something is found where nothing is, and what is there; and of the intervals."""
    chance = random.Random(f"{noise.__name__} {length}")  # noqa: S311 -- no secret
    false = sum(bool(find_changes(series(noise(chance, length)), limits)) for _ in range(rounds))
    row: dict[str, float | None] = {"p below": limits.significance, "values": length}
    row["false"] = false / rounds
    covered = found = 0
    for after in _AFTER:
        if length < after + 10:
            row[f"after {after}"] = None
            continue
        hits = 0
        for _ in range(rounds):
            place = length - after
            changes = find_changes(series(noise(chance, length), after), limits)
            hits += any(abs(each.index - place) <= _NEAR for each in changes)
            if len(changes) == 1:
                found += 1
                covered += changes[0].first <= place <= changes[0].last
        row[f"after {after}"] = hits / rounds
    row["in its interval"] = covered / found if found else None
    return row


def audits(count: int, folder: Path) -> None:
    """Files as KubeVirt's CI publishes them, with a hundred numbers each."""
    chance = random.Random(1)  # noqa: S311 -- no secret
    for number in range(count):
        at = datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=number / 2)
        level = 1.2 if number > count / 2 else 1.0
        values = {
            f"LIST-resource{kind}-count": {"value": chance.gauss(100, 5) * level}
            for kind in range(98)
        }
        for name, usual in (("P50", 40), ("P95", 50)):
            values[f"vmiCreationToRunningSeconds{name}"] = {"value": chance.gauss(usual, 2) * level}
        path = folder / "density" / str(1_000_000 + number) / "results.json"
        path.parent.mkdir(parents=True)
        document = {"JobDirCreationTime": at.isoformat(), "VMIResult": {"Values": values}}
        path.write_text(json.dumps(document, indent=2))


def reading(count: int) -> float:
    """Read so many files and say all that is to be said of them; CPU seconds."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        audits(count, folder)
        before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        started, began = time.perf_counter(), time.process_time()
        collected = collect([str(folder)], folder)
        read_s = time.process_time() - began
        trends = analyse(collected, Limits(), recent=20)
        write_trend(folder / "trend.html", collected, trends)
        cpu_s = time.process_time() - began
        elapsed_s = time.perf_counter() - started
        size_mb = (folder / "trend.html").stat().st_size / 1e6
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    values = sum(len(each.values) for each in collected.series.values())
    print(
        f"{count} files with {values} numbers: read in {read_s:.1f} s of CPU, with changes and "
        f"page {cpu_s:.1f} s ({elapsed_s:.1f} s elapsed), {peak_mb - before_mb:.0f} MB more than "
        f"before; a page of {size_mb:.1f} MB"
    )
    return elapsed_s


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, str | float | None]] = []
    wrong = False
    for noise in (normal, hanging_together, with_outliers):
        for significance in (0.001, 0.01):
            for length in _LENGTHS:
                limits = Limits(significance=significance)
                found = rates(noise, length, options.rounds, limits)
                row: dict[str, str | float | None] = {"noise": noise.__name__}
                row.update(found)
                rows.append(row)
                if noise is normal and limits == Limits():
                    wrong = wrong or _is_wrong(length, found)
    report(rows, options.json)
    elapsed_s = reading(options.files)
    return int(wrong or elapsed_s >= _MOST_S)


def _is_wrong(length: int, found: dict[str, float | None]) -> bool:
    power = found["after 10"] if length >= _MANY else None
    return (found["false"] or 0.0) > _MOST_FALSE or (power is not None and power < _LEAST_FOUND)


if __name__ == "__main__":
    sys.exit(main())

"""What the command costs before it does anything: CPU time of `--help` and of `validate`.

CPU time and not elapsed time, because people feel the start of a command on machines that
are busy with something else, and because it is what a change of ours can make worse.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Budget:
    """A command line, and the CPU time that it may take."""

    arguments: tuple[str, ...]
    limit_s: float


@dataclass(frozen=True)
class Measurement:
    """CPU time, user and system, of one command over several runs, and its largest memory."""

    command: str
    runs: int
    limit_s: float
    min_s: float
    median_s: float
    max_s: float
    max_rss_mib: float


# The packaged workload is the one that `validate` takes when none is named.
BUDGETS: Final = (
    Budget(("--help",), 0.3),
    Budget(("run", "--help"), 0.3),
    Budget(("validate",), 0.6),
)


def find_command() -> str:
    """Return the `perfscale` of the environment that runs this script."""
    return str(Path(sys.executable).with_name("perfscale"))


def run_once(command: list[str]) -> tuple[float, int]:
    """Run a command in an empty directory; return its CPU seconds and its peak memory in KiB.

    Raises:
        SystemExit: It failed, so that its time would say nothing.
    """
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen(
            command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        # Unlike the usage of all children, it is that of this one alone, with its own peak.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss  # KiB on Linux


def measure(budget: Budget, runs: int) -> Measurement:
    """Run one command several times, after one run that fills the file system's cache."""
    command = [find_command(), *budget.arguments]
    run_once(command)
    samples = [run_once(command) for _ in range(runs)]
    times = [seconds for seconds, _ in samples]
    return Measurement(
        command=" ".join(("perfscale", *budget.arguments)),
        runs=runs,
        limit_s=budget.limit_s,
        min_s=round(min(times), 3),
        median_s=round(statistics.median(times), 3),
        max_s=round(max(times), 3),
        max_rss_mib=round(max(kib for _, kib in samples) / 1024, 1),
    )


def print_table(measurements: list[Measurement]) -> None:
    """Print what a person compares: the median against its limit, and the spread."""
    header = ("command", "min", "median", "max", "limit", "memory")
    print("{:<24}{:>10}{:>10}{:>10}{:>10}{:>12}".format(*header))
    for found in measurements:
        seconds = (found.min_s, found.median_s, found.max_s, found.limit_s)
        cells = "".join(f"{value:>8.3f} s" for value in seconds)
        verdict = "" if found.median_s <= found.limit_s else "  over its limit"
        print(f"{found.command:<24}{cells}{found.max_rss_mib:>8.1f} MiB{verdict}")


def main() -> int:
    """Measure every command; return 1 if the median of one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="runs of each command")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    measurements = [measure(budget, options.runs) for budget in BUDGETS]
    print_table(measurements)
    if options.json:
        report = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "measurements": [asdict(found) for found in measurements],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(any(found.median_s > found.limit_s for found in measurements))


if __name__ == "__main__":
    sys.exit(main())

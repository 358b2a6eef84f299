"""How much CPU it takes to list the runs of a folder, and to find one by its tag.

Ends with exit code 1 if listing a thousand takes a second of CPU or more.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from lifecycle import run_process

_MOST_S: Final = 1.0
_PROGRAM: Final = str(Path(sys.executable).with_name("perfscale"))


def make_runs(directory: Path, count: int) -> None:
    """A run on the simulated cluster, and as many more with all its files but the large ones."""
    subprocess.run(
        [_PROGRAM, "run", "--simulate", "--speed=20", "--quiet", "--tag=build=0", "--no-report"],
        cwd=directory,
        check=True,
        capture_output=True,
    )
    first = (directory / "results" / "latest").resolve()
    files = {name: json.loads((first / name).read_text()) for name in ("run.json", "summary.json")}
    for number in range(1, count):
        folder = directory / "results" / f"run-{number}"
        folder.mkdir()
        shutil.copy(first / "workload.yaml", folder)
        started = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        for name, document in files.items():
            document |= {"runId": f"{number:08x}", "startedAt": started.isoformat()}
            if name == "run.json":
                document["tags"] = {"build": str(number)}
            (folder / name).write_text(json.dumps(document, indent=2))


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        make_runs(directory, options.runs)
        size = sum(path.stat().st_size for path in directory.rglob("summary.json"))
        print(f"{options.runs} runs, summaries of {size / options.runs / 1000:.0f} kB each")
        listed: list[float] = []
        for arguments in (["runs"], ["runs", "--output=json"], ["tag", "build=7", "build=7"]):
            measured = []
            for _ in range(options.rounds):
                started = time.perf_counter()
                cpu_s, peak_mb, _ = run_process([_PROGRAM, *arguments], directory)
                measured.append((cpu_s, time.perf_counter() - started, peak_mb))
            cpu_s, elapsed_s, peak_mb = (
                statistics.median(each) for each in zip(*measured, strict=True)
            )
            print(
                f"perfscale {' '.join(arguments)}: {cpu_s:.2f} s of CPU, {elapsed_s:.2f} s, "
                f"{peak_mb:.0f} MB"
            )
            listed.append(cpu_s)
    return int(max(listed) >= _MOST_S)


if __name__ == "__main__":
    sys.exit(main())

"""Does `perfscale search` find a limit that is known? A search for each of many seeds.

Each seed draws a limit, by factors, between 4 and 30 pods a second, and gives the simulated cluster
a scheduler that breaks there (see docs/simulated-cluster.md). The search looks from 1.5 to 60, with
the options that it has without any, and is to find the limit within its tolerance of 5 %, in as
many runs as it promises at most.

It ends with exit code 1 when more than one seed in 20 is outside of that. A run takes some 13 s, so
that 20 seeds take 50 minutes; the machine is idle for most of it. It has to be: a scheduler that
gets no CPU for half a second has more waiting than it can bear at a rate that it could take.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from figures import Row, report

LOWEST: Final = 4.0
HIGHEST: Final = 30.0
RANGE: Final = (1.5, 60)
TOLERANCE: Final = 0.05
MOST_RUNS: Final = 12
WRONG: Final = 1 / 20

WORKLOAD: Final = """\
workloads:
  - name: density
    qps: 10
    burst: 1
    duration: 12s
    iterationCreationWait: true
    iterationCleanup: true
    iterationDeletionWait: true
    thresholds:
      - {metric: podReady, quantile: p90, max: 500ms, abortOnFail: true}
    objects:
      - templateFile: templates/pod.yaml
        replicas: 100000
"""
"""The p90, which a moment in which the machine does something else does not change."""
FAULTS: Final = """\
seed: {seed}
cluster:
  contention: {{resource: pods, perSecond: {limit}, inFlight: {in_flight}}}
"""
PATIENCE_S: Final = 0.3
"""So much waiting makes turns no longer yet."""


def limit_of(seed: int) -> float:
    """The limit that a seed draws."""
    drawn = random.Random(seed).uniform(math.log(LOWEST), math.log(HIGHEST))  # noqa: S311
    return round(math.exp(drawn), 1)


def search(folder: Path, seed: int, limit: float) -> dict[str, Any]:
    """Search with a seed; returns what ``search.json`` holds."""
    workload, faults = folder / "density.yaml", folder / f"faults-{seed}.yaml"
    workload.write_text(WORKLOAD, encoding="utf-8")
    in_flight = max(2, round(PATIENCE_S * limit))
    faults.write_text(FAULTS.format(seed=seed, limit=limit, in_flight=in_flight), encoding="utf-8")
    line = ["search", str(workload), "--vary", "qps", f"--from={RANGE[0]}", f"--to={RANGE[1]}"]
    line += ["--settle=1s", "--simulate", "--speed=100", f"--faults={faults}", "--quiet"]
    line += [f"--results-dir={folder / 'results'}", "--output=json"]
    done = subprocess.run(
        [sys.executable, "-m", "perfscale", *line], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(f"seed {seed}: exit code {done.returncode}\n{done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def row_of(seed: int, limit: float, document: dict[str, Any]) -> Row:
    """What a search has found, and how far that is from the limit."""
    ends = document["answer"]["holdsAt"], document["answer"]["lostAt"]
    holds, lost = (None if end is None else end["value"] for end in ends)
    return {
        "seed": seed,
        "limit": limit,
        "holds at": holds,
        "lost at": lost,
        "off %": None if holds is None else 100 * (holds / limit - 1),
        "runs": len(document["steps"]),
    }


def is_right(row: Row) -> bool:
    """Whether the limit was found within the tolerance, in so many runs."""
    holds, limit, runs = row["holds at"], row["limit"], row["runs"]
    if not isinstance(holds, float | int) or not isinstance(limit, float):
        return False
    return abs(holds / limit - 1) <= TOLERANCE and isinstance(runs, int) and runs <= MOST_RUNS


def main() -> int:
    """Search with every seed; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(given.first, given.first + given.seeds):
            limit = limit_of(seed)
            rows.append(row_of(seed, limit, search(Path(folder), seed, limit)))
            sys.stderr.write(f"{rows[-1]}\n")
    report(rows, given.json)
    right = sum(map(is_right, rows))
    sys.stdout.write(f"{right} of {len(rows)} within {TOLERANCE:.0%}, in {MOST_RUNS} runs\n")
    return 0 if right >= math.floor(len(rows) * (1 - WRONG)) else 1


if __name__ == "__main__":
    sys.exit(main())

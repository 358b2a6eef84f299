"""The whole life of N VMIs: created, Running, deleted, gone. What it costs the client.

In turns with the floor program (`floor.py`), on the same server, with the same controllers
beside it. What a run costs before its first object is left out: the cost of a VMI is the
difference between the runs of a number and of the next smaller one, divided by how many more
objects that is.

Ends with exit code 1 if a run has not counted exactly what happened: every VMI created, ready and
gone, once, and every watch that was opened again.

    python benchmarks/lifecycle.py --cluster real --counts 1000,3000
    python benchmarks/lifecycle.py --cluster simulated --counts 1000,5000,50000

The real API server is started from the programs in KUBEBUILDER_ASSETS (see CONTRIBUTING.md).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from figures import Row, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from process_group import ProcessGroup
from real_control_plane import RealControlPlane

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKLOAD: Final = """
globalConfig: {maxInFlight: 64}  # as many as the floor program
workloads:
  - name: life
    iterationCreationWait: true
    iterationCleanup: true
    iterationDeletionWait: true
    objects:
      - templateFile: templates/vmi-ephemeral.yaml
        inputVars: {containerImg: cirros-container-disk-demo}
"""
HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Life:
    """One pass: what the process took, and how long each stage was."""

    cpu_s: float
    peak_mb: float
    create_s: float
    ready_s: float
    gone_s: float


def run_process(command: list[str], directory: Path) -> tuple[float, float, str]:
    """Run a client to its end; CPU seconds, peak memory in MB, and its standard output.

    Raises:
        SystemExit: It failed, so that its figures would say nothing.
    """
    output = directory / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=directory, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text(encoding="utf-8")
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{text[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, text


def live_as_floor(kubeconfig: Path, count: int, directory: Path) -> Life:
    """One pass of the floor program."""
    command = [sys.executable, str(HERE / "floor.py"), str(kubeconfig), str(count)]
    cpu_s, peak_mb, text = run_process(command, directory)
    return Life(cpu_s, peak_mb, **json.loads(text.splitlines()[-1]))


def live_as_run(kubeconfig: Path, count: int, directory: Path) -> Life:
    """One pass of `perfscale run`, with everything that it does by default."""
    workload = directory / "life.yaml"
    workload.write_text(WORKLOAD, encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=directory) as results:
        program = str(Path(sys.executable).with_name("perfscale"))
        command = [program, "run", str(workload), f"--kubeconfig={kubeconfig}"]
        command += [f"--replicas={count}", f"--results-dir={results}"]
        cpu_s, peak_mb, _ = run_process(command, directory)
        folder = (Path(results) / "latest").resolve()
        summary = json.loads((folder / "summary.json").read_text())
        records = Records(folder / "objects.ndjson")
    check(summary, records, count)
    return Life(
        cpu_s,
        peak_mb,
        create_s=records.last_sent_s - records.first_sent_s,
        ready_s=records.asked_s - records.last_sent_s,
        gone_s=summary["workloads"][0]["iterations"][0]["finishedSeconds"] - records.asked_s,
    )


class Records:
    """What the objects' records come to.

    They are not kept: the peak memory that the system tells of a process is never less than what
    the one that started it took.

    Attributes:
        count: How many there are.
        lived: UIDs of the objects that became ready and went.
        first_sent_s: When the first create was sent, and ``last_sent_s`` the last.
        asked_s: When the first object was asked to go.
    """

    def __init__(self, path: Path) -> None:
        self.count = 0
        self.lived: set[str] = set()
        self.first_sent_s = self.asked_s = math.inf
        self.last_sent_s = 0.0
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                self._read(json.loads(line))

    def _read(self, record: dict[str, Any]) -> None:
        self.count += 1
        if record["ready_s"] is not None and record["deleted_s"] is not None:
            self.lived.add(record["uid"])
        self.first_sent_s = min(self.first_sent_s, record["sent_s"])
        self.last_sent_s = max(self.last_sent_s, record["sent_s"])
        self.asked_s = min(self.asked_s, record["delete_requested_s"])


def check(summary: dict[str, Any], records: Records, count: int) -> None:
    """See that everything was counted, and nothing twice.

    Raises:
        SystemExit: It was not.
    """
    opened = [
        call["statuses"].get("200", 0) for call in summary["calls"] if call["verb"] == "watch"
    ]
    told = {
        **{name: summary["objects"][name] for name in ("created", "ready", "deleted")},
        "records": records.count,
        "lives": len(records.lived),
    }
    watches = summary["watch"]
    if set(told.values()) != {count} or sum(opened) != len(opened) + watches["reconnects"]:
        sys.exit(f"not exact for {count} VMIs: {told}; watches opened: {opened}, {watches}")


@contextmanager
def cluster(kind: str, directory: Path, speed: float) -> Iterator[Path]:
    """A cluster that is quick to move its VMIs on; gives its kubeconfig."""
    if kind == "simulated":
        kubeconfig = directory / "simulated.kubeconfig"
        program = str(Path(sys.executable).with_name("perfscale"))
        command = [program, "simulate", f"--kubeconfig-out={kubeconfig}", f"--speed={speed}"]
        with ProcessGroup() as group:
            group.start(command, log=directory / "simulate.log")
            _wait_for(kubeconfig)
            yield kubeconfig
        return
    with real_cluster(directory, speed) as real:
        yield real.kubeconfig


@contextmanager
def real_cluster(directory: Path, speed: float) -> Iterator[RealControlPlane]:
    """A real control plane, and controllers beside it that move VMIs on.

    Raises:
        SystemExit: Nobody says where its programs are.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets is None:
        sys.exit("KUBEBUILDER_ASSETS is not set: see CONTRIBUTING.md")
    home = directory / "control-plane"
    home.mkdir()
    with RealControlPlane(Path(assets), home) as real, ProcessGroup() as group:
        ready = directory / "controllers-are-up"
        command = [sys.executable, str(HERE / "controllers.py"), str(real.kubeconfig)]
        group.start([*command, str(speed), str(ready)], log=directory / "controllers.log")
        _wait_for(ready)
        yield real


def _wait_for(path: Path) -> None:
    while not path.exists():
        subprocess.run(["sleep", "0.1"], check=True)


CONTESTANTS: Final = {"floor": live_as_floor, "perfscale": live_as_run}


def main() -> None:
    """Let both live through all the numbers, in turns, and print medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cluster", choices=("simulated", "real"), default="simulated")
    parser.add_argument("--counts", default="100,1000", help="numbers of VMIs, comma-separated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--speed", type=float, default=1000.0, help="of the controllers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    counts = sorted(int(count) for count in options.counts.split(","))
    found: dict[tuple[str, int], list[Life]] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        cluster(options.cluster, Path(name), options.speed) as kubeconfig,
    ):
        for _ in range(options.rounds):
            for count in counts:
                for contestant, live in CONTESTANTS.items():
                    life = live(kubeconfig, count, Path(name))
                    found.setdefault((contestant, count), []).append(life)
    fewer = {count: before for before, count in pairwise([0, *counts])}
    report([_row(name, count, found, fewer[count]) for name, count in found], options.json)


def _row(name: str, count: int, found: dict[tuple[str, int], list[Life]], fewer: int) -> Row:
    lives = found[name, count]

    def marginal_ms(contestant: str) -> list[float]:
        pairs = zip(found[contestant, fewer], found[contestant, count], strict=True)
        return [(many.cpu_s - few.cpu_s) / (count - fewer) * 1e3 for few, many in pairs]

    row: dict[str, str | int | float | None] = {
        "client": name,
        "VMIs": count,
        "CPU s": statistics.median(life.cpu_s for life in lives),
        "peak MB": max(life.peak_mb for life in lives),
        "create s": statistics.median(life.create_s for life in lives),
        "creates/s": statistics.median((count - 1) / life.create_s for life in lives),
        "ready s": statistics.median(life.ready_s for life in lives),
        "gone s": statistics.median(life.gone_s for life in lives),
        "ms CPU/VMI": None,
        "of floor": None,
    }
    if fewer:
        row["ms CPU/VMI"] = statistics.median(marginal_ms(name))
        floor = marginal_ms("floor")
        row["of floor"] = statistics.median(
            ours / theirs for ours, theirs in zip(marginal_ms(name), floor, strict=True)
        )
    return row


if __name__ == "__main__":
    main()

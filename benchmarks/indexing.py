"""How much memory it takes to send the documents of a run, or a tarball of them, to an index.

Each measurement is a process of its own. Ends with exit code 1 if the server did not get every
document, or if ten times as many take more than a bound for each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from run_folders import finished_run, vmi
from search_engine import search_engine

_PERFSCALE: Final = """\
import resource, sys
from perfscale.cli.app import invoke
code = invoke(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss: that begins with what the parent had.
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(peak, usage.ru_utime + usage.ru_stime)
sys.exit(code)
"""
_MOST_BYTES_EACH: Final = 200
"""The latencies of an instance, eight bytes each, and what it takes to sort one of them."""


class Cost(NamedTuple):
    """What a process needed."""

    peak_kib: int
    cpu_s: float


def run_folder(folder: Path, count: int) -> Path:
    """The folder of a run with so many instances: its first record, again and again."""
    run = finished_run(folder / f"run-{count}", [vmi(1)], requested=1)
    path = run / "objects.ndjson"
    line = path.read_text()
    with path.open("w") as file:
        file.writelines(line.replace("vmi-1", f"vmi-{number}") for number in range(count))
    return run


def tarball(folder: Path, count: int) -> Path:
    """What kube-burner's local indexer leaves, with so many documents."""
    documents = folder / "podLatencyMeasurement-density.json"
    document = {"metricName": "podLatencyMeasurement", "podReadyLatency": 5000, "uuid": "1234"}
    with documents.open("w") as file:
        file.write("[")
        for number in range(count):
            file.write("," * bool(number) + json.dumps({**document, "podName": f"pod-{number}"}))
        file.write("]")
    path = folder / f"{count}.tgz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(documents, arcname=documents.name)
    return path


async def cost_of(path: Path, count: int) -> Cost:
    """Index it, in a process of its own.

    Raises:
        RuntimeError: The server did not get every document.
    """
    async with search_engine() as engine:
        arguments = ("index", str(path), "--url", engine.url)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PERFSCALE, *arguments, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        if process.returncode or len(engine.documents) < count:
            raise RuntimeError(f"{path}: {len(engine.documents)} documents are there: {out!r}")
    peak_kib, cpu_s = out.decode().splitlines()[-1].split()
    return Cost(int(peak_kib), float(cpu_s))


async def measure(folder: Path, few: int, many: int) -> bool:
    """Measure both sources; returns whether the memory keeps to its bound."""
    flat = True
    for what, make in (("run", run_folder), ("tarball", tarball)):
        costs = [await cost_of(make(folder, count), count) for count in (few, many)]
        for count, cost in zip((few, many), costs, strict=True):
            mib = cost.peak_kib / 1024
            print(f"{what}: {count} documents: peak {mib:.1f} MiB, CPU {cost.cpu_s:.2f} s")
        each = (costs[1].peak_kib - costs[0].peak_kib) * 1024 / (many - few)
        print(f"{what}: {each:.0f} bytes for a further document")
        flat = flat and each <= _MOST_BYTES_EACH
    return flat


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=100_000)
    count = parser.parse_args().documents
    with tempfile.TemporaryDirectory() as folder:
        return 0 if asyncio.run(measure(Path(folder), count // 10, count)) else 1


if __name__ == "__main__":
    sys.exit(main())

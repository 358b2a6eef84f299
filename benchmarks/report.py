"""How big the report of a large run is, and how long it takes to write and to open.

Ends with exit code 1 if the page is larger than 10 MB, or opens in more than 3 s.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from perfscale.results.pages import write_page

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from browser import open_browser
from run_folders import finished_run, refused, vmi

_MOST_BYTES: Final = 10_000_000
_MOST_S: Final = 3.0


async def opening_s(path: Path) -> float:
    """How long the browser takes until everything of the page is loaded."""
    async with open_browser() as page:
        started = time.perf_counter()
        await page.open(path.as_uri())
        return time.perf_counter() - started


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=50_000)
    count = parser.parse_args().objects
    objects = (
        vmi(number, sent_s=number / 100, ready_after_s=1 + number % 997 / 100)
        if number % 50
        else refused(number, f"no room {number}", sent_s=number / 100)
        for number in range(count)
    )
    with tempfile.TemporaryDirectory() as folder:
        run = finished_run(
            Path(folder) / "run", objects, requested=count, duration_s=count / 100 + 20
        )
        started = time.process_time()
        path = write_page(run)
        writing_s = time.process_time() - started
        size = path.stat().st_size
        loading_s = asyncio.run(opening_s(path))
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{count} objects: {size / 1e6:.2f} MB, written in {writing_s:.2f} s of CPU,")
    print(f"opened in {loading_s:.2f} s; {memory_mb:.0f} MB with all that made the run's files")
    return int(size > _MOST_BYTES or loading_s > _MOST_S)


if __name__ == "__main__":
    sys.exit(main())

"""From what a person names to series: runs, folders of runs, results of perfscale-audit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfscale.audit import read_published
from perfscale.errors import ResultsError
from perfscale.results.files import RUN_FILE, SEARCH_FILE, SUMMARY_FILE
from perfscale.results.history import find_run
from perfscale.trend.history import Collected, Key, LeftOut, Measured, Source
from perfscale.trend.runs import add_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNITS: Final = (
    ("Seconds", "s"),
    ("Latency", "s"),
    ("InMB", "MB"),
    ("CPU", "cores"),
    ("-count", "requests"),
)
"""By what is in the name of a result."""


def collect(names: Iterable[str], results_dir: Path) -> Collected:
    """Read everything that is named; without names, the folder of runs.

    Args:
        names: Paths of runs, of folders of runs or of results of audits, at any depth; or names
            of runs as every command takes them.
        results_dir: Where those are looked up.

    Raises:
        ResultsError: There is nothing of that name.
    """
    collected = Collected()
    named = list(names) or [str(results_dir)]
    for name in named:
        for path in _found(Path(name), collected) or [find_run(name, results_dir)]:
            _add(collected, path)
    return collected


def _found(path: Path, collected: Collected) -> Iterable[Path]:
    """What to read of a path; empty if it is a run's, or nothing is there."""
    try:
        if path.is_dir() and not _is_run(path):
            return _walk(path, collected)
        if path.is_file() and not _is_run(path.parent):
            return [path]
    except OSError:  # no file can have such a name
        pass
    return []


def _is_run(folder: Path) -> bool:
    return (folder / RUN_FILE).exists() or (folder / SUMMARY_FILE).exists()


def _walk(folder: Path, collected: Collected) -> Iterator[Path]:
    """The folders of runs, and other files of JSON, at any depth; links are not followed.

    A link such as ``latest`` names what is there anyway. The runs of a search are left out,
    unless it is what is named: each had another load.
    """
    for parent, folders, files in os.walk(folder):
        if SEARCH_FILE in files and Path(parent) != folder:
            folders.clear()
            collected.left_out.append(LeftOut(Path(parent), "a search, whose runs differ in load"))
            continue
        if RUN_FILE in files or SUMMARY_FILE in files:
            folders.clear()
            yield Path(parent)
            continue
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        yield from (Path(parent, file) for file in sorted(files) if file.endswith(".json"))


def _add(collected: Collected, path: Path) -> None:
    try:
        if path.is_dir():
            add_run(collected, path)
        else:
            _add_audit(collected, path)
    except ResultsError as error:
        # Without the path, so that what is wrong with many is one reason.
        why = str(error).replace(f"{path}: ", "").replace(f"{path}{os.sep}", "")
        collected.left_out.append(LeftOut(path, why))


def _add_audit(collected: Collected, path: Path) -> None:
    results = read_published(path)
    if results is None:
        collected.foreign += 1
        return
    if not results:
        collected.left_out.append(LeftOut(path, "it has no values"))
    for result in results:
        if result.nothing_measured:
            why = "its latencies are 0: nothing became ready"
            collected.left_out.append(LeftOut(path, why))
            continue
        collected.add(
            Source(path, result.at),
            (
                Measured(Key(result.job, "", name), value, _unit(name))
                for name, value in result.values.items()
            ),
        )


def _unit(name: str) -> str:
    return next((unit for part, unit in _UNITS if part in name), "")

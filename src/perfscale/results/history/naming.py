"""How a person names a run, in every command that takes one.

``latest``; ``latest~1``, the one before it; the beginning of an id; a tag, ``build=123``; or the
path of its folder or of any file in it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfscale.errors import ResultsError
from perfscale.results.files import JOURNAL_FILE, RUN_FILE, SUMMARY_FILE
from perfscale.results.folder.latest import LATEST, follow_latest
from perfscale.results.history.heads import list_runs, read_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.results.history.heads import RunHead

_LATEST: Final = re.compile(rf"{LATEST}(?:~(\d{{1,6}}))?")
_MOST_NAMED: Final = 5
WAYS: Final = (
    "name a run by the path of its folder, latest, latest~1, the beginning of its id or a tag "
    "(build=123); perfscale runs lists them"
)
_WAYS_OF_LATEST: Final = "name the folder with the runs with --results-dir, or run something"


def find_run(name: str, parent: Path) -> Path:
    """The folder of the run that a person names.

    Args:
        name: See the module; a path that exists goes first.
        parent: Where the folders of runs are, for all other names.

    Raises:
        ResultsError: There is no such run, or more than one.
    """
    if _is_path(name):
        return run_folder(Path(name))
    if not parent.is_dir():
        if _LATEST.fullmatch(name):
            raise ResultsError(
                f"{name}: there is no run, as there is no folder {parent}", hint=_WAYS_OF_LATEST
            )
        raise ResultsError(
            f"{name}: there is no such folder, and no {parent} with runs to look it up", hint=WAYS
        )
    found = _named(name, parent)
    if not found:
        raise ResultsError(f"{name}: there is no such run in {parent}", hint=WAYS)
    return found[0].folder


def find_run_id(name: str, parent: Path) -> str | None:
    """The id of the one run that a person names; None if no folder is known of it.

    As `find_run`, but where ``parent`` is missing there are just no runs; an id in full that
    has no folder is not an error, and a tag of several runs is one: what is to be done to a run
    may be nothing for the others.

    Raises:
        ResultsError: More than one run is meant, or a path is no run's.
    """
    if os.sep in name and _is_path(name):
        return read_head(run_folder(Path(name))).run_id
    found = _named(name, parent) if parent.is_dir() else []
    if len({run.run_id for run in found}) > 1:
        raise ResultsError(
            f"{name}: {len(found)} runs have that tag: {_some(found)}",
            hint="name one of them by its id",
        )
    return found[0].run_id if found else None


def run_folder(path: Path) -> Path:
    """The folder of a run, of which a person may also name a file.

    Raises:
        ResultsError: There is nothing, or a folder that is no run's.
    """
    path = follow_latest(path)
    if not _exists(path):
        raise ResultsError(f"{path}: there is no such folder", hint=WAYS)
    folder = path.parent if path.is_file() else path
    if any((folder / name).exists() for name in (SUMMARY_FILE, JOURNAL_FILE, RUN_FILE)):
        return folder
    below = list_runs(folder).runs if folder.is_dir() else []
    latest = f"the latest run in it is {below[0].folder}" if below else WAYS
    raise ResultsError(f"{path}: it is not the folder of a run", hint=latest)


def _is_path(name: str) -> bool:
    return os.sep in name or _exists(Path(name))


def _exists(path: Path) -> bool:
    """Whether there is something of this name; of one that nothing can have there is not."""
    try:
        return path.exists()
    except OSError:
        return False


def _named(name: str, parent: Path) -> list[RunHead]:
    """The runs that a name means, the newest first; of a number or an id one at most.

    Raises:
        ResultsError: It is the beginning of several ids; or there are no runs to look at.
    """
    runs = list_runs(parent).runs
    if match := _LATEST.fullmatch(name):
        return runs[int(match[1] or 0) :][:1]
    key, equals, value = name.partition("=")
    if equals:
        return [run for run in runs if run.tags.get(key) == value]
    exact = [run for run in runs if name in {run.run_id, run.folder.name}]
    return exact or _only([run for run in runs if name and run.run_id.startswith(name)], name)


def _only(found: list[RunHead], name: str) -> list[RunHead]:
    if len({run.run_id for run in found}) > 1:
        raise ResultsError(
            f"{name}: {len(found)} runs have an id that begins so: {_some(found)}",
            hint="write more of it",
        )
    return found


def _some(found: Sequence[RunHead]) -> str:
    more = len(found) - _MOST_NAMED
    ids = ", ".join(run.run_id for run in found[:_MOST_NAMED])
    return f"{ids} and {more} more" if more > 0 else ids

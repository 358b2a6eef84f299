"""Where the objects of a run are, from its folder, to clean up."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from perfscale.config.reading.regular import read_regular
from perfscale.errors import ResultsError
from perfscale.results.files import JOURNAL_FILE, RUN_FILE, SUMMARY_FILE
from perfscale.results.folder.rebuild import play
from perfscale.results.folder.runfile import RunKind
from perfscale.results.journal.journal import open_journal
from perfscale.results.journal.replay import Replay
from perfscale.results.model.run import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results.model.records import ObjectRecord


class LocatedRun(msgspec.Struct, frozen=True, rename="camel"):
    """What ``run.json`` says of where a run went; written before its first create.

    Attributes:
        kinds: All kinds that it may have made, or had made, objects of.
        namespaces: All namespaces that they may be in.
        generators: How many there are under a coordinator; None for a run of one without.
    """

    run_id: str
    kinds: tuple[RunKind, ...]
    namespaces: tuple[str, ...]
    generators: int | None = None


class _Summary(msgspec.Struct, frozen=True):
    outcome: str


class Located(NamedTuple):
    """The folder of a run, and what it says of where the run went."""

    folder: Path
    run: LocatedRun

    def silent_s(self, now_s: float) -> float:
        """For how long the run has written nothing, at a time of the wall clock; 0 if unknown.

        A run that goes on writes every second, and one that was killed does not any more.
        """
        try:
            return max(0.0, now_s - (self.folder / JOURNAL_FILE).stat().st_mtime)
        except OSError:
            return 0.0

    def has_ended(self) -> bool:
        """Whether the run itself has written its results: whoever is killed does not."""
        try:
            summary = msgspec.json.decode(read_regular(self.folder / SUMMARY_FILE), type=_Summary)
        except (OSError, ValueError):
            return False
        return summary.outcome != RunOutcome.KILLED.value


class _Present:
    """Keeps the records of what was not seen to go."""

    def __init__(self) -> None:
        self.records: list[ObjectRecord] = []

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:  # noqa: ARG002 -- a writer's signature
        """Take them."""
        self.records += (each for each in objects if each.uid and each.deleted_s is None)


def read_present(folder: Path) -> list[ObjectRecord]:
    """The objects and children of a run that its journal has not seen to go.

    Raises:
        ResultsError: The journal cannot be read, with file and line.
    """
    path = folder / JOURNAL_FILE
    begin, entries = open_journal(path)
    present = _Present()
    play(Replay(begin, present), entries, path)
    return present.records


def locate_run(parent: Path | str, run_id: str) -> Located | None:
    """What the folder of a run says, below ``parent``; None if there is no such folder.

    Raises:
        ResultsError: There is one, and its ``run.json`` cannot be read, or does
            not describe that run.
    """
    paths = sorted(Path(parent).glob(f"*-{glob.escape(run_id)}/{RUN_FILE}"))
    if not paths:
        return None
    path = paths[0]
    try:
        located = msgspec.json.decode(read_regular(path), type=LocatedRun)
    except OSError as error:
        raise ResultsError(f"{path}: it cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: it does not describe a run: {error}") from error
    if located.run_id != run_id:
        raise ResultsError(f"{path}: it describes the run {located.run_id}")
    return Located(path.parent, located)

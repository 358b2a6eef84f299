"""One folder a run, with everything in it; no server needed to read it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from perfscale.errors import ResultsError
from perfscale.results.files import (
    AUDIT_FILE,
    JOURNAL_FILE,
    RUN_FILE,
    SCRAPED_FILE,
    WORKLOAD_FILE,
    AtomicFile,
    write_file,
)
from perfscale.results.folder.latest import point_latest
from perfscale.results.folder.rebuild import dump, rebuild_results, write_result
from perfscale.results.folder.records import RecordFiles
from perfscale.results.folder.runfile import cleanup_command, describe_run
from perfscale.results.journal.entries import Begin, EndEntry
from perfscale.results.journal.journal import JournalWriter
from perfscale.results.measure.timeseries import TimeSeries, write_timeseries
from perfscale.results.model.outcome import with_audit, with_lost_results
from perfscale.results.model.remarks import NO_REMARKS, Remarks
from perfscale.results.model.run import Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perfscale.results.journal.objects import Entry
    from perfscale.results.model.audit import AuditRecord
    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord
    from perfscale.results.model.run import RunInfo, RunResult


_OWNER_ALONE: Final = 0o700
"""A run's folder names servers, contexts and command lines: it is nobody else's to read."""
_TRIAL_BYTES: Final = 65536
"""Enough for a disk without space to say so."""


class _Begun(NamedTuple):
    """A folder, and what is written in it during the run."""

    path: Path
    journal: JournalWriter
    records: RecordFiles
    series: TimeSeries


class RunFolder:
    """A `ResultSink` that writes ``<parent>/<workload file>-<UTC time>-<run id>/``.

    The folder is made when the run begins, and ``<parent>/latest`` names it from then on;
    ``path`` is None until then. Its owner alone can read it. What happens goes to the journal
    at once, so that a run that is killed loses no more than its last second; the other files
    take their places at the end.

    Args:
        parent: Where the folder is made.
        cleanup: What to type to remove everything of a run, for ``run.json``;
            None where the cluster goes with the run. Without it, a command with
            the run's id and the context.
        remarks: What ``run.json`` says of it to find it again.
    """

    def __init__(
        self,
        parent: Path | str,
        *,
        cleanup: Callable[[RunInfo], str | None] = cleanup_command,
        remarks: Remarks = NO_REMARKS,
    ) -> None:
        self._parent = Path(parent)
        self._cleanup = cleanup
        self._remarks = remarks
        self._begun: _Begun | None = None
        self.path: Path | None = None

    def check(self) -> None:
        """Try whether the folder can be made and written; leaves nothing behind.

        Raises:
            ResultsError: It cannot.
        """
        try:
            _try_folder(self._parent)
        except OSError as error:
            raise _unwritable(self._parent, error) from error

    def begin(self, info: RunInfo) -> None:
        """Make the folder, with ``run.json``, ``workload.yaml`` and the journal.

        Raises:
            ResultsError: The folder cannot be made or written.
        """
        stem = Path(info.source).stem if info.source else "run"
        path = self._parent / f"{stem}-{info.started_at:%Y%m%dT%H%M%SZ}-{info.run_id}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=_OWNER_ALONE)
            self._describe(path, info)
            journal = _open_journal(path / JOURNAL_FILE, info)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._begun = _Begun(path, journal, RecordFiles(path), TimeSeries())
        self.path = path
        point_latest(path)

    def note(self, entry: Entry) -> None:
        """Hand an entry to the journal.

        Raises:
            OSError: The journal cannot be written; raised once.
        """
        self._opened().journal.put(entry)

    def when_written(self, callback: Callable[[], None]) -> None:
        """Have what was noted until now written at once, and then call ``callback``."""
        self._opened().journal.when_written(callback)

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Write their records, and count them.

        Raises:
            OSError: They could not be written.
        """
        begun, records = self._opened(), list(objects)
        begun.records.record(records, children=children)
        begun.series.record(records, children=children)

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """Write their records, and count them. Raises as ``record``."""
        begun, records = self._opened(), list(operations)
        begun.records.record_operations(records)
        begun.series.record_operations(records)

    def finish(self, result: RunResult) -> None:
        """Write the other files; each is written whole or not at all.

        Records that could not be written are made from the journal now, unless
        that has gaps too. Where the summary cannot be written, everything that
        there is goes to a new folder for temporary files, and ``path`` names that
        one; where that fails too, ``path`` is None.

        Raises:
            OSError: Something of the results could not be written, and why.
        """
        begun = self._opened()
        failure = _end_journal(begun.journal, result)
        with begun.records:
            failure = _write_records(begun, result) or failure
            try:
                _write_outcome(begun.path, result, failure)
            except OSError as error:
                failure = failure or _located(begun.path, error)
                self.path = self._write_elsewhere(begun, result, failure)
        if failure is not None:
            raise failure

    def _write_elsewhere(self, begun: _Begun, result: RunResult, why: OSError) -> Path | None:
        """Write what there is into a temporary folder; returns it unless that fails too."""
        try:
            path = Path(tempfile.mkdtemp(prefix="perfscale-results-"))
        except OSError:
            return None
        try:
            self._describe(path, result.info)
            _write_outcome(path, result, why)
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            return None
        self._begun = begun._replace(path=path)
        if begun.records.failure is None:
            with suppress(OSError):  # the summary says already that not everything is there
                begun.records.publish(path)
                write_timeseries(path, begun.series, result.duration_s)
        return path

    def add_audit(self, result: RunResult, record: AuditRecord) -> RunResult:
        """Put an audit of the run beside its other files, and into the summary.

        Returns:
            The result, with the audit taken into account.

        Raises:
            OSError: Something could not be written.
        """
        path = self._opened().path
        audited = with_audit(result, record)
        write_file(path / AUDIT_FILE, dump(record.as_json()))
        if record.scraped:
            with AtomicFile(path / SCRAPED_FILE) as atomic:
                for series in record.scraped:
                    atomic.file.write(msgspec.json.encode(series) + b"\n")
        write_result(path, audited)
        return audited

    def _describe(self, path: Path, info: RunInfo) -> None:
        write_file(path / RUN_FILE, dump(describe_run(info, self._cleanup(info), self._remarks)))
        write_file(path / WORKLOAD_FILE, info.workload_yaml)

    def _opened(self) -> _Begun:
        if self._begun is None:
            raise RuntimeError("the run has not begun")
        return self._begun


def _try_folder(path: Path) -> None:
    """Find out whether files can be written below a folder that may not be there yet.

    Makes what is missing inside a temporary folder beside its place, writes a
    file there, and removes it all.

    Raises:
        OSError: They cannot: no permission, no space, a file in the way.
    """
    there = path.absolute()
    missing: list[str] = []
    while not there.exists() and there.parent != there:
        missing.insert(0, there.name)
        there = there.parent
    with tempfile.TemporaryDirectory(dir=there, prefix=".perfscale-") as temporary:
        folder = Path(temporary, *missing)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trial").write_bytes(bytes(_TRIAL_BYTES))


def _unwritable(path: Path, error: OSError) -> ResultsError:
    return ResultsError(
        f"{path}: the results cannot be written: {error.strerror or error}",
        hint="choose another folder with --results-dir",
    )


def _write_records(begun: _Begun, result: RunResult) -> OSError | None:
    """Put the records in their places, from the journal if need be; what went wrong."""
    failure = begun.records.failure
    if failure is not None and begun.journal.lost:
        return _located(begun.path, failure)
    try:
        if failure is None:
            begun.records.publish(begun.path)
            write_timeseries(begun.path, begun.series, result.duration_s)
        else:
            rebuild_results(begun.path)
    except (OSError, ResultsError) as error:
        return _located(begun.path, error)
    return None


def _write_outcome(path: Path, result: RunResult, failure: OSError | None) -> None:
    write_result(path, result if failure is None else with_lost_results(result, failure))


def _located(path: Path, error: OSError | ResultsError) -> OSError:
    """The same error in one sentence, with the folder that it was about."""
    reason = error.strerror if isinstance(error, OSError) else None
    return OSError(f"{path}: {reason}" if reason else str(error))


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _open_journal(path: Path, info: RunInfo) -> JournalWriter:
    file = open(path, "xb", buffering=0, opener=_open_for_owner)  # noqa: SIM115 -- the writer owns it
    journal = JournalWriter(file)
    try:
        journal.write_now(Begin.of(info))
    except OSError:
        file.close()
        raise
    return journal


def _end_journal(journal: JournalWriter, result: RunResult) -> OSError | None:
    """Write its last line, and close it; what is missing, if that was not raised before."""
    failure: OSError | None = None
    try:
        journal.put(_end_of(result))
    except OSError as error:
        failure = error
    try:
        journal.close()
    except OSError as error:
        return error
    return failure if journal.lost else None  # otherwise it could be written after all


def _end_of(result: RunResult) -> EndEntry:
    return EndEntry(
        finished_at=result.finished_at.isoformat(),
        duration_s=round(result.duration_s, 6),
        outcome=result.outcome.value,
        exit_code=result.exit_code,
        problems=list(result.problems),
        remains=result.remains,
        thresholds=result.thresholds,
        totals=Totals(
            namespaces=result.namespaces,
            watch=result.watch,
            requests=dict(result.requests),
            clock=result.clock,
            vitals=None if result.generator is None else result.generator.vitals,
        ),
    )

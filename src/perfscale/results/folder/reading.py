"""A run's folder as it is read again: by the page, and by comparisons.

Records are read one at a time, so that a small machine can show a run of a million objects.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from perfscale.config.reading.regular import open_regular, read_regular
from perfscale.config.sections.metrics import MILESTONES, Latency
from perfscale.errors import ResultsError
from perfscale.results.files import (
    CHILDREN_FILE,
    JOURNAL_FILE,
    OBJECTS_FILE,
    OPERATIONS_FILE,
    RUN_FILE,
    SCRAPED_FILE,
    SUMMARY_FILE,
    TIMESERIES_FILE,
    WORKLOAD_FILE,
)
from perfscale.results.folder.evidence import read_evidence
from perfscale.results.folder.runfile import RunDocument, read_audit
from perfscale.results.folder.upgrade import upgraded
from perfscale.results.journal.journal import open_journal
from perfscale.results.measure.timeseries import TimePoint
from perfscale.results.model.document import SCHEMA_VERSION, Kind, Statistics, Summary
from perfscale.results.model.operations import OperationRecord
from perfscale.results.model.records import ObjectRecord
from perfscale.results.model.scraped import ScrapedSeries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.results.model.audit import AuditRecord
    from perfscale.results.model.course.attribution import AttributionResult


T = TypeVar("T", ObjectRecord, OperationRecord, ScrapedSeries, TimePoint)
PartT = TypeVar("PartT", Summary, RunDocument)


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What a run left behind.

    Attributes:
        folder: Where.
        summary: ``summary.json``, as if today's perfscale had written it.
        run: ``run.json``; nothing is known if it is not there.
        workload_yaml: ``workload.yaml``; None if it is not there.
        audit: ``audit.json``; None if the run was not audited.
        paths: Phases on the way to readiness, by kind, from the journal; empty
            if it is not there.
        evidence: ``attribution.json``; None if no object was slow.
    """

    folder: Path
    summary: Summary
    run: RunDocument
    workload_yaml: str | None
    audit: AuditRecord | None
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: AttributionResult | None = None

    @property
    def has_records(self) -> bool:
        """Whether there is a record of each object; a journal with gaps leaves none."""
        return (self.folder / OBJECTS_FILE).exists()

    @property
    def has_children(self) -> bool:
        """Whether there are records of children."""
        return (self.folder / CHILDREN_FILE).exists()

    def latencies(self, name: str, kind: Kind) -> dict[str, Statistics]:
        """The answer, the way to readiness, milestones, the way out; the rest is in the summary.

        Where that way is not known, all phases are taken.

        Args:
            name: Of a kind.
            kind: What the summary has of it.
        """
        every, path = kind.latencies, self.paths.get(name)
        way = (*(path or ()), Latency.READY, *MILESTONES)
        names = (Latency.CREATION, *way, Latency.DELETION) if path else every
        return {
            str(name): every[name]
            for name in names
            if name in every and every[name].count + every[name].missing
        }

    def records(self) -> Iterator[ObjectRecord]:
        """The records of the objects, and then of the children, if there are any.

        Raises:
            ResultsError: They cannot be read, with file and line.
        """
        for name in (OBJECTS_FILE, CHILDREN_FILE):
            yield from _lines(self.folder / name, ObjectRecord)

    def operations(self) -> Iterator[OperationRecord]:
        """The records of the operations; none where there were none.

        Raises:
            ResultsError: They cannot be read, with file and line.
        """
        yield from _lines(self.folder / OPERATIONS_FILE, OperationRecord)

    def scraped(self) -> Iterator[ScrapedSeries]:
        """What Prometheus answered for each workload; nothing where the run was not audited.

        Raises:
            ResultsError: It cannot be read, with file and line.
        """
        yield from _lines(self.folder / SCRAPED_FILE, ScrapedSeries)

    def timeseries(self) -> list[TimePoint]:
        """The intervals of the run; empty where there is no time series.

        Raises:
            ResultsError: They cannot be read, with file and line.
        """
        return list(_lines(self.folder / TIMESERIES_FILE, TimePoint))


def read_run_files(folder: Path) -> RunFiles:
    """Read everything but the records.

    Raises:
        ResultsError: It is not the folder of a run that has a summary, or a
            file in it cannot be read; with the file, and the way out.
    """
    if not folder.is_dir():
        raise ResultsError(f"{folder}: there is no such folder", hint=_HINT)
    run, workload = folder / RUN_FILE, folder / WORKLOAD_FILE
    return RunFiles(
        folder=folder,
        summary=read_summary(folder),
        run=_decoded(
            run, _document(run) if run.exists() else {}, RunDocument, "it does not describe a run"
        ),
        workload_yaml=_text(workload) if workload.exists() else None,
        audit=read_audit(folder),
        paths=_paths(folder / JOURNAL_FILE),
        evidence=read_evidence(folder),
    )


def read_summary(folder: Path) -> Summary:
    """The summary of a run, as if today's perfscale had written it. Raises as `read_run_files`."""
    path = folder / SUMMARY_FILE
    if not path.exists():
        made = f"perfscale report {folder} makes it" if (folder / JOURNAL_FILE).exists() else _HINT
        raise ResultsError(f"{folder}: it has no {SUMMARY_FILE}", hint=made)
    summary = _document(path)
    version = summary.get("schemaVersion")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise ResultsError(
            f"{path}: its schemaVersion is {version!r}; this perfscale reads versions up to "
            f"{SCHEMA_VERSION}",
            hint="read it with the version of perfscale that wrote it, or a newer one",
        )
    return _decoded(path, upgraded(summary), Summary, "it is not the summary of a run")


_HINT = "name the folder of one run, as in results/<workload file>-<UTC time>-<run id>"


def _text(path: Path) -> str:
    try:
        return read_regular(path).decode(errors="replace")
    except OSError as error:
        raise ResultsError(f"{path}: it cannot be read: {error.strerror or error}") from error


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: it is not JSON: {error}", hint=_HINT) from error
    if not isinstance(document, dict):
        raise ResultsError(f"{path}: it is not a JSON object", hint=_HINT)
    return document


def _decoded(path: Path, document: dict[str, Any], kind: type[PartT], otherwise: str) -> PartT:
    """A document as its type.

    Raises:
        ResultsError: It is something else than a run leaves, or damaged; with the place in it.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise ResultsError(f"{path}: {otherwise}: {error}", hint=_HINT) from error


def _paths(path: Path) -> dict[str, tuple[str, ...]]:
    if not path.exists():
        return {}
    begin, entries = open_journal(path)
    entries.close()
    return begin.paths


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    if not path.exists():
        return
    try:
        with open_regular(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise ResultsError(
                        f"{path}:{number}: it cannot be understood: {error}",
                        hint=f"perfscale report {path.parent} makes it again from the journal",
                    ) from error
    except OSError as error:
        raise ResultsError(f"{path}: it cannot be read: {error.strerror or error}") from error

"""All documents of a run's folder, and the folder and tarball that kube-burner keeps its own in."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec

from perfscale.errors import ResultsError
from perfscale.results.documents.job_summary import ended, job_summaries
from perfscale.results.documents.jobs import Jobs
from perfscale.results.documents.latencies import LatencyDocuments
from perfscale.results.documents.scraped import alerts, scraped_samples
from perfscale.results.documents.stamps import Stamps
from perfscale.results.files import AtomicFile
from perfscale.results.folder.reading import read_run_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.results.documents.stamps import NamedDocument
    from perfscale.results.folder.reading import RunFiles

TARBALL: Final = "kube-burner-metrics.tgz"
_MOST_UNWRITTEN: Final = 2**16


def run_documents(folder: Path) -> Iterator[NamedDocument]:
    """The documents of a run, one at a time: most as records are read, the quantiles after them.

    Raises:
        ResultsError: It is not the folder of a run with all its files, or one cannot be read.
    """
    yield from _documents(read_run_files(folder))


def _documents(files: RunFiles) -> Iterator[NamedDocument]:
    if not files.has_records:
        raise ResultsError(
            f"{files.folder}: it has no records of objects",
            hint=f"perfscale report {files.folder} makes them, unless the journal has gaps",
        )
    stamps = Stamps(files.summary, files.run.tags)
    jobs = Jobs(files.workload_yaml)
    latencies = LatencyDocuments(stamps, jobs, children=files.has_children)
    yield from latencies.of_objects(files.records())
    yield from latencies.of_operations(files.operations())
    yield from latencies.quantiles(ended(files.summary, jobs))
    yield from job_summaries(files, stamps, jobs, latencies.churned)
    yield from scraped_samples(files.scraped(), stamps, jobs)
    if files.summary.audit is not None:
        yield from alerts(files.summary.audit, stamps)


def write_documents(folder: Path) -> Path:
    """Write them as kube-burner's local indexer does, beside the other files of the run.

    Each metric has a file, or one for each job, with a JSON array. The tarball beside the folder
    holds the same files.

    Returns:
        The folder, ``collected-metrics-<run id>``.

    Raises:
        ResultsError: The files of the run cannot be read, or the documents not written.
    """
    files = read_run_files(folder)
    path = folder / f"collected-metrics-{files.summary.run_id}"
    try:
        path.mkdir(exist_ok=True)
        with _Arrays(path) as arrays:
            for document in _documents(files):
                arrays.write(document)
        _pack(path, folder / TARBALL)
    except OSError as error:
        place = error.filename or path
        raise ResultsError(
            f"{place}: the documents cannot be written: {error.strerror or error}"
        ) from error
    return path


class _Arrays:
    """Files of JSON arrays, a document on a line, each in its place when all are complete.

    A profile may have more metrics than a process may have open files, so none stays open: what is
    to be written is collected, up to a bound for each file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._making = tempfile.TemporaryDirectory(dir=folder, prefix=".making-")
        self._unwritten: dict[str, bytearray] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        with self._making as making:
            if exc_type is None:
                for file, unwritten in self._unwritten.items():
                    unwritten.extend(b"\n]\n")
                    self._flush(file, unwritten)
                for path in Path(making).iterdir():
                    path.chmod(0o600)
                    path.replace(self._folder / path.name)

    def write(self, document: NamedDocument) -> None:
        """Append a document to its file."""
        unwritten = self._unwritten.get(document.file)
        if unwritten is None:
            unwritten = self._unwritten[document.file] = bytearray(b"[\n")
        else:
            unwritten += b",\n"
        unwritten += msgspec.json.encode(document.body)
        if len(unwritten) > _MOST_UNWRITTEN:
            self._flush(document.file, unwritten)

    def _flush(self, file: str, unwritten: bytearray) -> None:
        with Path(self._making.name, f"{file}.json").open("ab") as opened:
            opened.write(unwritten)
        unwritten.clear()


def _pack(folder: Path, tarball: Path) -> None:
    with AtomicFile(tarball) as atomic, tarfile.open(fileobj=atomic.file, mode="w:gz") as archive:
        for path in sorted(folder.glob("*.json")):
            archive.add(path, arcname=path.name)

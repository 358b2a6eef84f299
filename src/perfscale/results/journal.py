"""``journal.ndjson``: written as things happen, read when a run was killed.

The event loop only appends to a queue; a thread writes what has gathered, a
few times a second. The queue is bounded: when the disk does not keep up, or is
full, entries are dropped and counted, and a line says so once lines can be
written again. A line is there whole or not at all, unless the machine stops in
the middle of the last one.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

import msgspec

from perfscale.errors import ResultsError
from perfscale.results.entries import JOURNAL_VERSION, AnyEntry, Entry, LostEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOURNAL_FILE = "journal.ndjson"

_FLUSH_S = 0.25
_MOST_WAITING = 250_000
"""Entries; some 50 MB."""
_AT_ONCE = 500
"""Entries encoded in one go, for which nothing else of the process runs: under a millisecond."""
_CLOSING_S = 30.0
"""How long a disk that does not answer may hold up the end of the run."""


class JournalFile(Protocol):
    """An unbuffered binary file."""

    def write(self, data: bytes | memoryview, /) -> int | None:
        """Write some or all of ``data``; says how much."""

    def truncate(self, size: int, /) -> int:
        """Cut off what is beyond ``size``."""

    def seek(self, offset: int, /) -> int:
        """Go to ``offset``."""

    def close(self) -> None:
        """Close it."""


class JournalWriter:
    """Writes entries from a thread of its own, which starts with the first of them.

    Resource handling: `close` ends the thread and closes the file.

    Args:
        file: Where to; the writer owns it.
        most_waiting: Entries that may wait to be written; those beyond are lost.
        flush_s: How often what has gathered is written.

    Attributes:
        lost: Entries that could not be written.
    """

    def __init__(
        self, file: JournalFile, *, most_waiting: int = _MOST_WAITING, flush_s: float = _FLUSH_S
    ) -> None:
        self._file = file
        self._most_waiting = most_waiting
        self._flush_s = flush_s
        self._encoder = msgspec.json.Encoder()
        self._waiting: deque[Entry] = deque()
        self._size = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._losing = threading.Lock()
        self._failure: OSError | None = None
        self._told = False
        self._unsaid = 0
        self._torn = False
        self.lost = 0

    def put(self, entry: Entry) -> None:
        """Take an entry; never blocks.

        Raises:
            OSError: Entries were lost; raised once, with the first reason. The
                journal goes on.
        """
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name="perfscale-journal", daemon=True
            )
            self._thread.start()
        if len(self._waiting) >= self._most_waiting:
            self._lose(1, OSError("the disk does not keep up"))
        else:
            self._waiting.append(entry)
        self._tell()

    def write_now(self, entry: Entry) -> None:
        """Write an entry before anything else; for the first line.

        Raises:
            OSError: It could not be written.
        """
        self._write(self._encoder.encode_lines([entry]))

    def close(self) -> None:
        """Write what is left, and close the file.

        Raises:
            OSError: Entries were lost, and nobody has been told yet.
        """
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_CLOSING_S)
            if self._thread.is_alive():
                self._lose(len(self._waiting), OSError("the disk does not answer"))
                self._tell()
                return  # the file is still in use
        self._file.close()
        self._tell()

    def _tell(self) -> None:
        if self._failure is not None and not self._told:
            self._told = True
            raise self._failure

    def _lose(self, count: int, failure: OSError) -> None:
        with self._losing:
            self.lost += count
            self._unsaid += count
            self._failure = self._failure or failure

    # -- in the thread --------------------------------------------------------

    def _work(self) -> None:
        while not self._closing.wait(self._flush_s):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            unsaid = self._unsaid
            said = [LostEntry(unsaid, str(self._failure))] if unsaid else []
            try:
                self._write(self._encoder.encode_lines([*said, *batch]))
            except OSError as error:
                self._lose(len(batch), error)
                return  # the rest waits for the next time
            with self._losing:
                self._unsaid -= unsaid

    def _write(self, data: bytes) -> None:
        """Write all of it, or none."""
        if self._torn:
            raise OSError("a line could only be written in part")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError:
            self._undo(torn=len(rest) < len(data))
            raise
        self._size += len(data)

    def _undo(self, *, torn: bool) -> None:
        try:
            self._file.truncate(self._size)
            self._file.seek(self._size)
        except OSError:
            self._torn = torn


def read_journal(path: Path) -> Iterator[AnyEntry]:
    """The entries of a journal, in their order; the first is its `Begin`.

    A last line that was not written to its end is left out.

    Raises:
        ResultsError: There is no journal, it is of a newer version, or a line
            is not an entry; with file and line.
    """
    decoder: msgspec.json.Decoder[AnyEntry] = msgspec.json.Decoder(AnyEntry)
    try:
        with path.open("rb") as file:
            number = 0
            for number, line in enumerate(file, start=1):
                if number == 1:
                    _check_version(path, line)
                try:
                    yield decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    if not line.endswith(b"\n"):
                        return
                    raise ResultsError(
                        f"{path}:{number}: not an entry of a journal: {error}"
                    ) from error
    except OSError as error:
        raise ResultsError(
            f"{path}: the journal cannot be read: {error.strerror or error}",
            hint="name the folder of one run, as in results/<workload file>-<UTC time>-<run id>",
        ) from error
    if number == 0:
        raise ResultsError(f"{path}: the journal is empty: the run was killed as it began")


def _check_version(path: Path, line: bytes) -> None:
    """A newer journal may hold anything, so only its version is looked at."""
    try:
        first = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        first = None
    if not isinstance(first, dict) or first.get("e") != "begin":
        raise ResultsError(f"{path}:1: not the first line of a journal")
    version = first.get("schema_version")
    if isinstance(version, int) and version > JOURNAL_VERSION:
        raise ResultsError(
            f"{path}:1: the journal has version {version}; this perfscale reads versions "
            f"up to {JOURNAL_VERSION}",
            hint="read it with the version of perfscale that wrote it, or a newer one",
        )

"""``journal.ndjson``: written as things happen, read when a run was killed.

The event loop only appends to a queue; a thread writes what has gathered, a
few times a second. What a write has handed to the kernel outlives the process,
so nothing is synced: a machine that stops may lose more. While the disk is
full, entries wait, and each time all of them are tried again. The queue is
bounded: those beyond are dropped and counted, and a line says so once lines
can be written again. A line is there whole or not at all, unless the machine
stops in the middle of the last one.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

import msgspec

from perfscale.config.reading.regular import open_regular
from perfscale.errors import ResultsError
from perfscale.results.journal.entries import JOURNAL_VERSION, AnyEntry, Begin, LostEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from perfscale.results.journal.objects import Entry

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
        flush_s: How long entries gather before they are written.

    Attributes:
        lost: Entries that were not written and never will be.
    """

    def __init__(
        self, file: JournalFile, *, most_waiting: int = _MOST_WAITING, flush_s: float = _FLUSH_S
    ) -> None:
        self._file = file
        self._most_waiting = most_waiting
        self._flush_s = flush_s
        self._encoder = msgspec.json.Encoder()
        self._waiting: deque[Entry] = deque()
        self._batch: list[Entry] = []
        self._size = 0
        self._closing = threading.Event()
        self._has_work = threading.Event()
        self._hurried = threading.Event()
        self._callbacks: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None
        self._has_raised = False
        self._taken = 0
        self._written = 0
        self._reported = 0
        self._torn = False
        self.lost = 0

    def put(self, entry: Entry) -> None:
        """Take an entry; never blocks.

        Raises:
            OSError: The disk does not take what is written; raised once, with
                the first reason. The journal goes on, and as long as ``lost``
                is 0 nothing is missing.
        """
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name="perfscale-journal", daemon=True
            )
            self._thread.start()
        if len(self._waiting) >= self._most_waiting:
            self.lost += 1
            self._failure = self._failure or OSError("the disk does not keep up")
        else:
            self._taken += 1
            self._waiting.append(entry)
            if not self._has_work.is_set():
                self._has_work.set()
        if self._failure is not None:
            self._raise_failure()

    def when_written(self, callback: Callable[[], None]) -> None:
        """Write what has been taken until now at once, or try to, and then call ``callback``.

        It is called in the writer's thread; at once where there is nothing to write.
        """
        if self._thread is None:
            callback()
            return
        self._callbacks.append(callback)
        self._hurried.set()
        self._has_work.set()

    def write_now(self, entry: Entry) -> None:
        """Write an entry before anything else; for the first line.

        Raises:
            OSError: It could not be written.
        """
        self._write(self._encoder.encode_lines([entry]))

    def close(self) -> None:
        """Write what is left, and close the file; ``lost`` is final then.

        Raises:
            OSError: Entries were lost, and that was not raised yet; or the
                file could not be closed.
        """
        self._closing.set()
        self._hurried.set()
        self._has_work.set()
        if self._thread is not None:
            self._thread.join(_CLOSING_S)
        # Whatever became of the thread, what it has not written is lost.
        if self._taken > self._written:
            self.lost += self._taken - self._written
            self._failure = self._failure or OSError("the disk does not answer")
        if self._thread is None or not self._thread.is_alive():  # else the file is in use
            self._file.close()
        if self.lost:
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None and not self._has_raised:
            self._has_raised = True
            raise self._failure

    # -- in the thread --------------------------------------------------------

    def _work(self) -> None:
        # `close` and `when_written` set their events last, so that none is missed by being set
        # just before it is cleared here: what they mean is looked at after that.
        while not self._closing.is_set():
            self._has_work.wait()
            self._hurried.wait(self._flush_s)
            if not self._closing.is_set():
                self._hurried.clear()
                self._has_work.clear()
                self._flush_and_call()
        self._flush_and_call()

    def _flush_and_call(self) -> None:
        waiting = len(self._callbacks)
        self._flush()
        for _ in range(waiting):
            self._callbacks.popleft()()

    def _flush(self) -> None:
        """Write all that waits, or as much as the disk takes."""
        while self._batch or self._waiting or self.lost > self._reported:
            if not self._batch:
                size = min(len(self._waiting), _AT_ONCE)
                self._batch = [self._waiting.popleft() for _ in range(size)]
            lost = self.lost
            if lost > self._reported:
                report: list[Entry] = [LostEntry(lost - self._reported, str(self._failure))]
            else:
                report = []
            try:
                self._write(self._encode([*report, *self._batch]))
            except OSError as error:
                self._failure = self._failure or error
                self._has_work.set()
                return  # the next time it may work
            self._reported = lost
            self._written += len(self._batch)
            self._batch = []

    def _encode(self, entries: list[Entry]) -> bytes:
        try:
            return self._encoder.encode_lines(entries)
        except UnicodeEncodeError:  # a file's name, in the text of an error, need not be Unicode
            lines = (json.dumps(msgspec.to_builtins(each), ensure_ascii=False) for each in entries)
            return "".join(f"{line}\n" for line in lines).encode(errors="replace")

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


def open_journal(path: Path) -> tuple[Begin, Generator[AnyEntry, None, None]]:
    """The first line of a journal, and its other entries; raises as `read_journal` does."""
    entries = read_journal(path)
    begin = next(entries)
    if not isinstance(begin, Begin):
        raise _not_first(path)
    return begin, entries


def read_journal(path: Path) -> Generator[AnyEntry, None, None]:
    """The entries of a journal, in their order; the first is its `Begin`.

    A last line that was not written to its end is left out.

    Raises:
        ResultsError: There is no journal, it is of a newer version, or a line
            is not an entry; with file and line.
    """
    decoder: msgspec.json.Decoder[AnyEntry] = msgspec.json.Decoder(AnyEntry)
    number = 0
    try:
        with open_regular(path) as file:
            for line in file:
                if number == 0:
                    _check_version(path, line)
                try:
                    entry = decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    if not line.endswith(b"\n"):
                        break
                    raise ResultsError(
                        f"{path}:{number + 1}: not an entry of a journal: {error}",
                        hint="for a report on what comes before it, cut the journal off there",
                    ) from error
                number += 1
                yield entry
    except OSError as error:
        raise ResultsError(
            f"{path}: the journal cannot be read: {error.strerror or error}",
            hint="name the folder of one run, as in results/<workload file>-<UTC time>-<run id>",
        ) from error
    if number == 0:
        raise ResultsError(
            f"{path}: the journal is empty: the run ended before it created anything"
        )


def _check_version(path: Path, line: bytes) -> None:
    """A newer journal may hold anything, so only its version is read."""
    try:
        first = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if not line.endswith(b"\n"):
            return  # it was never written to its end
        first = None
    if not isinstance(first, dict) or first.get("e") != "begin":
        raise _not_first(path)
    version = first.get("schema_version")
    if isinstance(version, int) and version > JOURNAL_VERSION:
        raise ResultsError(
            f"{path}:1: the journal has version {version}; this perfscale reads versions "
            f"up to {JOURNAL_VERSION}",
            hint="read it with the version of perfscale that wrote it, or a newer one",
        )


def _not_first(path: Path) -> ResultsError:
    return ResultsError(f"{path}:1: not the first line of a journal")

"""The journal: what it takes however the disk behaves, and what its reader makes of it."""

import errno
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import pytest
from command_line import until
from journals import INFO, append

from perfscale.errors import ResultsError
from perfscale.results import AnyEntry, WarningEntry
from perfscale.results.journal.entries import Begin, LostEntry
from perfscale.results.journal.journal import JournalWriter, read_journal

BEGIN: Final = Begin(schema_version=1, run_id="1234", workloads=INFO.workloads, paths={})
SOON_S: Final = 0.001
PATIENCE_S: Final = 60.0
NEVER_S: Final = 3600.0
"""So long that only closing writes anything."""


class Disk:
    """A file on a disk of which a test decides how much it takes."""

    def __init__(self, *, room: int | None = None, at_once: int | None = None) -> None:
        self.data = bytearray()
        self.room = room
        self.at_once = at_once
        self.truncates = True
        self.refused = 0
        self.closed = False
        self.answers = threading.Event()
        self.answers.set()

    def write(self, data: bytes | memoryview, /) -> int:
        self.answers.wait()
        count = len(data) if self.at_once is None else min(len(data), self.at_once)
        if self.room is not None:
            count = min(count, self.room - len(self.data))
        if count == 0:
            self.refused += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.data += data[:count]
        return count

    def truncate(self, size: int, /) -> int:
        if not self.truncates:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        del self.data[size:]
        return size

    def seek(self, offset: int, /) -> int:
        assert offset == len(self.data), "what is written next would leave a hole"
        return offset

    def close(self) -> None:
        self.closed = True


def told(number: int) -> WarningEntry:
    return WarningEntry(float(number), f"this is number {number}")


def entries_of(disk: Disk, tmp_path: Path) -> list[AnyEntry]:
    """What a report would read after the first line."""
    path = tmp_path / "journal.ndjson"
    path.write_bytes(disk.data)
    return list(read_journal(path))[1:]


def open_journal(
    disk: Disk, *, flush_s: float = NEVER_S, most_waiting: int = 9999
) -> JournalWriter:
    journal = JournalWriter(disk, flush_s=flush_s, most_waiting=most_waiting)
    journal.write_now(BEGIN)
    return journal


def put(journal: JournalWriter, entries: Iterable[AnyEntry]) -> list[str]:
    """Hand them over; returns what the journal complained of."""
    complaints = []
    for entry in entries:
        try:
            journal.put(entry)
        except OSError as error:
            complaints.append(str(error))
    return complaints


def close(journal: JournalWriter) -> list[str]:
    """Close it; returns what it complained of."""
    try:
        journal.close()
    except OSError as error:
        return [str(error)]
    return []


ENTRIES: Final[list[AnyEntry]] = [told(number) for number in range(1300)]
"""More than are written at once."""


@pytest.mark.parametrize("at_once", [None, 7], ids=["whole", "in small pieces"])
def test_everything_is_there_in_its_order(at_once: int | None, tmp_path: Path) -> None:
    disk = Disk(at_once=at_once)
    journal = open_journal(disk)
    assert put(journal, ENTRIES) + close(journal) == []
    assert entries_of(disk, tmp_path) == ENTRIES
    assert journal.lost == 0
    assert disk.closed


def test_what_is_asked_for_is_on_disk_before_it_is_reported_as_written(tmp_path: Path) -> None:
    disk, written = Disk(), threading.Event()
    journal = open_journal(disk)  # which would not write by itself
    try:
        for number in (3, 6):
            put(journal, ENTRIES[number - 3 : number])
            journal.when_written(written.set)
            assert written.wait(PATIENCE_S)
            written.clear()
            assert entries_of(disk, tmp_path) == ENTRIES[:number]
    finally:
        journal.close()


def test_a_disk_that_takes_nothing_holds_up_nobody_who_waits_for_it() -> None:
    disk, tried = Disk(room=0), threading.Event()
    journal = JournalWriter(disk, flush_s=NEVER_S)
    put(journal, ENTRIES[:1])
    journal.when_written(tried.set)
    assert tried.wait(PATIENCE_S)
    assert close(journal) != []


def test_what_happened_is_on_disk_while_the_run_goes_on(tmp_path: Path) -> None:
    disk = Disk()
    journal = open_journal(disk, flush_s=SOON_S)
    try:
        put(journal, ENTRIES[:3])
        until(lambda: entries_of(disk, tmp_path) == ENTRIES[:3], "the entries")
    finally:
        journal.close()


def test_a_disk_that_is_full_for_a_while_loses_nothing_and_is_told_once(tmp_path: Path) -> None:
    disk = Disk()
    journal = open_journal(disk, flush_s=SOON_S)
    disk.room = len(disk.data) + 100
    complaints = put(journal, ENTRIES[:-2])
    until(lambda: disk.refused > 1, "a second try")
    complaints += put(journal, ENTRIES[-2:-1])
    disk.room = None
    complaints += put(journal, ENTRIES[-1:]) + close(journal)
    (complaint,) = complaints
    assert "No space left" in complaint
    assert entries_of(disk, tmp_path) == ENTRIES
    assert journal.lost == 0


def test_a_disk_that_stays_full_holds_whole_lines_and_the_others_are_counted(
    tmp_path: Path,
) -> None:
    disk = Disk()
    journal = open_journal(disk, flush_s=SOON_S)
    complaints = put(journal, ENTRIES[:2])
    until(lambda: entries_of(disk, tmp_path) == ENTRIES[:2], "the first entries")
    disk.room = len(disk.data) + 100
    complaints += put(journal, ENTRIES[2:]) + close(journal)
    (complaint,) = complaints
    assert "No space left" in complaint
    assert journal.lost == len(ENTRIES) - 2
    assert entries_of(disk, tmp_path) == ENTRIES[:2]
    assert disk.closed


def test_a_line_that_cannot_be_taken_back_is_the_last(tmp_path: Path) -> None:
    disk = Disk()
    journal = open_journal(disk, flush_s=SOON_S)
    disk.room, disk.truncates = len(disk.data) + 20, False
    complaints = put(journal, ENTRIES)
    until(lambda: disk.refused > 0, "a full disk")
    disk.room = None
    assert len(complaints + close(journal)) == 1
    assert journal.lost == len(ENTRIES)
    assert not disk.data.endswith(b"\n")
    assert entries_of(disk, tmp_path) == []


def test_what_does_not_fit_into_the_queue_is_counted_in_the_journal_too(tmp_path: Path) -> None:
    disk = Disk()
    journal = open_journal(disk, most_waiting=3)
    (complaint,) = put(journal, ENTRIES[:7]) + close(journal)
    assert "does not keep up" in complaint
    assert journal.lost == 4
    lost, *rest = entries_of(disk, tmp_path)
    assert isinstance(lost, LostEntry)
    assert lost.count == 4
    assert rest == ENTRIES[:3]


def test_a_disk_that_does_not_answer_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("perfscale.results.journal.journal._CLOSING_S", 0.01)
    disk = Disk()
    journal = open_journal(disk)
    disk.answers.clear()
    try:
        (complaint,) = put(journal, ENTRIES[:5]) + close(journal)
        assert "does not answer" in complaint
        assert journal.lost == 5
        assert not disk.closed
    finally:
        disk.answers.set()


class LateClear(threading.Event):
    """An event that is set once more just before whoever clears it gets to do so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_clearing = threading.Event()
        self._is_set_again = threading.Event()

    def set(self) -> None:
        super().set()
        if self.is_clearing.is_set():
            self._is_set_again.set()

    def clear(self) -> None:
        self.is_clearing.set()
        self._is_set_again.wait()
        super().clear()


def test_closing_at_the_moment_at_which_entries_are_written_ends_the_thread(
    tmp_path: Path,
) -> None:
    disk = Disk()
    journal = open_journal(disk, flush_s=0.0)
    journal._has_work = has_work = LateClear()
    complaints = put(journal, ENTRIES[:3])
    has_work.is_clearing.wait()
    assert complaints + close(journal) == []
    assert disk.closed
    assert entries_of(disk, tmp_path) == ENTRIES[:3]


def test_text_that_is_not_unicode_costs_no_entry(tmp_path: Path) -> None:
    disk = Disk()
    journal = open_journal(disk)
    odd = WarningEntry(2.0, os.fsdecode(b"\xff.yaml: no such file"))
    assert put(journal, [told(1), odd]) + close(journal) == []
    assert journal.lost == 0
    assert entries_of(disk, tmp_path) == [told(1), WarningEntry(2.0, "?.yaml: no such file")]


# -- reading ------------------------------------------------------------------


def test_a_last_line_that_was_not_written_to_its_end_is_left_out(tmp_path: Path) -> None:
    append(tmp_path, BEGIN, told(1), b'{"e":"warning","at_s":2.0,"mess')
    assert list(read_journal(tmp_path / "journal.ndjson")) == [BEGIN, told(1)]


def test_a_last_line_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    append(tmp_path, BEGIN, b'{"e":"warning","at_s":1.0,"message":"this is number 1"}')
    assert list(read_journal(tmp_path / "journal.ndjson")) == [BEGIN, told(1)]


def no_file(_: Path) -> None: ...


def empty(folder: Path) -> None:
    append(folder, b"")


def torn_at_once(folder: Path) -> None:
    append(folder, b'{"e":"begin","schema_ver')


def newer(folder: Path) -> None:
    append(folder, b'{"e":"begin","schema_version":99,"anything":{"at":"all"}}\n', b'{"e":"new"}\n')


def something_else(folder: Path) -> None:
    append(folder, b'{"kind":"ConfigMap"}\n', told(1))


def broken(folder: Path) -> None:
    append(folder, BEGIN, told(1), b'{"e":"warning","at_s":"soon"}\n', told(2))


def not_json(folder: Path) -> None:
    append(folder, BEGIN, b"\0\0\0\0\n", told(2))


@pytest.mark.parametrize(
    ("make", "told_of"),
    [
        (no_file, "journal.ndjson: the journal cannot be read: No such file"),
        (empty, "journal.ndjson: the journal is empty"),
        (torn_at_once, "journal.ndjson: the journal is empty"),
        (
            newer,
            "journal.ndjson:1: the journal has version 99; this perfscale reads versions up to",
        ),
        (something_else, "journal.ndjson:1: not the first line of a journal"),
        (broken, "journal.ndjson:3: not an entry of a journal"),
        (not_json, "journal.ndjson:2: not an entry of a journal"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    make: Callable[[Path], None], told_of: str, tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(ResultsError) as caught:
        list(read_journal(tmp_path / "journal.ndjson"))
    assert f"{tmp_path}/{told_of}" in str(caught.value)
    assert caught.value.exit_code == 2

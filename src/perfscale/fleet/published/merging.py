"""What the generators publish becomes one journal, and by its replay one set of records.

The journals of the generators have no number in common, so that they are put together as they
are: see `JournalFeed`. Stages are the coordinator's, whose flow is that of the run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from perfscale.results import (
    Begin,
    FolderSink,
    Journal,
    OperationSink,
    PromptJournal,
    Replay,
    StageEntry,
    WarningEntry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from perfscale.results import (
        AnyEntry,
        ObjectRecord,
        OperationRecord,
        ResultSink,
        RunInfo,
        RunResult,
    )

_DIGITS: Final = re.compile(r"\d+")


class MergedSink:
    """The coordinator's sink: it takes entries, and hands on entries and records.

    Args:
        sink: Where the results of the run go; None keeps only the result.

    Attributes:
        replay: What the entries come to; from `begin` on.
        on_failure: Called once if records cannot be written.
    """

    replay: Replay

    def __init__(self, sink: ResultSink | None) -> None:
        self._sink = sink
        itself: object = sink
        self._journal = itself if isinstance(itself, Journal) else None
        self._warnings: dict[str, int] = {}
        self.on_failure: Callable[[OSError], None] | None = None

    @property
    def path(self) -> Path | None:
        """The folder of the run, if its sink has one."""
        itself: object = self._sink
        return itself.path if isinstance(itself, FolderSink) else None

    def begin(self, info: RunInfo) -> None:
        """Take what is known before the first create."""
        if self._sink is not None:
            self._sink.begin(info)
        self.replay = Replay(Begin.of(info), _Records(self._sink, self._fail))

    def note(self, entry: AnyEntry) -> None:
        """Take an entry, of the coordinator or of a generator.

        Raises:
            OSError: The journal cannot be written; raised once.
        """
        self.replay.take(entry)
        if self._journal is not None:
            self._journal.note(entry)

    def when_written(self, callback: Callable[[], None]) -> None:
        """Have what was noted until now written, if that can be; then call ``callback``."""
        if isinstance(self._journal, PromptJournal):
            self._journal.when_written(callback)
        else:
            callback()

    def select(self, shard: int, entries: Sequence[AnyEntry]) -> Iterable[AnyEntry]:
        """Those of a generator's entries that the journal of the run has.

        Of what several of them warn of alike, but for numbers, the first has it.
        """
        for entry in entries:
            if isinstance(entry, StageEntry):
                continue
            if isinstance(entry, WarningEntry):
                text = _DIGITS.sub("#", entry.message)
                if self._warnings.setdefault(text, shard) != shard:
                    continue
            yield entry

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """The coordinator has made no objects: records come of the replay."""

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """The same."""

    def finish(self, result: RunResult) -> None:
        """Hand on the result. Raises as the sink does."""
        if self._sink is not None:
            self._sink.finish(result)

    def _fail(self, error: OSError) -> None:
        if self.on_failure is not None:
            self.on_failure(error)


class _Records:
    """Hands the records of a replay on, until they cannot be written."""

    def __init__(self, sink: ResultSink | None, on_failure: Callable[[OSError], None]) -> None:
        self._sink = sink
        itself: object = sink
        self._operation_sink = itself if isinstance(itself, OperationSink) else None
        self._on_failure = on_failure

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        if self._sink is None:
            return
        try:
            self._sink.record(objects, children=children)
        except OSError as error:
            self._lose(error)

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        if self._operation_sink is None:
            return
        try:
            self._operation_sink.record_operations(operations)
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """A full disk must not cost the run, whose summary can still be shown."""
        self._sink = self._operation_sink = None
        self._on_failure(error)

"""Where a run's records go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from perfscale.results.journal.objects import Entry
    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord
    from perfscale.results.model.run import RunInfo, RunResult


class ResultSink(Protocol):
    """Where a run's records go.

    The engine calls these in order: ``begin`` once before the first create,
    ``record`` any number of times, ``finish`` once. They block, so they should
    be quick. ``begin`` raises `ResultsError` to stop the run. An `OSError` from
    the others is reported and does not stop it; one from ``finish`` fails it.
    """

    def begin(self, info: RunInfo) -> None:
        """Take what is known before the first create."""

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Take the records of objects whose story is over."""

    def finish(self, result: RunResult) -> None:
        """Take the result."""


@runtime_checkable
class OperationSink(Protocol):
    """What a sink is too that takes the records of operations."""

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """Take the records of operations that nothing more happens to; as ``record``."""


@runtime_checkable
class Journal(Protocol):
    """A sink that also gets everything as it happens."""

    def note(self, entry: Entry) -> None:
        """Take what has just happened.

        Called several times for each object, from the event loop, so it must
        not block. An `OSError` is reported and does not stop the run.
        """


@runtime_checkable
class PromptJournal(Journal, Protocol):
    """A journal that can write what it has taken before anything else happens."""

    def when_written(self, callback: Callable[[], None]) -> None:
        """Write what has been taken until now, or try to, and then call ``callback``.

        It may be called in any thread, and is quick. This must not block.
        """


@runtime_checkable
class FolderSink(Protocol):
    """A sink that has a folder, into which others may put files of theirs.

    Attributes:
        path: The folder; None until the run has begun.
    """

    path: Path | None


@runtime_checkable
class Checked(Protocol):
    """A sink that can check beforehand whether it will work."""

    def check(self) -> None:
        """Try, and leave nothing behind.

        Called in the preflight: the `ResultsError` that it raises is reported with all others.
        """

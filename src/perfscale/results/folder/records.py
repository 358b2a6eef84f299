"""Files that a reader never sees half of."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from typing import IO, TYPE_CHECKING, Self

import msgspec

from perfscale.results.files import (
    CHILDREN_FILE,
    OBJECTS_FILE,
    OPERATIONS_FILE,
    AtomicFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perfscale.results.model.operations import OperationRecord
    from perfscale.results.model.records import ObjectRecord

_COPIED_BYTES = 1 << 20
"""At a time."""


class RecordFiles:
    """``objects.ndjson``, ``children.ndjson`` and ``operations.ndjson``.

    The latter two are there only if they have any lines.

    Until they are published, records are in files without names, so that a
    process that is killed leaves no half of one behind.

    Resource handling: a context manager; leaving it drops what was not published.

    Attributes:
        failure: Why some records could not be written; None if all were.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[bytes]] = {}
        self._encoder = msgspec.json.Encoder()
        self.failure: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Drop the files without names."""
        for file in self._files.values():
            with contextlib.suppress(OSError):  # what it could not write it cannot write now
                file.close()

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Append a line for each object.

        Raises:
            OSError: They could not be written.
        """
        self._append(CHILDREN_FILE if children else OBJECTS_FILE, list(objects))

    def record_operations(self, operations: Iterable[OperationRecord]) -> None:
        """Append a line for each operation. Raises the same."""
        self._append(OPERATIONS_FILE, list(operations))

    def _append(self, name: str, records: list[ObjectRecord] | list[OperationRecord]) -> None:
        if not records:
            return
        lines = self._encoder.encode_lines(records)
        try:
            self._file(name).write(lines)
        except OSError as error:
            self.failure = error
            raise

    def publish(self, folder: Path | None = None) -> None:
        """Put them in their places, in the folder that they were opened for or another.

        Raises:
            OSError: They could not be written.
        """
        self._file(OBJECTS_FILE)
        for name, file in self._files.items():
            file.seek(0)
            with AtomicFile((folder or self._folder) / name) as atomic:
                shutil.copyfileobj(file, atomic.file, _COPIED_BYTES)

    def _file(self, name: str) -> IO[bytes]:
        file = self._files.get(name)
        if file is None:
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 -- `__exit__` closes it
            self._files[name] = file
        return file

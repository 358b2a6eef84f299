"""The files of a run's folder: their names, and files that a reader never sees half of."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import IO, Final, Self

RUN_FILE: Final = "run.json"
WORKLOAD_FILE: Final = "workload.yaml"
JOURNAL_FILE: Final = "journal.ndjson"
OBJECTS_FILE: Final = "objects.ndjson"
CHILDREN_FILE: Final = "children.ndjson"
OPERATIONS_FILE: Final = "operations.ndjson"
TIMESERIES_FILE: Final = "timeseries.ndjson"
SUMMARY_FILE: Final = "summary.json"
JUNIT_FILE: Final = "junit.xml"
AUDIT_FILE: Final = "audit.json"
SCRAPED_FILE: Final = "audit-series.ndjson"
SEARCH_FILE: Final = "search.json"
"""In the folder of a search, which has the folders of its runs in it."""
ATTRIBUTION_FILE: Final = "attribution.json"
HOOKS_FOLDER: Final = "hooks"


class AtomicFile:
    """A file that takes its place when it is complete, or not at all.

    Its owner alone can read it: it may say what only they are to know.

    Args:
        path: Its place.
        mode: Who can read it otherwise.

    Resource handling: a context manager; leaving it with an error removes what
    was written.
    """

    def __init__(self, path: Path, *, mode: int = 0o600) -> None:
        self._path = path
        self._mode = mode
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        self._temporary = Path(temporary)
        self.file: IO[bytes] = os.fdopen(descriptor, "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        """Put the file in its place."""
        try:
            self.file.close()
            if exc_type is None:
                self._temporary.chmod(self._mode)
                self._temporary.replace(self._path)
        finally:
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)


def write_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file in one step; see `AtomicFile`."""
    with AtomicFile(path, mode=mode) as atomic:
        # What comes from a command line need not be Unicode; JSON can hold it escaped.
        atomic.file.write(text.encode(errors="backslashreplace"))

"""Files that a reader never sees half of."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from perfscale.results.model.records import ObjectRecord

OBJECTS_FILE = "objects.ndjson"
CHILDREN_FILE = "children.ndjson"
_TRIAL_BYTES = 65536
"""Enough for a disk without space to say so."""
_COPIED_BYTES = 1 << 20
"""At a time."""


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

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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


def try_folder(path: Path) -> None:
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


class RecordFiles:
    """``objects.ndjson`` and ``children.ndjson``; the latter only if there are any.

    Until they are published, records are in files without names, so that a
    process that is killed leaves no half of one behind.

    Resource handling: a context manager; leaving it lets go of what was not published.

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
        """Let go of the files without names."""
        for file in self._files.values():
            with contextlib.suppress(OSError):  # what it could not write it cannot write now
                file.close()

    def record(self, objects: Iterable[ObjectRecord], *, children: bool = False) -> None:
        """Append a line for each object.

        Raises:
            OSError: They could not be written.
        """
        records = list(objects)
        if not records:
            return
        lines = self._encoder.encode_lines(records)
        try:
            self._file(CHILDREN_FILE if children else OBJECTS_FILE).write(lines)
        except OSError as error:
            self.failure = error
            raise

    def publish(self, folder: Path | None = None) -> None:
        """Put both in their places, in the folder that they were opened for or another.

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

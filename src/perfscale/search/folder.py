"""A search's folder: the search itself, the workload file that it is about, and its steps' runs."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.config.reading.regular import read_regular
from perfscale.errors import ResultsError, UsageError
from perfscale.results import write_file
from perfscale.results.files import SEARCH_FILE, WORKLOAD_FILE
from perfscale.search.document import SCHEMA_VERSION, SearchDocument
from perfscale.search.page import search_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE_FILE: Final = "search.html"
STEPS_FOLDER: Final = "steps"
_OWNER_ALONE: Final = 0o700
_HINT: Final = "name the folder of a search, as in results/<workload file>-search-<UTC time>-<id>"


class SearchFolder:
    """Where a search is written, after every step.

    Args:
        path: The folder; `create` makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def steps(self) -> Path:
        """Where the folders of the runs are."""
        return self.path / STEPS_FOLDER

    def create(self, document: SearchDocument, workload_yaml: str) -> None:
        """Make the folder.

        Raises:
            ResultsError: It cannot be made.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=_OWNER_ALONE)
            write_file(self.path / WORKLOAD_FILE, workload_yaml)
        except OSError as error:
            raise self._unwritable(error) from error
        self.write(document)

    def write(self, document: SearchDocument) -> None:
        """Write what is known, and the page; each file is replaced in one step.

        Raises:
            ResultsError: It cannot be written.
        """
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
        try:
            write_file(self.path / SEARCH_FILE, text + "\n")
            write_file(self.path / PAGE_FILE, search_page(document))
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes from going on with the search at the same time.

        The system gives the folder free when the process ends, whatever ends it.

        Raises:
            UsageError: Another one does.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    f"{self.path}: another process goes on with this search",
                    hint="wait for its end, or interrupt it",
                ) from error
            yield
        finally:
            os.close(descriptor)

    def read(self) -> SearchDocument:
        """What was written.

        Raises:
            ResultsError: It is not the folder of a search, or of a newer perfscale.
        """
        path = self.path / SEARCH_FILE
        try:
            content = read_regular(path)
        except OSError as error:
            raise ResultsError(
                f"{path}: it cannot be read: {error.strerror or error}", hint=_HINT
            ) from error
        try:
            document = msgspec.json.decode(content, type=SearchDocument)
        except (ValueError, RecursionError) as error:
            raise ResultsError(f"{path}: it is not a search: {error}", hint=_HINT) from error
        if document.schema_version > SCHEMA_VERSION:
            raise ResultsError(
                f"{path}: its schemaVersion is {document.schema_version}; this perfscale reads "
                f"versions up to {SCHEMA_VERSION}",
                hint="go on with the version of perfscale that wrote it, or a newer one",
            )
        if wrong := [each.value for each in document.steps if each.value <= 0]:
            raise ResultsError(f"{path}: a step's value has to be more than 0: {wrong[0]:g}")
        return document

    def workload_yaml(self) -> str:
        """The workload file as it was when the search began.

        Raises:
            ResultsError: It cannot be read.
        """
        path = self.path / WORKLOAD_FILE
        try:
            return read_regular(path).decode()
        except OSError as error:
            raise ResultsError(f"{path}: it cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ResultsError(f"{path}: it is not UTF-8 text") from error

    def _unwritable(self, error: OSError) -> ResultsError:
        return ResultsError(
            f"{self.path}: the search cannot be written: {error.strerror or error}",
            hint="choose another folder with --results-dir",
        )

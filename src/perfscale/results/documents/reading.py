"""Documents from where they are: a run's folder, a folder of kube-burner's, or its tarball.

They are read one at a time, however large the files are.
"""

from __future__ import annotations

import codecs
import json
import lzma
import tarfile
import zlib
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

from perfscale.config.reading.regular import open_regular
from perfscale.errors import ResultsError
from perfscale.results.documents.collected import run_documents
from perfscale.results.files import JOURNAL_FILE, SUMMARY_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK: Final = 2**20
_LARGEST: Final = 100 * 2**20
"""Characters of one document: more bytes than this no search engine takes by default."""
_BETWEEN: Final = " \t\r\n,"


def read_documents(path: Path) -> Iterator[dict[str, Any]]:
    """The documents of a run, or those that kube-burner's local indexer has left.

    Args:
        path: The folder of a run, or any file in it; a folder with files of JSON arrays; a tarball
            of such files.

    Raises:
        ResultsError: It is none of these, or a file cannot be read; with the file.
    """
    try:
        if path.is_dir():
            yield from _of_folder(path)
        elif _is_of_run(path.parent) and path.exists() and not tarfile.is_tarfile(path):
            yield from _of_folder(path.parent)
        else:
            yield from _of_tarball(path)
    except (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ResultsError(f"{path}: it cannot be read: {reason}", hint=_HINT) from error


_HINT: Final = (
    "name the folder of a run, a folder with kube-burner's files (collected-metrics-...), or its "
    "tarball (kube-burner-metrics.tgz)"
)


def _is_of_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in (SUMMARY_FILE, JOURNAL_FILE))


def _of_folder(folder: Path) -> Iterator[dict[str, Any]]:
    if _is_of_run(folder):
        for document in run_documents(folder):
            yield document.body
        return
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise ResultsError(f"{folder}: there are no documents in it", hint=_HINT)
    for path in paths:
        with open_regular(path) as file:
            yield from _Array(file, str(path)).documents()


def _of_tarball(path: Path) -> Iterator[dict[str, Any]]:
    found = False
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".json") else None
            if file is not None:
                found = True
                yield from _Array(file, f"{path}: {member.name}").documents()
    if not found:
        raise ResultsError(f"{path}: there are no documents in it", hint=_HINT)


class _Array:
    """A file that holds a JSON array of objects, of which one is in memory at a time.

    Args:
        file: Its bytes.
        name: What it is called in errors.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._text = ""
        self._at = 0
        self._count = 0
        self._ended = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder(parse_constant=self._refuse_constant)

    def documents(self) -> Iterator[dict[str, Any]]:
        """The objects, one after the other.

        Raises:
            ResultsError: It is something else, or ends too early.
        """
        if self._next_character() != "[":
            self._fail("it is not a JSON array of documents, as kube-burner writes them")
        self._at += 1
        while self._next_character() != "]":
            document = self._next_document()
            if not isinstance(document, dict):
                self._fail(f"the document after {self._count} others is not a JSON object")
            self._count += 1
            yield document

    def _next_character(self) -> str:
        """What comes after blanks and commas; empty at the end."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in _BETWEEN:
                    return character
                self._at += 1
            if not self._read():
                return ""

    def _next_document(self) -> Any:  # noqa: ANN401 -- JSON
        while True:
            try:
                document, self._at = self._json.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # What is cut off by the end of what was read looks wrong too.
                if len(self._text) - self._at > _LARGEST or not self._read():
                    self._fail(f"after {self._count} documents: {error}")
            else:
                return document

    def _read(self) -> bool:
        """Read on; False at the end of the file."""
        if self._ended:
            return False
        data = self._file.read(_CHUNK)
        self._ended = not data
        try:
            more = self._utf8.decode(data, final=self._ended)
        except UnicodeDecodeError:
            self._fail("it is not UTF-8")
        self._text = self._text[self._at :] + more
        self._at = 0
        return not self._ended

    def _fail(self, reason: str) -> NoReturn:
        raise ResultsError(f"{self._name}: {reason}", hint=_HINT)

    def _refuse_constant(self, text: str) -> NoReturn:
        self._fail(f"{text} is no JSON")

"""What hooks print, bounded, in a file each."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final, Self

from perfscale.results.files import HOOKS_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.results.model.course.hooks import HookRecord

MAX_BYTES: Final = 2**20
"""Of what a hook prints, so much is kept."""


class HookOutput:
    """Takes what a hook prints.

    The file is there while the hook runs, so that it can be looked at, and stays if the run is
    killed. Where it cannot be written, what is printed is left out.

    Resource handling: a context manager, which closes the file.

    Args:
        folder: The run's; None keeps nothing.
        hook: Whose output it is.

    Attributes:
        path: The file; None where there is none.
        left_out: Bytes that are not in it.
    """

    def __init__(self, folder: Path | None, hook: HookRecord) -> None:
        self.path: Path | None = None
        self.left_out = 0
        self._room = MAX_BYTES
        self._file: IO[bytes] | None = None
        if folder is None:
            return
        path = folder / HOOKS_FOLDER / f"{hook.n}-{hook.when}.log"
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = open(path, "wb", buffering=0, opener=_for_owner)  # noqa: SIM115 -- closed on exit
        except OSError:
            return
        self.path = path

    @property
    def name(self) -> str | None:
        """The file's path in the folder of the run."""
        return None if self.path is None else f"{HOOKS_FOLDER}/{self.path.name}"

    def write(self, data: bytes) -> None:
        """Take what was printed."""
        kept = data[: self._room]
        try:
            written = 0 if self._file is None else self._file.write(kept)
        except OSError:
            written = 0
        self._room -= written
        self.left_out += len(data) - written

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _for_owner(path: str, flags: int) -> int:
    """What a command prints may be what only the owner is to know."""
    return os.open(path, flags, 0o600)

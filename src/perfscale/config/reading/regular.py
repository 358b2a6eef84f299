"""Files that are read only if they are files: a pipe or a device may have nothing for ever."""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_NO_FILE: Final = "it is a pipe, a device or a socket, and no file"
# Where there is none, there are no pipes with names either.
_NO_WAITING: Final = getattr(os, "O_NONBLOCK", 0)


def open_regular(path: Path) -> IO[bytes]:
    """Open a file to read its bytes; its owner closes it.

    Raises:
        OSError: It cannot be opened, or is no regular file, for which nobody waits.
    """
    return open(path, "rb", opener=_opened)


def read_regular(path: Path) -> bytes:
    """The bytes of a file; see `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def _opened(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | _NO_WAITING)
    mode = os.fstat(descriptor).st_mode
    # A directory is named so by whoever opens it.
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, _NO_FILE, path)

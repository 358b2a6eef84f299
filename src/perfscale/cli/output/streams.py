"""Standard streams: not all may be there, and the other end of one may be gone.

A pipe's reader may have had enough, and a terminal may be closed in the middle
of a run. Neither must keep the run from cleaning up, or change its exit code. A
disk that is full is another thing: output is lost.
"""

from __future__ import annotations

import codecs
import errno
import io
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from perfscale.errors import RunFailedError
from perfscale.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)
_LEVELS: Final = (logging.ERROR, logging.INFO, logging.DEBUG)
"""What is logged to standard error, by how much more is wanted."""

_GONE: Final = frozenset({errno.EPIPE, errno.EIO})
"""The other end is closed: a pipe whose reader has ended, a terminal that is gone."""
_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""In the order of their descriptors."""


class OutputError(RunFailedError):
    """Standard output does not take what is written."""


class _Stream(io.TextIOWrapper):
    """Standard output or error, whose failures are distinguished.

    What is lost on standard error is lost: there is no other place to report it. The stream
    that it writes to stays open.
    """

    def __init__(self, stream: TextIO) -> None:
        is_ascii = codecs.lookup(stream.encoding).name == "ascii"
        super().__init__(
            stream.buffer,
            encoding="utf-8" if is_ascii else stream.encoding,
            errors="backslashreplace",  # names of files need not be Unicode
            write_through=True,
        )
        self._below = stream  # it would close the buffer, were it collected
        self._descriptor = stream.fileno()

    def write(self, text: str) -> int:
        """Write a text.

        Raises:
            OutputError: It cannot be written, though its reader is there.
            BrokenPipeError: The reader has closed it.
        """
        if text:  # click tries what kind of stream it is by writing nothing
            with self._failing():
                super().write(text)
        return len(text)

    def flush(self) -> None:
        """Write out what is buffered; raises what `write` does."""
        with self._failing():
            super().flush()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            _drop(self._descriptor)  # what is buffered would be tried again at exit
            if self._descriptor == 2:
                return
            if error.errno in _GONE:
                raise BrokenPipeError(*error.args) from error
            reason = error.strerror or error
            raise OutputError(f"standard output cannot be written: {reason}") from error


class VisibleStream(_Stream):
    """Standard output or error, on which control characters are shown.

    Attributes:
        obeyed: The same for those who control the terminal, and make visible what they show.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.obeyed: TextIO = _Stream(stream)

    def write(self, text: str) -> int:
        """Write a text, as `visible` shows it; raises what every stream does."""
        return super().write(visible(text))


def open_streams() -> None:
    """Open those that are closed, before any other file gets their descriptors.

    What is written to one that was closed is dropped.
    """
    for descriptor, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, and so this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, closefd=False, encoding="utf-8"))  # noqa: SIM115
    sys.stdout = VisibleStream(sys.stdout)
    sys.stderr = VisibleStream(sys.stderr)


def use_colors(wanted: bool) -> None:
    """Let consoles that are opened from now on use colours, or not; https://no-color.org/."""
    if not wanted:
        os.environ["NO_COLOR"] = "1"


def say(text: str) -> None:
    """Write a line to standard error; one that is closed loses it."""
    with ignoring_closed_output():
        sys.stderr.write(f"{visible(text)}\n")
        sys.stderr.flush()


@contextmanager
def ignoring_closed_output() -> Iterator[None]:
    """What is written inside is lost if the reader has closed it; that is no error."""
    try:
        yield
    except (OSError, SystemExit) as error:  # rich exits when a pipe is closed
        _log.debug("the reader has closed our output: %r", error)


def flush(code: int) -> int:
    """Write out what is buffered, or drop it: the interpreter must not complain at exit.

    Returns:
        The exit code: the given one, unless output is lost of a command that went well.
    """
    try:
        sys.stdout.flush()
    except OSError:
        pass
    except OutputError as error:
        say(f"error: {error}")
        code = code or error.exit_code
    sys.stderr.flush()
    return code


def _drop(descriptor: int) -> None:
    """Redirect a descriptor to nowhere, with all that is still buffered for it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def set_up_logging() -> None:
    """Log errors to standard error.

    Warnings about a run are among its events, which the display shows.
    """
    handler = _Handler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("perfscale").setLevel(_LEVELS[0])


def log_more(verbosity: int) -> None:
    """Log information too at 1, everything at 2; never less than before."""
    logger = logging.getLogger("perfscale")
    logger.setLevel(min(logger.level, _LEVELS[min(verbosity, 2)]))


class _Handler(logging.Handler):
    """Writes to whatever standard error is then: above the progress, while that is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        say(self.format(record))

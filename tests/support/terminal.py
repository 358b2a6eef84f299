"""A terminal with a command in its foreground, and somebody at the keyboard."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from patience import PATIENCE_S

_POLL_S: Final = 0.05
_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs a command as a shell on a terminal does.

    The command leads a session, and the terminal controls it: Ctrl-C is a character that
    is typed, and closing the terminal hangs it up.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._master, slave = pty.openpty()
        self._shown = b""
        # The first terminal that the leader of a session opens controls the session.
        script = 'exec "$@" <"$0" >"$0" 2>&1'
        self.process = subprocess.Popen(
            ["sh", "-c", script, os.ttyname(slave), *command],
            cwd=folder,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        # Kept open, so that what was written last can still be read.
        self._slave = slave
        self._is_open = True

    @property
    def raw(self) -> str:
        """Everything that was shown, with what controls the screen."""
        return self._shown.decode(errors="replace")

    @property
    def shown(self) -> str:
        """Everything that was shown, as text."""
        return _ESCAPE.sub("", self.raw)

    def shows(self, text: str) -> None:
        """Wait until this is on the screen."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            ended = self.process.poll() is not None
            if not self._read() and (ended or time.monotonic() > deadline):
                raise AssertionError(f"waited in vain for {text!r}: {self.shown}")

    def types(self, text: str) -> None:
        os.write(self._master, text.encode())

    def close(self) -> None:
        """Close the window; what is running there is hung up."""
        if self._is_open:
            self._is_open = False
            os.close(self._slave)
            os.close(self._master)

    def ends(self) -> int:
        """Wait until the command has ended, while its output is read; return its exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"did not end within {PATIENCE_S:g} s: {self.shown}")
            self._read()
        while self._read():
            pass
        return self.process.returncode

    def _read(self) -> bool:
        """Take what the command has written, if it has written something within a moment."""
        if not self._is_open:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_POLL_S)
            return False
        ready, _, _ = select.select([self._master], [], [], _POLL_S)
        if ready:
            self._shown += os.read(self._master, 65536)
        return bool(ready)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.close()

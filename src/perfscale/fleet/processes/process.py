"""A generator in a process of its own, seen from the process that starts it.

It is no thread of a Dask worker, which was measured: beside the worker's own loop and threads a
create costs a third more CPU, and the generator's loop stands still for 150 ms at a time, because
the collector of the process is the worker's (see ``benchmarks/README.md``). A worker that stops
answering can also kill a process, and no thread.

The child ends when the pipe that is its standard input closes: so it ends with its parent,
whatever ends that, and sends nothing more.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import suppress
from typing import IO, Final

from perfscale.errors import GeneratorLostError
from perfscale.fleet.processes.frames import FrameError, read_frame, write_frame

_MODULE: Final = "perfscale.fleet.processes.child"
_WAITING: Final = 16
"""Messages that are read ahead; the pipe holds up the generator behind them."""
_LAST_BYTES: Final = 4000
_END_TIMEOUT_S: Final = 5.0


class GeneratorProcess:
    """A child process that is a generator.

    Resource handling: `start` starts it, once, and `aclose` kills what still runs.
    """

    def __init__(self) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the process
        self._received: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
        self._ended = False

    async def start(self) -> None:
        """Start the process; what it writes to standard error is kept."""
        # -P: a file of the user's that is called like one of our modules is not imported.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            _MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        self._reading = asyncio.create_task(self._read(), name="perfscale-generator-pipe")

    @property
    def pid(self) -> int:
        """The process's."""
        return self._process.pid

    async def send(self, message: bytes) -> None:
        """Send a message, or an empty one that only shows that somebody is there.

        Waits while the generator does not read. To one that has ended nothing is sent: `receive`
        raises then.
        """
        writer = self._process.stdin
        if writer is None:
            raise AssertionError("standard input is a pipe")
        write_frame(writer, message)
        with suppress(ConnectionError):
            await writer.drain()

    async def receive(self) -> bytes:
        """The generator's next message. Cancellation loses none.

        Raises:
            GeneratorLostError: It has ended, with its exit code and what it wrote last.
        """
        if not self._ended:
            message = await self._received.get()
            if message is not None:
                return message
            self._ended = True
        raise GeneratorLostError(await self._obituary())

    async def receive_some(self, most: int) -> list[bytes]:
        """One message at least, and others that have come, of ``most`` bytes together or so.

        Raises as `receive` does.
        """
        found = [await self.receive()]
        size = len(found[0])
        while size < most and not self._received.empty():
            message = self._received.get_nowait()
            if message is None:
                self._ended = True
                break
            found.append(message)
            size += len(message)
        return found

    def kill(self) -> None:
        """End it at once, also where it is stopped."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def aclose(self) -> None:
        """Kill it if it still runs, and wait until it is gone."""
        self.kill()
        self._reading.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_TIMEOUT_S):
                await self._process.wait()
        self._log.close()

    async def _read(self) -> None:
        reader = self._process.stdout
        if reader is None:
            raise AssertionError("standard output is a pipe")
        try:
            while (message := await read_frame(reader)) is not None:
                await self._received.put(message)
        except FrameError:
            self.kill()
        await self._received.put(None)

    async def _obituary(self) -> str:
        """How it ended, for a person."""
        code = await self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if self._log.closed:
            return f"its process {how}"
        size = self._log.seek(0, 2)
        self._log.seek(max(0, size - _LAST_BYTES))
        wrote = self._log.read().decode(errors="replace").strip()
        if not wrote:
            return f"its process {how}"
        separator = "\n" if "\n" in wrote else " "
        return f"its process {how}:{separator}{wrote}"

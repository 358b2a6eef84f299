"""What runs in the process of a generator: its end of the pipes, and `run_generator` on it.

The coordinator is lost when nobody is there any more: when standard input closes, which is the
end of the parent, or when nothing at all came through it for `LEASE_S`. Then the load stops. Who
has lost this generator may rely on it, without a way to reach it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale import eventloop
from perfscale.errors import GeneratorLostError
from perfscale.fleet.messages import ToGenerator
from perfscale.fleet.processes.frames import read_frame, write_frame
from perfscale.kube.cluster import ClusterOptions
from perfscale.templates.files import sent_files

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from typing import TypeAlias

    from perfscale.fleet.messages import ToCoordinator
    from perfscale.fleet.transport import GeneratorInputs

    Generator: TypeAlias = Callable[["GeneratorInputs", "PipeEnd"], Awaitable[None]]

LEASE_S: Final = 8.0
"""A generator that hears nothing for so long stops its load; its coordinator, which takes it for
lost after 10 s of silence, waits until then."""
_MOST_WAITING: Final = 64 * 2**20
"""Bytes that may wait to be read by the coordinator: some 400 000 entries."""
_FLUSH_TIMEOUT_S: Final = 10.0
_PIPE_BYTES: Final = 2**20
_LOST: Final = 70
"""Exit code of a process that nobody listens to."""


@dataclass(frozen=True, slots=True)
class ChildInputs:
    """What is sent to the process of a generator; pickled, as all that Dask sends is.

    Attributes:
        inputs: The generator's.
        files: The files of templates, as `perfscale.templates.files` records them.
        kubeconfig: One that is complete in itself; None where the process finds its own.
    """

    inputs: GeneratorInputs
    files: Mapping[str, bytes]
    kubeconfig: bytes | None = None


class PipeEnd:
    """The generator's end of a connection, over pipes; see `GeneratorEnd`.

    Attributes:
        lost: Why the coordinator is not there any more; None while it is.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._encoder = msgspec.json.Encoder()
        self._decoder: msgspec.json.Decoder[ToGenerator] = msgspec.json.Decoder(ToGenerator)
        self._received: asyncio.Queue[ToGenerator | None] = asyncio.Queue()
        self.lost: str | None = None

    def send(self, message: ToCoordinator) -> None:
        """Send a message; never blocks, and keeps the order. Where nobody is there: nothing.

        A coordinator that does not read what was sent is lost.
        """
        if self.lost is not None:
            return
        if self._writer.transport.get_write_buffer_size() > _MOST_WAITING:
            self._lose("the coordinator does not keep up with what happens here")
        else:
            write_frame(self._writer, self._encoder.encode(message))

    async def receive(self) -> ToGenerator:
        """The next message.

        Raises:
            GeneratorLostError: The coordinator is not there any more.
        """
        message = await self._received.get()
        if message is None:
            self._received.put_nowait(None)  # for the next time
            raise GeneratorLostError(self.lost or "")
        return message

    async def listen(self) -> None:
        """Take what comes, until the coordinator is lost."""
        while self.lost is None:
            try:
                async with asyncio.timeout(LEASE_S):
                    frame = await read_frame(self._reader)
            except TimeoutError:
                self._lose(f"nothing was heard of the coordinator for {LEASE_S:g} s")
                return
            if frame is None:
                self._lose("the process that has started this one is gone")
            elif frame:
                self._received.put_nowait(self._decoder.decode(frame))

    def _lose(self, why: str) -> None:
        if self.lost is None:
            self.lost = why
            self._received.put_nowait(None)

    async def flush(self) -> None:
        """Wait until all was read that was sent, or nobody reads it."""
        self._writer.close()
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                await self._writer.wait_closed()


async def serve(incoming: int, outgoing: int, run: Generator) -> str | None:
    """Be the generator that the first frame of ``incoming`` describes, until it is over.

    Returns why its coordinator was lost, if it was.
    """
    reader, writer = await _open(incoming, outgoing)
    first = await read_frame(reader)
    if first is None:
        return "the process that has started this one is gone"
    given: ChildInputs = pickle.loads(first)  # noqa: S301 -- of the coordinator, who may run code
    end = PipeEnd(reader, writer)
    listening = asyncio.create_task(end.listen(), name="perfscale-listen")
    with _own_kubeconfig(given) as inputs, sent_files(given.files):
        await run(inputs, end)
    await end.flush()
    listening.cancel()
    return end.lost


async def _open(incoming: int, outgoing: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_PIPE_BYTES)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(incoming, "rb", buffering=0)
    )
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
        os.fdopen(outgoing, "wb", buffering=0),
    )
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


@contextmanager
def _own_kubeconfig(given: ChildInputs) -> Iterator[GeneratorInputs]:
    """The inputs, with the kubeconfig that was sent; it is in memory only."""
    options = given.inputs.cluster
    if given.kubeconfig is None or not isinstance(options, ClusterOptions):
        yield given.inputs
        return
    descriptor = os.memfd_create("kubeconfig")
    try:
        os.write(descriptor, given.kubeconfig)
        path = f"/proc/self/fd/{descriptor}"
        yield replace(
            given.inputs, cluster=replace(options, kubeconfig=path, context=None, master=None)
        )
    finally:
        os.close(descriptor)


def run_child(run: Generator) -> None:
    """Run the generator of the pipes that are standard input and output, until it is over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # What anything prints must not get between the messages.
    outgoing = os.dup(1)
    os.dup2(2, 1)
    lost = eventloop.run(serve(os.dup(0), outgoing, run))
    if lost is not None:
        print(lost, file=sys.stderr)  # noqa: T201 -- the parent keeps it
        raise SystemExit(_LOST)


def main() -> None:
    """Run the child; for `GeneratorProcess` only."""
    from perfscale.fleet.generator import run_generator  # noqa: PLC0415 -- all of the engine

    run_child(run_generator)


if __name__ == "__main__":
    main()

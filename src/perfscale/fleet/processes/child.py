"""What runs in the process of a generator: its end of the pipes, and `run_generator` on it.

The process ends at once when nobody is there any more: when its standard input closes, which is
its parent's end, or when nothing at all came through it for `LEASE_S`. Whoever has lost this
generator may rely on it, without a way to reach it: it sends nothing more, also no deletes, so
that what it has left can be counted, and be removed by who is still there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from perfscale import eventloop
from perfscale.engine.sharding.lease import LEASE_S
from perfscale.fleet.messages import Published, ToGenerator
from perfscale.fleet.processes.frames import encode_messages, read_frame, write_frame
from perfscale.kube.cluster import ClusterOptions
from perfscale.templates.files import sent_files

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from typing import TypeAlias

    from perfscale.fleet.messages import ToCoordinator
    from perfscale.fleet.transport import GeneratorInputs

    Generator: TypeAlias = Callable[["GeneratorInputs", "PipeEnd"], Awaitable[None]]

_MOST_WAITING: Final = 64 * 2**20
"""Bytes that may wait to be read by the coordinator: some 400 000 entries."""
_GATHERED_S: Final = 0.02
_MOST_GATHERED: Final = 200
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

    What happens to objects gathers for a moment and goes in one frame: who passes frames on has
    little to do then. Anything else goes at once, with what has gathered before it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder: msgspec.msgpack.Decoder[list[ToGenerator]] = msgspec.msgpack.Decoder(
            list[ToGenerator]
        )
        self._gathered: list[ToCoordinator] = []
        self._received: asyncio.Queue[ToGenerator] = asyncio.Queue()

    def send(self, message: ToCoordinator) -> None:
        """Send a message; never blocks, and keeps the order.

        Where the coordinator does not read what was sent, the process ends.
        """
        if not self._gathered:
            asyncio.get_running_loop().call_later(_GATHERED_S, self._write)
        self._gathered.append(message)
        if not isinstance(message, Published) or len(self._gathered) >= _MOST_GATHERED:
            self._write()

    def _write(self) -> None:
        """Write what has gathered, if anything."""
        if not self._gathered or self._writer.is_closing():
            return
        messages, self._gathered = self._gathered, []
        if self._writer.transport.get_write_buffer_size() > _MOST_WAITING:
            _end("the coordinator does not keep up with what happens here")
        write_frame(self._writer, encode_messages(messages))

    async def receive(self) -> ToGenerator:
        """The next message. Where the coordinator is lost, the process ends."""
        return await self._received.get()

    async def listen(self) -> None:
        """Take what comes, until nothing does: then the process ends."""
        while True:
            try:
                async with asyncio.timeout(LEASE_S):
                    frame = await read_frame(self._reader)
            except TimeoutError:
                _end(f"nothing was heard of the coordinator for {LEASE_S:g} s")
            if frame is None:
                _end("the process that has started this one is gone")
            if frame:
                for message in self._decoder.decode(frame):
                    self._received.put_nowait(message)

    async def flush(self) -> None:
        """Wait until all was read that was sent."""
        self._writer.close()
        await self._writer.wait_closed()


def _end(why: str) -> NoReturn:
    """End the process at once; the parent keeps what it writes."""
    os.write(2, f"{why}\n".encode())
    os._exit(_LOST)


async def serve(incoming: int, outgoing: int, run: Generator) -> None:
    """Be the generator that the first frame of ``incoming`` describes, until it is over."""
    reader, writer = await _open(incoming, outgoing)
    first = await read_frame(reader)
    if first is None:
        return
    given: ChildInputs = pickle.loads(first)  # noqa: S301 -- of the coordinator, who may run code
    end = PipeEnd(reader, writer)
    listening = asyncio.create_task(end.listen(), name="perfscale-listen")
    with _own_kubeconfig(given) as inputs, sent_files(given.files):
        await run(inputs, end)
    await end.flush()
    listening.cancel()


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
    eventloop.run(serve(os.dup(0), outgoing, run))


def main() -> None:
    """Run the child; for `GeneratorProcess` only."""
    from perfscale.fleet.generator import run_generator  # noqa: PLC0415 -- all of the engine

    run_child(run_generator)


if __name__ == "__main__":
    main()

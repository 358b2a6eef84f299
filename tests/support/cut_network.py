"""A way to a server of loopback that can be cut: nothing more comes through, and nobody says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class CutNetwork:
    """Passes bytes on until it is cut; connections stay open then, and new ones are accepted."""

    def __init__(self, url: str) -> None:
        self.is_cut = False
        self.url = ""
        self._to = urlsplit(url)
        self._served: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served.add(asyncio.create_task(self._serve(reader, writer)))

    async def aclose(self) -> None:
        for each in self._served:
            each.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, back))
                tasks.create_task(self._pass_on(there, writer))
        finally:
            for each in (writer, back):
                each.transport.abort()
                with suppress(ConnectionError):
                    await each.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if not self.is_cut:
                    writer.write(data)
                    await writer.drain()
            if not self.is_cut:
                writer.close()


@asynccontextmanager
async def cut_network(url: str) -> AsyncIterator[CutNetwork]:
    """A way to ``url`` that is not cut yet."""
    network = CutNetwork(url)
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    network.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        try:
            yield network
        finally:
            server.close()
            await network.aclose()

"""A SOCKS5 proxy on loopback (RFC 1928, RFC 1929) that leads everywhere to one port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_NAME = 3


class SocksProxy:
    """Keeps who asked for which host and port."""

    def __init__(self, leads_to: int | None) -> None:
        self.asked: list[tuple[str, str, str, int]] = []
        self.port = 0
        self._leads_to = leads_to

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x02")
        await reader.readexactly(1)
        user, password = await _sized(reader), await _sized(reader)
        writer.write(b"\x01\x00")
        *_, kind = await reader.readexactly(4)
        assert kind == _NAME, "the proxy is asked to look the name up"
        host = await _sized(reader)
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append((user, password, host, port))
        accepted = b"\x05\x02\x00\x01" if self._leads_to is None else b"\x05\x00\x00\x01"
        writer.write(accepted + bytes(6))
        await writer.drain()
        if self._leads_to is not None:
            there, back = await asyncio.open_connection("127.0.0.1", self._leads_to)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass_on(reader, back))
                tasks.create_task(_pass_on(there, writer))


async def _sized(reader: asyncio.StreamReader) -> str:
    (size,) = await reader.readexactly(1)
    return (await reader.readexactly(size)).decode()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def socks_proxy(leads_to: int | None) -> AsyncIterator[SocksProxy]:
    """One that connects to a port of loopback, or refuses every connection."""
    proxy = SocksProxy(leads_to)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy

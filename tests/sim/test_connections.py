"""A connection that is reset is so on every event loop that the simulated cluster runs on."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from perfscale.sim.apiserver.listening import reset

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_the_other_side_sees_a_reset_and_no_answer(run: Run) -> None:
    async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer.transport)

    async def connect() -> None:
        async with await asyncio.start_server(resets, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    run(connect())

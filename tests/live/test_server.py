"""How the page of a run ends."""

import asyncio
from pathlib import Path

import pytest
from live_pages import served
from patience import PATIENCE_S

from perfscale.live import server
from perfscale.results.pages import REPORT_FILE

LARGE = "x" * 30_000_000  # more than the buffers of a connection hold
EVENTS = b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def test_a_reader_that_takes_nothing_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_FAREWELL_S", 10 * PATIENCE_S)
    (tmp_path / REPORT_FILE).write_text(LARGE, encoding="utf-8")
    async with served() as page, asyncio.timeout(PATIENCE_S):
        port = int(page.url.rstrip("/").rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(EVENTS)
        await reader.readexactly(1)
        await page.finish(tmp_path)
        writer.transport.abort()

"""A page in headless Chromium, with the network off: what it holds, and what it complains about."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from patience import PATIENCE_S

CHROMIUM: Final = shutil.which("chromium")
_POLL_S: Final = 0.05
_FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-port=0",
)  # fmt: skip


@dataclass
class Page:
    """A page that is open.

    Speaks the Chrome DevTools Protocol:
    https://chromedevtools.github.io/devtools-protocol/

    Attributes:
        complaints: Console errors, exceptions, and what the page's policy forbade.
        requested: Every URL that was asked for.
    """

    socket: aiohttp.ClientWebSocketResponse
    complaints: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    _last: int = 0

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and wait for its result."""
        self._last += 1
        await self.socket.send_json({"id": self._last, "method": method, "params": parameters})
        message = await self._until(lambda message: message.get("id") == self._last)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    async def open(self, url: str) -> None:
        """Go there, and wait until all of it is loaded."""
        await self.send("Page.navigate", url=url)
        await self._until(lambda message: message.get("method") == "Page.loadEventFired")

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, which must be JSON."""
        done = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def resize(self, width: int, height: int = 800) -> None:
        """Be a phone, or a screen."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    async def go_online(self) -> None:
        """Reach servers, which a page of a file has no need of."""
        await self._set_network(offline=False)

    async def _set_network(self, *, offline: bool) -> None:
        await self.send(
            "Network.emulateNetworkConditions",
            offline=offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    async def becomes(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.evaluate(f"Boolean({expression})"):  # noqa: ASYNC110 -- a browser's
                await asyncio.sleep(_POLL_S)

    async def prefer(self, scheme: str) -> None:
        """Be of somebody who likes ``light`` or ``dark`` pages."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def _until(self, found: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message: dict[str, Any] = await self.socket.receive_json()
                self._listen(message.get("method", ""), message.get("params", {}))
                if found(message):
                    return message

    def _listen(self, method: str, told: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requested.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" if told["type"] in {"error", "assert"}:
                self.complaints.append(str(told["args"]))


@asynccontextmanager
async def open_browser() -> AsyncIterator[Page]:
    """Start Chromium with an empty page, and end it afterwards."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            *_FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            endpoint = await _endpoint(process)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{endpoint}/json/list") as answer:
                    (target,) = [each for each in await answer.json() if each["type"] == "page"]
                async with session.ws_connect(
                    target["webSocketDebuggerUrl"], max_msg_size=0
                ) as socket:
                    page = Page(socket)
                    for domain in ("Page", "Runtime", "Log", "Network"):
                        await page.send(f"{domain}.enable")
                    await page._set_network(offline=True)
                    yield page
                    with suppress(ConnectionError, TypeError):
                        await page.send("Browser.close")
        finally:
            if process.returncode is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(5):
                        await process.communicate()
                if process.returncode is None:
                    process.kill()
            await process.communicate()


async def _endpoint(process: asyncio.subprocess.Process) -> str:
    """Where it listens, which it says on its standard error."""
    assert process.stderr
    async with asyncio.timeout(PATIENCE_S):
        async for line in process.stderr:
            if found := re.search(rb"ws://(127\.0\.0\.1:\d+)/", line):
                return f"http://{found[1].decode()}"
    raise AssertionError("chromium ended before it listened")

"""What readers get: the parts of the page that have changed since they were sent the last ones.

A reader that is slow misses versions, and never holds one up: it gets the newest when it is
ready for more, whatever it has missed.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Updates:
    """The newest version of each part of the page, as server-sent events.

    https://html.spec.whatwg.org/multipage/server-sent-events.html

    Attributes:
        version: Of the newest; 0 before there is any.
        is_over: Whether there will be no more.
    """

    def __init__(self) -> None:
        self._parts: dict[str, tuple[int, str]] = {}
        self._frames: dict[int, bytes] = {}
        self._report: bytes | None = None
        self._changed = asyncio.Event()
        self.version = 0
        self.is_over = False

    def publish(self, parts: Mapping[str, str]) -> None:
        """There is a newer version of these parts; those that are the same are not sent again."""
        version = self.version + 1
        changed = {
            name: (version, text)
            for name, text in parts.items()
            if self._parts.get(name, (0, None))[1] != text
        }
        if not changed:
            return
        self._parts |= changed
        self._wake(version)

    def finish(self, report: str | None) -> None:
        """The run is over: its report takes the place of everything, if there is one."""
        self._report = _frame("end", "") if report is None else _frame("report", report)
        self.is_over = True
        self._wake(self.version + 1)

    def _wake(self, version: int) -> None:
        self.version = version
        self._frames.clear()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def newer(self, version: int) -> None:
        """Wait for a version that is newer than this one."""
        while self.version <= version and not self.is_over:
            await self._changed.wait()

    def frame(self, version: int) -> bytes:
        """What a reader of this version needs; the same bytes for all of them."""
        if self._report is not None:
            return self._report
        frame = self._frames.get(version)
        if frame is None:
            newer = {name: text for name, (of, text) in self._parts.items() if of > version}
            frame = self._frames[version] = _frame("parts", newer)
        return frame


def _frame(event: str, data: object) -> bytes:
    # In JSON there is no line break, which would end the data.
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()

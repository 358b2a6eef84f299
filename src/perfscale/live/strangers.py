"""Bounds what somebody can take who has not shown that he may read: connections, and their time.

aiohttp accepts any number of connections, and lets each wait for more than a minute.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 64
"""Connections at a time over which nobody has shown that he may read."""
PATIENCE_S: Final = 10.0
"""For how long each of them may stay; a browser opens another when the token is typed."""
_MADE_S: Final = 1.0
"""After so long, a protocol without a connection has lost it, and is not waiting for it."""


class _Stranger(NamedTuple):
    since_s: float
    timer: asyncio.TimerHandle


class _Refusal(asyncio.Protocol):
    """Closes the connection that it is made for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it, without a word: that is what costs least."""
        cast("asyncio.Transport", transport).abort()


class Strangers:
    """The connections over which nobody has shown that he may read."""

    def __init__(self) -> None:
        self._known: dict[object, _Stranger] = {}

    def accept(self, make: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        """The protocol of one more connection: what ``make`` makes, or one that closes it."""
        loop = asyncio.get_running_loop()
        if len(self._known) >= MOST:
            self._forget_lost(loop.time())
        if len(self._known) >= MOST:
            return _Refusal()
        protocol = make()
        timer = loop.call_later(PATIENCE_S, self._drop, protocol)
        self._known[protocol] = _Stranger(loop.time(), timer)
        return protocol

    def admit(self, protocol: object) -> None:
        """Who is at the other end of a connection may read."""
        stranger = self._known.pop(protocol, None)
        if stranger is not None:
            stranger.timer.cancel()

    def close(self) -> None:
        """No more connections come."""
        for protocol in list(self._known):
            self.admit(protocol)

    def _forget_lost(self, now_s: float) -> None:
        for protocol, stranger in list(self._known.items()):
            if _transport_of(protocol) is None and now_s - stranger.since_s > _MADE_S:
                self.admit(protocol)

    def _drop(self, protocol: object) -> None:
        self._known.pop(protocol, None)
        transport = _transport_of(protocol)
        if transport is not None:
            transport.abort()


def _transport_of(protocol: object) -> asyncio.Transport | None:
    """That of one of aiohttp's protocols; None before and after its connection."""
    transport: asyncio.Transport | None = getattr(protocol, "transport", None)
    return transport

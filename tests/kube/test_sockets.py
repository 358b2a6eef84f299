"""Sockets: those that a loop could make no connection of, and those whose other side is gone."""

import socket
import struct
import sys
from contextlib import suppress
from typing import Any

import pytest
from direct_way import get, way_to

from perfscale.kube.http import direct
from perfscale.kube.http.failures import NoAnswerError
from perfscale.kube.http.sockets import Sockets

_AT_ONCE = struct.pack("ii", 1, 0)


async def test_a_connection_that_breaks_before_its_handshake_leaves_no_descriptor_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the socket would close, some time later, what has got its number meanwhile."""
    made: list[socket.socket] = []

    class Broken(socket.socket):
        def setsockopt(self, *option: Any) -> None:
            super().setsockopt(*option)
            with suppress(BlockingIOError):  # when the loop sets it once more
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                accepted.close()

    class Breaking(Sockets):
        def make(self, family: int, kind: int, protocol: int) -> socket.socket:
            made.append(Broken(family, kind, protocol))
            made[-1].setblocking(False)
            self.keep(made[-1])
            return made[-1]

    monkeypatch.setattr(direct, "Sockets", Breaking)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        async with way_to(f"https://127.0.0.1:{listener.getsockname()[1]}") as transport:
            for _ in range(10):
                with pytest.raises(NoAnswerError):
                    await transport.ask(get())
    assert [each.fileno() for each in made] == [-1] * 10


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own times are used")
def test_a_network_that_is_gone_without_a_word_is_noticed_within_half_a_minute() -> None:
    made = Sockets().make(socket.AF_INET, socket.SOCK_STREAM, 0)
    with made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle_s, every_s, probes = (
            made.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
    assert idle_s + every_s * probes <= 30

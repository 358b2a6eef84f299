"""TCP ports on loopback for servers that have to be told where to listen."""

import socket
from contextlib import ExitStack, suppress
from random import SystemRandom
from typing import Final

_HOST: Final = "127.0.0.1"
_CANDIDATES: Final = range(10_000, 32_768)
"""Below those that kernels hand out to whoever connects from, or asks for, any port: nobody's
connection takes one before its server listens, or while that is being restarted."""
_random: Final = SystemRandom()


def free_ports(count: int) -> list[int]:
    """Return `count` different TCP ports that nothing listens on."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            port = _random.choice(_CANDIDATES)
            with suppress(OSError):  # somebody has it
                held.enter_context(socket.create_server((_HOST, port)))
                ports.append(port)
    return ports

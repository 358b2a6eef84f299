"""Where the page of a run is served, and who may read it there."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from perfscale.errors import UsageError

LOOPBACK: Final = "127.0.0.1"
TOKEN_VARIABLE: Final = "PERFSCALE_WEB_TOKEN"  # noqa: S105 -- the name of the variable
_SHORTEST_TOKEN: Final = 16
_ADDRESS: Final = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/\s]+)?:)?(?P<port>\d{1,5})")
_HINT: Final = "write ADDRESS:PORT, as in 127.0.0.1:8080, or a port alone; 0 takes a free one"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Where to listen, and the token that a reader has to know, if there is one."""

    host: str = LOOPBACK
    port: int = 0
    token: str | None = field(default=None, repr=False)

    @property
    def is_everywhere(self) -> bool:
        """Whether it is every address of this machine."""
        try:
            return ipaddress.ip_address(self.host).is_unspecified
        except ValueError:
            return False


def parse_web_address(text: str, token: str | None = None) -> WebAddress:
    """Take an address apart.

    Args:
        text: ``ADDRESS:PORT``, or a port alone; empty for a free port of loopback.
        token: What a reader has to know; elsewhere than on loopback there has to be one.

    Raises:
        UsageError: It is no address, or nobody could be kept away from it.
    """
    found = _ADDRESS.fullmatch(text or "0")
    if found is None or int(found["port"]) > 65535:
        raise UsageError(f"--web: {text!r} is no address", hint=_HINT)
    host = (found["host"] or LOOPBACK).strip("[]")
    if token is not None and len(token) < _SHORTEST_TOKEN:
        raise UsageError(
            f"${TOKEN_VARIABLE} has {len(token)} characters; a token that cannot be guessed has "
            f"{_SHORTEST_TOKEN} or more",
            hint=f"export {TOKEN_VARIABLE}=$(openssl rand -hex 16)",
        )
    if token is None and not _is_loopback(host):
        raise UsageError(
            f"--web: {host} can be reached from elsewhere, and there is no token",
            hint=f"export {TOKEN_VARIABLE}=$(openssl rand -hex 16), which readers then have to "
            "give; or leave the address out, and the page is served on loopback",
        )
    return WebAddress(host, int(found["port"]), token)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

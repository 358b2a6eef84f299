"""Who may ask a server of ours on loopback: programs of this machine, and no web page.

A browser lets a page speak to this machine in two ways. Where the name of the page's own
site comes to mean 127.0.0.1 (DNS rebinding), the server is of the page's origin, and it may
read and write: such requests carry the site's name as their Host. And any page may send
what a form can send, without reading the answer: such requests carry its Origin.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

_NAME: Final = "localhost"


def own_address_only(address: str) -> Middleware:
    """What refuses requests that were not sent to the server's own address with 403.

    Args:
        address: The host name or address at which the server was started. Every name of
            loopback is its own as well, at any port: there may be a tunnel in between.
    """

    @web.middleware
    async def refuse_others(request: web.Request, handler: Handler) -> web.StreamResponse:
        hosts = request.headers.getall("Host", ())
        if len(hosts) != 1 or not is_own(f"//{hosts[0]}", address):
            raise _refusal("Host", hosts)
        origins = request.headers.getall("Origin", ())
        if not all(is_own(origin, address) for origin in origins):
            raise _refusal("Origin", origins)
        return await handler(request)

    return refuse_others


@lru_cache(maxsize=64)  # every request of a client has the same
def is_own(url: str, address: str) -> bool:
    """Whether the host of a URL is this address, or a name of loopback."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    if host is None:
        return False
    if host in (_NAME, address.lower()):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(header: str, values: object) -> web.HTTPForbidden:
    return web.HTTPForbidden(
        text=f"this server answers at the address it was started at, and at names of loopback: "
        f"{header} is {values!a}\n"
    )

"""Addresses of servers other than the cluster's."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

_CREDENTIALS: Final = re.compile(r"(?<=://)[^/?#\s]*@")


class Address(NamedTuple):
    """A URL without a slash at its end, and the credentials that were in it, else empty."""

    url: str
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without the password."""
        return f"Address({self.url!r})"


def parse_address(text: str) -> Address:
    """Take an address apart.

    Raises:
        ValueError: It is not that of a server; the message has no credentials in it.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("this is not a URL, as in http://localhost:9090") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("this is not a URL that begins with http:// or https://")
    if parts.query or parts.fragment:
        raise ValueError("the URL of a server has no ? and no # in it")
    where = f"[{host}]" if ":" in host else host
    netloc = where if port is None else f"{where}:{port}"
    bare = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
    return Address(bare, unquote(parts.username or ""), unquote(parts.password or ""))


def without_credentials(text: str) -> str:
    """A text, such as an argument of a command line, with the credentials of URLs in it masked."""
    return _CREDENTIALS.sub("***@", text)

"""Which proxy leads to a server, decided once: by Go's rules, as kubectl's users expect.

https://pkg.go.dev/golang.org/x/net/http/httpproxy
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from yarl import URL

from perfscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_HTTP: Final = ("http", "https")
_SOCKS: Final = ("socks5", "socks5h")
_SOCKS_PORT: Final = 1080
"""https://www.rfc-editor.org/rfc/rfc1928"""


def proxy_for(
    server: URL, configured: str | None, environ: Mapping[str, str], *, socks: bool = False
) -> str | None:
    """URL of the proxy for a server; None to go there directly.

    Args:
        server: Its URL.
        configured: ``proxy-url`` of the kubeconfig, which comes first.
        environ: The environment: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in either case.
        socks: Whether a SOCKS5 proxy can be used too.

    Raises:
        UsageError: The proxy is of a kind that cannot be used.
    """
    schemes = (*_HTTP, *_SOCKS) if socks else _HTTP
    if configured:
        return _checked(configured, "proxy-url in the kubeconfig", schemes)
    variable = f"{server.scheme.upper()}_PROXY"
    proxy = _either(environ, variable)
    if not proxy or _is_direct(server, _either(environ, "NO_PROXY")):
        return None
    return _checked(proxy, variable, schemes)


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.lower()) or ""


def _checked(proxy: str, where: str, schemes: Sequence[str]) -> str:
    """The proxy's URL; it is never shown, since it may hold a password."""
    try:
        url = URL(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError:
        raise UsageError(f"{where} is not a URL") from None
    if url.scheme not in schemes or not url.host:
        usable = ", ".join(f"{scheme}://" for scheme in schemes if scheme != "socks5h")
        raise UsageError(f"{where} should be a URL that begins with one of {usable}")
    if url.scheme in _SOCKS and url.port is None:
        url = url.with_port(_SOCKS_PORT)
    return str(url)


def _is_direct(server: URL, no_proxy: str) -> bool:
    host = (server.host or "").lower().rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(
        _matches(rule, host, server.port, address)
        for rule in (part.strip().lower() for part in no_proxy.split(","))
        if rule
    )


def _matches(
    rule: str,
    host: str,
    port: int | None,
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None,
) -> bool:
    if rule == "*":
        return True
    if "/" in rule:
        try:
            return address is not None and address in ipaddress.ip_network(rule, strict=False)
        except ValueError:
            return False
    name, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdecimal() and (name.count(":") == 0 or name.endswith("]")):
        if port != int(wanted):
            return False
        rule = name
    rule = rule.strip("[]")
    if address is not None:
        return rule == str(address)
    if rule.startswith("*."):
        rule = rule[1:]
    return host.endswith(rule) if rule.startswith(".") else f".{host}".endswith(f".{rule}")

"""Which proxy leads to a server, decided once: by Go's rules, as kubectl's users expect.

https://pkg.go.dev/golang.org/x/net/http/httpproxy
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from yarl import URL

from perfscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(server: URL, configured: str | None, environ: Mapping[str, str]) -> str | None:
    """URL of the proxy for a server; None to go there directly.

    Args:
        server: Its URL.
        configured: ``proxy-url`` of the kubeconfig, which comes first.
        environ: The environment: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in either case.

    Raises:
        UsageError: The proxy is of a kind that cannot be used.
    """
    if configured:
        return _checked(configured, "proxy-url in the kubeconfig")
    variable = f"{server.scheme.upper()}_PROXY"
    proxy = _either(environ, variable)
    if not proxy or _is_direct(server, _either(environ, "NO_PROXY")):
        return None
    return _checked(proxy, variable)


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.lower()) or ""


def _checked(proxy: str, where: str) -> str:
    """The proxy's URL; it is never shown, since it may hold a password."""
    try:
        url = URL(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError:
        raise UsageError(f"{where} is not a URL") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError(f"{where} should be an http:// or https:// URL, not {url.scheme}://")
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
    if colon and wanted.isdigit() and (name.count(":") == 0 or name.endswith("]")):
        if port != int(wanted):
            return False
        rule = name
    rule = rule.strip("[]")
    if address is not None:
        return rule == str(address)
    if rule.startswith("*."):
        rule = rule[1:]
    return host.endswith(rule) if rule.startswith(".") else _is_or_is_under(host, rule)


def _is_or_is_under(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")

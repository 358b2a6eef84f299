"""Opens a cluster: kubeconfig, credentials, TLS, proxy, transport, all resolved once."""

from __future__ import annotations

import logging
import os
import shlex
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from yarl import URL

from perfscale.config.proxies import proxy_for
from perfscale.errors import UsageError
from perfscale.kube.auth.credentials import Credentials
from perfscale.kube.auth.impersonation import impersonation_headers
from perfscale.kube.auth.kubeconfig import Access, find_access
from perfscale.kube.auth.login import KubeconfigIssuer
from perfscale.kube.client import Client, ClientSettings
from perfscale.kube.http.direct import DirectTransport
from perfscale.kube.http.transport import Endpoint
from perfscale.kube.ratelimit import RateLimiter
from perfscale.kube.retrying.retry import Timing

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Self

    from perfscale.kube.http.transport import Transport

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterOptions(ClientSettings):
    """Which cluster, and within which bounds: those of `ClientSettings`, too.

    Attributes:
        kubeconfig: File to read; by default KUBECONFIG, then the default file,
            then the pod's service account.
        context: Context of it; by default the current one.
        master: URL of the API server, instead of the kubeconfig's.
        qps: Limit on all requests a second; 0 for none.
        burst: Requests that may go at once after a rest; 0 means ``qps``.
    """

    kubeconfig: str | None = None
    context: str | None = None
    master: str | None = None
    qps: float = 0.0
    burst: int = 0


class Cluster:
    """An open cluster; an async context manager that closes it.

    Attributes:
        context: Name of the kubeconfig's context; None where there is none.
        namespace: The context's; None where it names none.
        server: URL of the API server.
        client: The way to it.
        insecure: Whether its certificate is not verified.
        way: The options of a command line that lead to it; empty where none are needed.
    """

    def __init__(
        self,
        client: Client,
        transport: Transport,
        *,
        context: str | None = None,
        namespace: str | None = None,
        insecure: bool = False,
        way: str = "",
    ) -> None:
        self.way = way
        self.context = context
        self.namespace = namespace
        self.server = client.server
        self.client = client
        self.insecure = insecure
        self._transport = transport

    async def aclose(self) -> None:
        """Close every connection. Requests in flight fail."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def open_cluster(
    options: ClusterOptions,
    *,
    limiter: RateLimiter | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Cluster:
    """Find the cluster and sign in; no request is sent to it yet.

    Args:
        options: Which cluster.
        limiter: The run's rate limit; by default one of the options' rate.
        clock: Monotonic seconds; all times in answers are on it.

    Raises:
        UsageError: No kubeconfig, a broken one, or no such context in it.
        CredentialsError: A plugin or an identity provider failed.
    """
    access = find_access(
        kubeconfig=options.kubeconfig,
        context=options.context,
        master=options.master,
        environ=os.environ,
    )
    server = _server(access)
    access = replace(access, cluster={**access.cluster, "server": str(server)})
    endpoint = Endpoint(
        server=str(server).rstrip("/"),
        proxy=proxy_for(server, access.cluster.get("proxy-url"), os.environ, socks=True),
        tls_server_name=access.cluster.get("tls-server-name"),
        headers=impersonation_headers(access.user, access.origin),
    )
    issuer = KubeconfigIssuer(access)
    credentials = await Credentials.obtain(issuer, clock=clock)
    insecure = server.scheme == "https" and bool(access.cluster.get("insecure-skip-tls-verify"))
    if insecure:
        _log.warning("the certificate of %s is not verified (insecure-skip-tls-verify)", server)
    transport = _transport(endpoint, issuer.tls if server.scheme == "https" else None)
    client = Client(
        transport,
        endpoint,
        credentials,
        limiter=limiter or RateLimiter(options.qps, options.burst),
        settings=options,
        timing=Timing(clock=clock),
    )
    return Cluster(
        client,
        transport,
        context=access.context,
        namespace=access.namespace,
        insecure=insecure,
        way=_way(options, access.context),
    )


def _way(options: ClusterOptions, context: str | None) -> str:
    """The context is named even where it is the current one: that may be another later."""
    given = (
        ("--kubeconfig", options.kubeconfig),
        ("--context", context),
        ("--master", options.master),
    )
    return " ".join(f"{option} {shlex.quote(value)}" for option, value in given if value)


def _transport(endpoint: Endpoint, tls: ssl.SSLContext | None) -> Transport:
    if endpoint.proxy is None or endpoint.proxy.startswith("socks5"):
        return DirectTransport(endpoint, tls)
    from perfscale.kube.http.proxied import ProxiedTransport  # noqa: PLC0415 -- seldom, and slow

    return ProxiedTransport(endpoint, tls)


def _server(access: Access) -> URL:
    """The API server's URL, checked."""
    text = access.cluster.get("server")
    if not text:
        raise UsageError(f"{access.origin}: the cluster of {access.context} has no server")
    text = str(text)
    if "://" not in text:
        # As client-go has it: a bare host speaks TLS if there is anything to speak it with.
        secure = access.cluster.keys() & {
            "certificate-authority",
            "certificate-authority-data",
            "insecure-skip-tls-verify",
        }
        text = f"{'https' if secure else 'http'}://{text}"
    try:
        url = URL(text)
    except ValueError:
        raise UsageError(f"{access.origin}: the server is not a URL") from None
    if url.user or url.password:
        raise UsageError(
            f"{access.origin}: the server's URL holds credentials",
            hint="write them as username and password of the kubeconfig's user",
        )
    if "?" in text or "#" in text:
        raise UsageError(f"{access.origin}: the URL of a server has no ? and no # in it")
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError(f"{access.origin}: the server {url} is not an http:// or https:// URL")
    return url

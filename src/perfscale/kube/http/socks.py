"""Connections through a SOCKS5 proxy, as `ssh -D` opens one.

https://www.rfc-editor.org/rfc/rfc1928
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.kube.http.failures import Failure, NoAnswerError, unconnected

if TYPE_CHECKING:
    import socket

_HINT: Final = "check proxy-url in the kubeconfig and HTTPS_PROXY in the environment"


async def connect_through(proxy: str, host: str, port: int) -> socket.socket:
    """A connection to a server, made by the proxy, which looks the name up as with kubectl.

    Args:
        proxy: Its URL, ``socks5://``, possibly with credentials in it.
        host: Name or address of the server.
        port: Of the server.

    Raises:
        NoAnswerError: The proxy cannot be reached, or refuses.
        TimeoutError: It took too long.
    """
    from python_socks import (  # noqa: PLC0415 -- seldom needed
        ProxyConnectionError,
        ProxyError,
        ProxyTimeoutError,
    )
    from python_socks.async_.asyncio import Proxy  # noqa: PLC0415

    way = Proxy.from_url(proxy.replace("socks5h://", "socks5://", 1), rdns=True)
    try:
        return await way.connect(host, port)
    except ProxyTimeoutError:
        raise
    except ProxyConnectionError as error:
        cause = error.__cause__
        failure = unconnected(cause if isinstance(cause, OSError) else error)
        raise NoAnswerError(failure._replace(text=f"the proxy: {failure.text}")) from error
    except ProxyError as error:
        text = f"the proxy refused the connection: {error}"
        raise NoAnswerError(Failure(text, _HINT, connecting=True)) from error

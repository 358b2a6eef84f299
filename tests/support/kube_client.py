"""How the tests of the kube room get a client: the type of their fixture."""

from collections.abc import Callable
from typing import Protocol

from scripted_server import ScriptedServer

from perfscale.kube.auth.credentials import Issuer
from perfscale.kube.client import Client, ClientSettings
from perfscale.kube.ratelimit import RateLimiter


class Connect(Protocol):
    async def __call__(
        self,
        server: ScriptedServer | str,
        settings: ClientSettings = ...,
        *,
        issuer: Issuer | None = ...,
        limiter: RateLimiter | None = ...,
        clock: Callable[[], float] | None = ...,
    ) -> Client: ...

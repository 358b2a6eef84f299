"""The token of a kubeconfig's `auth-provider`.

kubernetes_asyncio knows how to get it. Nothing else is taken from the library, and it
is imported only for a user who has such an entry: any part of it brings in all of it, a
thousand modules, 0.2 s of CPU and 44 MB, which every run would pay for. Tokens, passwords,
certificates and plugins take a few lines beside this module. OpenID Connect has one of its
own, because the library does not verify the certificate of the identity provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.errors import CredentialsError
from perfscale.kube.auth.plugin import shortened

if TYPE_CHECKING:
    from perfscale.kube.auth.kubeconfig import Entry


async def provided_token(provider: Entry, *, fresh: bool) -> str:
    """The token of the provider's user; empty where the library does not know the provider.

    Args:
        provider: ``auth-provider`` of the kubeconfig's user. What was given out is kept
            in its ``config``, on which the next renewal builds.
        fresh: The server refused the last token: do not give it out again.

    Raises:
        CredentialsError: There is no token to be had.
    """
    config = provider.setdefault("config", {})
    if provider.get("name") == "oidc":
        from perfscale.kube.auth.oidc import id_token  # noqa: PLC0415 -- imports a HTTP client

        return await id_token(config, fresh=fresh)
    if fresh:
        for key in ("access-token", "expiry"):
            config.pop(key, None)
    return await _through_library(provider)


async def _through_library(provider: Entry) -> str:
    from kubernetes_asyncio.client import Configuration  # noqa: PLC0415 -- see above
    from kubernetes_asyncio.config import (  # noqa: PLC0415
        ConfigException,
        load_kube_config_from_dict,
    )

    configuration = Configuration()
    try:
        await load_kube_config_from_dict(
            {
                "current-context": "run",
                "contexts": [{"name": "run", "context": {"cluster": "run", "user": "run"}}],
                "clusters": [{"name": "run", "cluster": {"server": "http://run"}}],
                "users": [{"name": "run", "user": {"auth-provider": provider}}],
            },
            client_configuration=configuration,
        )
    except (ConfigException, OSError, ValueError, LookupError, TypeError) as error:
        raise CredentialsError(
            f"cannot sign in with the auth-provider {provider.get('name')}: {shortened(str(error))}"
        ) from error
    authorization: str = configuration.api_key.get("BearerToken") or ""
    return authorization.removeprefix("Bearer ")

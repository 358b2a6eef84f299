"""Signs in as a kubeconfig's user: a token, a password, a certificate, a plugin or a provider.

kubernetes_asyncio is imported only for an `auth-provider` that it knows: any part of it brings in
all of it, a thousand modules, 0.2 s of CPU and 44 MB, which every run would pay for. OpenID
Connect is done here too, because the library does not verify the provider's certificate.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfscale.errors import CredentialsError, UsageError
from perfscale.kube.auth.credentials import Grant
from perfscale.kube.auth.plugin import run_plugin, shortened
from perfscale.kube.auth.tls import show_certificate, tls_context

if TYPE_CHECKING:
    import ssl

    from perfscale.kube.auth.kubeconfig import Access, Entry

_POLL_S: Final = 60.0
"""How often token files are read again, as client-go does; and how often it is
checked whether a provider's token is about to expire."""
_WRITTEN_DOWN: Final = frozenset({"token", "tokenFile", "username"})
_OBTAINED: Final = frozenset({"exec", "auth-provider"})


class KubeconfigIssuer:
    """Gives out the credentials of a kubeconfig's user, and sets up TLS with them.

    Attributes:
        tls: For an https server, after the first `issue`. A plugin that gives
            out client certificates has later ones put in here.
        renewable: Whether there is more to be had than what is written down.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._user = _effective(access.user)
        self._first = True
        self.tls: ssl.SSLContext | None = None
        self.renewable = bool(self._user.keys() & {"tokenFile", *_OBTAINED})

    async def issue(self, *, fresh: bool) -> Grant:
        """Read, run or refresh, whatever this user's credentials need.

        Raises:
            UsageError: At first: a certificate, key or token file is missing or broken.
            CredentialsError: A plugin or an identity provider failed.
        """
        try:
            return await self._issue(fresh=fresh)
        except UsageError as error:
            if self._first:
                raise
            raise CredentialsError(f"cannot renew the credentials: {error}") from error

    async def _issue(self, *, fresh: bool) -> Grant:
        obtained, check_again_s = await self._obtain(fresh=fresh)
        user = {**self._user, **obtained}
        cluster, origin = self._access.cluster, self._access.origin
        if self._first and cluster["server"].startswith("https:"):
            self.tls = tls_context(cluster, user, origin)
        elif self.tls is not None:
            # Only with what is new: the kubeconfig's own files may be gone by now.
            show_certificate(self.tls, obtained, origin)
        self._first = False
        authorization = _authorization(user)
        if not authorization.isprintable():  # a line break would begin another header field
            raise CredentialsError(
                "the user's token has characters that cannot be sent",
                hint=f"look for line breaks in the token that {origin} leads to",
            )
        return Grant(authorization or None, check_again_s)

    async def _obtain(self, *, fresh: bool) -> tuple[Entry, float | None]:
        """What is not written down, as in a kubeconfig; and after how long to do so again."""
        user = self._user
        if "exec" in user:
            return await run_plugin(user["exec"], self._access.cluster)
        if "tokenFile" in user:
            return {"token": _read_token(user["tokenFile"])}, _POLL_S
        if "auth-provider" in user:
            return {"token": await provided_token(user["auth-provider"], fresh=fresh)}, _POLL_S
        return {}, None


def _effective(user: Entry) -> Entry:
    """The user without what is not used: as with kubectl, what is written down comes first."""
    if not user.keys() & _WRITTEN_DOWN:
        return user
    return {key: value for key, value in user.items() if key not in _OBTAINED}


def _authorization(user: Entry) -> str:
    if token := user.get("token"):
        return f"Bearer {token}".strip()
    if "username" in user and "password" in user:
        pair = f"{user['username']}:{user['password']}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return ""


def _read_token(name: str) -> str:
    try:
        token = Path(name).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a token"
        raise UsageError(f"tokenFile: cannot read {name}: {reason}") from error
    if not token:
        raise UsageError(f"the token file {name} is empty")
    return token


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

"""Refreshes the id-token of a kubeconfig's OpenID Connect provider.

kubernetes_asyncio can do so too, but does not verify the provider's certificate,
to which the refresh token and the client's secret are sent.
https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokens
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from perfscale.config.proxies import proxy_for
from perfscale.errors import CredentialsError
from perfscale.kube.decoding import UNREADABLE

if TYPE_CHECKING:
    from perfscale.kube.auth.kubeconfig import Entry

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_EARLY_S: Final = 300.0
"""A token that expires within five minutes is refreshed."""


async def id_token(config: Entry, *, fresh: bool) -> str:
    """The id-token, refreshed if it is about to expire.

    Args:
        config: ``auth-provider.config`` of the user; ``id-token`` and ``refresh-token``
            are replaced in place.
        fresh: Refresh also if the id-token looks good.

    Raises:
        CredentialsError: The provider cannot be reached, or refuses; or the token has
            expired, and there is nothing to refresh it with.
    """
    expiring = _is_expiring(config.get("id-token"))
    if "refresh-token" in config and (fresh or expiring):
        await _refresh(config)
    elif expiring:
        raise CredentialsError(
            "the kubeconfig's user has no valid id-token, and no refresh-token to get one with",
            hint="log in to the cluster again",
        )
    return str(config["id-token"])


async def _refresh(config: Entry) -> None:
    issuer = str(config.get("idp-issuer-url", "")).rstrip("/")
    try:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=_trust(config)),
            timeout=_TIMEOUT,
            raise_for_status=True,
        ) as session:
            known = URL(f"{issuer}/.well-known/openid-configuration")
            async with session.get(known, proxy=proxy_for(known, None, os.environ)) as answer:
                endpoint = URL(_text(await answer.read(), "token_endpoint"))
            form, headers = _request(config)
            proxy = proxy_for(endpoint, None, os.environ)
            async with session.post(endpoint, data=form, headers=headers, proxy=proxy) as answer:
                body = await answer.read()
    except aiohttp.ClientResponseError as error:
        raise CredentialsError(
            f"the identity provider {issuer} refused to refresh the token: status {error.status}",
            hint="log in to the cluster again",
        ) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise CredentialsError(
            f"the identity provider {issuer} cannot be used: {type(error).__name__}"
        ) from error
    config["id-token"] = _text(body, "id_token")
    config["refresh-token"] = _decoded(body).get("refresh_token") or config["refresh-token"]


def _request(config: Entry) -> tuple[dict[str, str], dict[str, str]]:
    """Form and headers; a client with a secret signs in with it (RFC 6749, 2.3.1)."""
    form = {"grant_type": "refresh_token", "refresh_token": str(config["refresh-token"])}
    name, secret = str(config.get("client-id", "")), config.get("client-secret")
    if not secret:
        return {**form, "client_id": name}, {}
    pair = f"{quote(name, safe='')}:{quote(str(secret), safe='')}"
    return form, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _trust(config: Entry) -> ssl.SSLContext:
    data, file = (
        config.get("idp-certificate-authority-data"),
        config.get("idp-certificate-authority"),
    )
    try:
        pem = base64.b64decode(str(data)).decode() if data else None
        return ssl.create_default_context(cafile=None if pem else file or None, cadata=pem)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise CredentialsError("the identity provider's certificate authority is broken") from error


def _is_expiring(token: object) -> bool:
    """Whether a JWT expires soon, or cannot be read."""
    parts = str(token).split(".")
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=="))
    except (IndexError, binascii.Error, *UNREADABLE):
        return True
    expires = claims.get("exp") if isinstance(claims, dict) else None
    return isinstance(expires, int | float) and expires - _EARLY_S <= time.time()


def _decoded(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])


def _text(body: bytes, key: str) -> str:
    try:
        return str(_decoded(body)[key])
    except (KeyError, *UNREADABLE) as error:
        raise CredentialsError(f"the identity provider's answer has no {key}") from error

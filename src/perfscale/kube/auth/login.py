"""Signs in as a kubeconfig's user: a token, a password, a certificate, a plugin or a provider."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfscale.errors import CredentialsError, UsageError
from perfscale.kube.auth.credentials import Grant
from perfscale.kube.auth.plugin import run_plugin
from perfscale.kube.auth.provider import provided_token
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
        user, cluster, origin = (
            {**self._user, **obtained},
            self._access.cluster,
            self._access.origin,
        )
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

"""Signs in as a kubeconfig says, through kubernetes_asyncio.

Only the library's configuration is used, and imported where a connection is
made. Some things are done before it gets the kubeconfig: embedded certificates
are written to a private folder (it would leave its own files open), exec plugins
are run when we decide (it has no way to ask again, and tells them nothing of the
cluster), token files are read (it keeps the newline), and an identity provider's
token is refreshed (it does not verify the provider).
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from perfscale.errors import CredentialsError, UsageError
from perfscale.kube.auth.credentials import Grant
from perfscale.kube.auth.oidc import refresh_if_due
from perfscale.kube.auth.plugin import ask_plugin, shortened
from perfscale.kube.auth.sign_in import sign_in

if TYPE_CHECKING:
    from kubernetes_asyncio.client import Configuration

    from perfscale.kube.auth.kubeconfig import Access, Entry

_POLL_S: Final = 60.0
"""How often token files are read again, as client-go does; and how often the
library is asked whether an identity provider's token is about to run out."""
_CERTIFICATES: Final = ("certificate-authority", "client-certificate", "client-key")
_WRITTEN_DOWN: Final = frozenset({"token", "tokenFile", "username"})
_ASKED_FOR: Final = frozenset({"exec", "auth-provider"})


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
        self.renewable = bool(self._user.keys() & {"tokenFile", *_ASKED_FOR})

    async def issue(self, *, fresh: bool) -> Grant:
        """Read, ask or refresh, whatever this user's credentials need.

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
        user, cluster = dict(self._user), self._access.cluster
        if not self._first:
            # TLS is set up already, and its files may have gone since.
            cluster = {"server": cluster["server"]}
            user = {key: user[key] for key in user if not key.startswith("client-")}
        check_again_s: float | None = None
        if "exec" in user:
            answer = await ask_plugin(user.pop("exec"), self._access.cluster)
            user |= answer.user
            check_again_s = answer.check_again_s
        elif "tokenFile" in user:
            user["token"] = _read_token(user.pop("tokenFile"))
            check_again_s = _POLL_S
        elif "auth-provider" in user:
            await _renew_provided(user["auth-provider"], fresh=fresh)
            check_again_s = _POLL_S
        with tempfile.TemporaryDirectory(prefix="perfscale-") as folder:
            configuration = await self._load(cluster, user, Path(folder))
            self._set_up_tls(configuration)
        self._first = False
        token = (configuration.api_key.get("BearerToken") or "").strip()
        if not token.isprintable():  # a line break in it would begin another header field
            raise CredentialsError(
                "the user's token has characters that cannot be sent",
                hint=f"look for line breaks in the token that {self._access.origin} leads to",
            )
        return Grant(token or None, check_again_s)

    async def _load(self, cluster: Entry, user: Entry, folder: Path) -> Configuration:
        library = sign_in()
        document = {
            "current-context": "run",
            "contexts": [{"name": "run", "context": {"cluster": "run", "user": "run"}}],
            "clusters": [{"name": "run", "cluster": _in_files(cluster, folder)}],
            "users": [{"name": "run", "user": _in_files(user, folder)}],
        }
        configuration = library.Configuration()
        try:
            await library.load_kube_config_from_dict(document, client_configuration=configuration)
        except (aiohttp.ClientError, OSError) as error:
            raise CredentialsError(
                f"cannot sign in: the identity provider cannot be reached ({type(error).__name__})"
            ) from error
        except (library.ConfigException, ValueError, LookupError, TypeError) as error:
            raise CredentialsError(
                f"cannot sign in as {self._access.origin} says: {shortened(str(error))}"
            ) from error
        return configuration

    def _set_up_tls(self, configuration: Configuration) -> None:
        try:
            if self._first and self._access.cluster["server"].startswith("https:"):
                self.tls = _tls_context(configuration)
            elif self.tls is not None and configuration.cert_file:
                self.tls.load_cert_chain(
                    configuration.cert_file, configuration.key_file, _no_password
                )
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or error.strerror or "not readable"
            raise UsageError(
                f"{self._access.origin}: a certificate or key cannot be used: {reason}"
            ) from error


def _effective(user: Entry) -> Entry:
    """The user without what is not asked: as with kubectl, what is written down comes first."""
    if not user.keys() & _WRITTEN_DOWN:
        return user
    return {key: value for key, value in user.items() if key not in _ASKED_FOR}


def _tls_context(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    # Clusters' own certificate authorities often lack extensions that strict
    # verification, on by default since Python 3.13, insists on, and Go does not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file, _no_password)
    return context


def _no_password() -> str:
    """An error for an encrypted key, where the default is to ask on the terminal."""
    return ""


def _in_files(entry: Entry, folder: Path) -> Entry:
    """The entry, with the certificates that are embedded in it written to files."""
    entry = dict(entry)
    for key in _CERTIFICATES:
        data = entry.pop(f"{key}-data", None)
        if data is not None:
            path = folder / key
            path.write_bytes(_decoded(key, data))
            entry[key] = str(path)
        elif key in entry and not Path(entry[key]).is_file():
            raise UsageError(f"{key}: no such file: {entry[key]}")
    return entry


def _decoded(key: str, data: object) -> bytes:
    text = data if isinstance(data, bytes) else "".join(str(data).split())
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"{key}-data in the kubeconfig is not base64") from None


def _read_token(name: str) -> str:
    try:
        token = Path(name).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a token"
        raise UsageError(f"tokenFile: cannot read {name}: {reason}") from error
    if not token:
        raise UsageError(f"the token file {name} is empty")
    return token


async def _renew_provided(provider: Entry, *, fresh: bool) -> None:
    """Renew what a provider gave out, in place: the next renewal builds on it."""
    config = provider.setdefault("config", {})
    if provider.get("name") == "oidc":
        await refresh_if_due(config, fresh=fresh)
    elif fresh:
        # The library asks gcloud for another token if there is none.
        for key in ("access-token", "expiry"):
            config.pop(key, None)

"""Where a server is, and how to sign in to it."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from yarl import URL

from perfscale.config.address import parse_address
from perfscale.config.proxies import proxy_for
from perfscale.errors import ConfigError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perfscale.config.reading.source import SignIn


class Credentials(NamedTuple):
    """How to sign in: with a token, or a name and a password, or not at all."""

    username: str = ""
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        """Nothing that anybody could sign in with."""
        return "Credentials(...)" if any(self) else "Credentials()"

    def header(self) -> str | None:
        """The value of ``Authorization``; None for none."""
        if self.token:
            return f"Bearer {self.token}"
        if self.username:
            pair = f"{self.username}:{self.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return None


@dataclass(frozen=True)
class Endpoint:
    """A server.

    Attributes:
        url: Its address, without credentials and without a slash at its end.
        credentials: How to sign in.
        verify_tls: Whether its certificate is checked.
        ca_file: The certificates that it is checked by; None for the system's.
        timeout_s: Bound on one request, in seconds.
        proxy: URL of the proxy that leads to it; None to go there directly.
    """

    url: str
    credentials: Credentials = field(default=Credentials(), repr=False)
    verify_tls: bool = True
    ca_file: Path | None = None
    timeout_s: float = 30.0
    proxy: str | None = field(default=None, repr=False)

    @classmethod
    def at(
        cls,
        what: str,
        url: str,
        *given: Credentials,
        verify_tls: bool = True,
        ca_file: Path | None = None,
        timeout_s: float = 30.0,
    ) -> Endpoint:
        """The server at an address, by way of the environment's proxy.

        Args:
            what: What it is, for errors.
            url: Its address; credentials in it go before those that are given.
            given: How to sign in; the first that does is taken.
            verify_tls: Whether its certificate is checked.
            ca_file: The certificates that it is checked by.
            timeout_s: Bound on one request, in seconds.

        Raises:
            UsageError: It is no address, or the proxy is of a kind that cannot be used.
        """
        address, in_url = split_url(what, url)
        credentials = chosen_credentials(in_url, *given)
        proxy = proxy_for(URL(address), None, os.environ)
        return cls(address, credentials, verify_tls, ca_file, timeout_s, proxy)


def split_url(what: str, url: str) -> tuple[str, Credentials]:
    """An address, and the credentials that were in it.

    Raises:
        UsageError: It is not the address of a server; the message has no credentials in it.
    """
    try:
        address = parse_address(url)
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None
    return address.url, Credentials(address.username, address.password)


def credentials_of(sign_in: SignIn | None) -> Credentials:
    """The credentials that a file of another tool has for a server, if any."""
    if sign_in is None:
        return Credentials()
    return Credentials(sign_in.username, sign_in.password, sign_in.token)


def chosen_credentials(*given: Credentials) -> Credentials:
    """The first of several that gives credentials."""
    return next((each for each in given if any(each)), Credentials())


@dataclass(frozen=True)
class SecretVariables:
    """The variables of the environment that hold the credentials for a server.

    Attributes:
        what: The server, for errors.
        token: The name of the variable with a bearer token, and likewise below.
    """

    what: str
    token: str
    username: str
    password: str

    @property
    def hint(self) -> str:
        """How to give credentials."""
        return (
            f"put a token into {self.token}, or a name and a password into {self.username} and "
            f"{self.password}"
        )

    def credentials(
        self,
        environment: Mapping[str, str],
        *,
        token_file: Path | None = None,
        password_file: Path | None = None,
    ) -> Credentials:
        """The credentials that environment and files give.

        Raises:
            ConfigError: A file cannot be read, has no secret in it, or both ways are given.
        """
        username = environment.get(self.username, "")
        password = environment.get(self.password, "")
        token = environment.get(self.token, "")
        if token_file is not None:
            username, password, token = "", "", _secret(token_file)
        elif password_file is not None:
            if not username:
                message = f"the password has no user name: set {self.username}"
                raise ConfigError([Problem(message, str(password_file))])
            password, token = _secret(password_file), ""
        if token and username:
            message = f"{self.token} and {self.username} are both set: unset one of them"
            raise ConfigError([Problem(message)])
        if _CONTROL.search(username + password + token):
            message = (
                f"the credentials for {self.what} have a line break or control character in them"
            )
            raise ConfigError([Problem(message)])
        return Credentials(username, password, token)


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def _secret(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"the secret cannot be read: {error.strerror}"
        raise ConfigError([Problem(message, str(path))]) from error
    except UnicodeDecodeError:
        raise ConfigError([Problem("the secret is not text", str(path))]) from None
    if not secret:
        raise ConfigError([Problem("there is no secret in this file", str(path))])
    return secret

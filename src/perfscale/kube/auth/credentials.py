"""The Authorization header, kept valid through a run of hours.

Tokens expire: an exec plugin's at the time that it names, a projected service account
token when the kubelet has replaced its file, any of them when the server answers 401.
An `Issuer` gets fresh ones; when it is to do so is decided here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from perfscale.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_RETRY_S: Final = 30.0
_EARLY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What an issuer gave out; its text is without the secret.

    Attributes:
        authorization: Value of the Authorization header; None where a client
            certificate, or nothing, speaks for us.
        check_again_s: Seconds after which to ask again; None means only when
            the server refuses.
    """

    authorization: str | None = field(default=None, repr=False)
    check_again_s: float | None = None


class Issuer(Protocol):
    """Where credentials come from."""

    @property
    def renewable(self) -> bool:
        """Whether asking again can bring anything new."""

    async def issue(self, *, fresh: bool) -> Grant:
        """Give out credentials.

        Args:
            fresh: The server refused the last ones: do not give out any that
                were kept.

        Raises:
            CredentialsError: There are none to be had.
        """


def lifetime_s(expires_in_s: float) -> float:
    """When to renew what expires: a minute early, but not before half its life."""
    return max(expires_in_s - _EARLY_S, expires_in_s / 2, 1.0)


class Credentials:
    """The current Authorization header of a client.

    Attributes:
        authorization: The header's value; None for no header.
        due_s: When to renew it, on the clock; None: only when the server refuses it.
    """

    def __init__(
        self, issuer: Issuer, grant: Grant, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._renewing = asyncio.Lock()
        self.due_s: float | None = None
        self.authorization: str | None = None
        self._take(grant)

    @classmethod
    async def obtain(
        cls, issuer: Issuer, *, clock: Callable[[], float] = time.monotonic
    ) -> Credentials:
        """Get the first ones; raises what `Issuer.issue` raises."""
        return cls(issuer, await issuer.issue(fresh=False), clock=clock)

    @property
    def due(self) -> bool:
        """Whether it is time to renew them, and nobody is doing so."""
        return self._is_over() and not self._renewing.locked()

    def _is_over(self) -> bool:
        return self.due_s is not None and self._clock() >= self.due_s

    async def renew(self) -> None:
        """Renew before they run out; those in hand stay in use if that fails."""
        async with self._renewing:
            if not self._is_over():
                return
            try:
                self._take(await self._issuer.issue(fresh=False))
            except CredentialsError as error:
                _log.warning("credentials could not be renewed yet: %s", error)
                self.due_s = self._clock() + _RETRY_S

    async def replace(self, rejected: str | None) -> bool:
        """Get others than those that the server refused; false if there are none.

        Many requests may come here at once with the same refusal; one of them
        asks the issuer.

        Raises:
            CredentialsError: The issuer failed.
        """
        if not self._issuer.renewable:
            return False
        async with self._renewing:
            if self.authorization != rejected:
                return True
            self._take(await self._issuer.issue(fresh=True))
            return self.authorization != rejected

    def _take(self, grant: Grant) -> None:
        self.authorization = grant.authorization
        wait_s = grant.check_again_s
        self.due_s = None if wait_s is None else self._clock() + wait_s

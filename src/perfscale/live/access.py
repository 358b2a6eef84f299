"""Who may read the page of a run: programs of this machine, or who knows the token."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

from aiohttp import web

from perfscale.loopback import own_address_only

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from perfscale.live.address import WebAddress
    from perfscale.live.strangers import Strangers

_COOKIE: Final = "perfscale-session"
_BEARER: Final = "Bearer "
_LONGEST_FORM: Final = 4096


def policy(script_digest: str | None = None) -> str:
    """What a page of ours may do: run the one script that it was written with, and ask us."""
    ours = "" if script_digest is None else f"script-src '{script_digest}'; connect-src 'self'; "
    return (
        f"default-src 'none'; {ours}style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": policy(),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer that does not say otherwise."""


class Access:
    """Lets in who may read.

    Without a token, that is who is at this machine: the address is one of loopback. With one,
    a reader gives it once, as a form or as ``Authorization: Bearer``, and a browser then keeps
    a secret of this process instead.

    Args:
        address: Where the server listens.
        form: The page that asks for the token.
        strangers: The connections of who has not shown yet that he may read.
    """

    def __init__(self, address: WebAddress, form: str, strangers: Strangers) -> None:
        self._address = address
        self._strangers = strangers
        self._form = form
        self._session = secrets.token_urlsafe(32)
        # Cookies know no ports: the page of another run on this host keeps its own.
        self._cookie = f"{_COOKIE}-{secrets.token_hex(4)}"

    @property
    def middlewares(self) -> list[Middleware]:
        """What every request goes through."""
        # Where every address of the machine is listened on, nobody knows all of its names; no
        # page of another site has the cookie there.
        own = [] if self._address.is_everywhere else [own_address_only(self._address.host)]
        return [_with_headers, *own, self._readers_only()]

    def _readers_only(self) -> Middleware:
        @web.middleware
        async def readers_only(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._address.token is None or self._is_known(request):
                self._strangers.admit(request.protocol)
                return await handler(request)
            if request.method == "POST":
                return await self._sign_in(request)
            return web.Response(status=401, text=self._form, content_type="text/html")

        return readers_only

    def _is_known(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        if given.startswith(_BEARER) and self._is_token(given.removeprefix(_BEARER)):
            return True
        return _same(request.cookies.get(self._cookie, ""), self._session)

    def _is_token(self, given: str) -> bool:
        return _same(given, self._address.token or "")

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        if (request.content_length or _LONGEST_FORM + 1) > _LONGEST_FORM:
            raise web.HTTPRequestEntityTooLarge(_LONGEST_FORM, request.content_length or 0)
        try:
            given = (await request.post()).get("token")
        except (LookupError, ValueError) as error:  # of an encoding or a boundary that is none
            raise web.HTTPBadRequest(text="this is not a form\n") from error
        if not isinstance(given, str) or not self._is_token(given):
            return web.Response(status=401, text=self._form, content_type="text/html")
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict", path="/")
        return answer


def _same(given: str, secret: str) -> bool:
    """Compare without telling by the time it takes how much of it is right."""
    first, second = (each.encode(errors="surrogateescape") for each in (given, secret))
    return hmac.compare_digest(first, second)


@web.middleware
async def _with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise
    if not answer.prepared:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
    return answer

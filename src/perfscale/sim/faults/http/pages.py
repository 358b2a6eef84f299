"""Lists whose pages never end: every continue token leads to another, or to nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aiohttp import web

from perfscale.sim.apiserver.answers import answer, refuse
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import decode, encode

if TYPE_CHECKING:
    from perfscale.sim.apiserver.target import Target

_EXPIRING: Final = "expiring"
_TOKEN: Final = re.compile(rf"(endless|{_EXPIRING})\.(\d{{1,20}})\.(\d{{1,20}})", re.ASCII)
_OK: Final = 200


def is_ours(token: str) -> bool:
    """Whether a continue token is one that `with_token` has made."""
    return _TOKEN.fullmatch(token) is not None


def with_token(response: web.StreamResponse, kind: str) -> web.StreamResponse:
    """The first page of a list, as if there were more."""
    content = response.body if isinstance(response, web.Response) else None
    if response.status != _OK or not isinstance(content, bytes):
        return response
    page = decode(content)
    version = page["metadata"].get("resourceVersion", "1")
    page["metadata"] |= {"continue": f"{kind}.{version}.1", "remainingItemCount": 1}
    return answer(encode(page))


def next_page(token: str, target: Target) -> web.Response:
    """What one of our tokens leads to."""
    kind, version, number = token.split(".")
    if kind == _EXPIRING:
        return refuse(
            refusals.expired(
                "The provided continue parameter is too old to display a consistent list "
                "result. You must start a new list without the continue parameter."
            ),
            target.resource,
        )
    metadata = {"resourceVersion": version, "continue": f"{kind}.{version}.{int(number) + 1}"}
    page = {
        "kind": target.kind.list_kind,
        "apiVersion": target.resource.api_version,
        "metadata": metadata,
        "items": [],
    }
    return answer(encode(page))

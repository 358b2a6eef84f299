"""Answers of status 200 that are not what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from perfscale.sim.apiserver.answers import answer
from perfscale.sim.apiserver.negotiation import JSON_TYPE
from perfscale.sim.storage.records import decode, encode, watch_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

    from perfscale.sim.apiserver.target import Target
    from perfscale.sim.storage.records import JSON

_LEVELS: Final = 100_000
_HUGE_VERSION: Final = "9" * 5000
_NO_DATE: Final = "the day before yesterday"
_LOGIN: Final = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method=post>"
    "<input name=user><input name=password type=password></form></body></html>\n"
)
# Whatever a client asks for, each key that it may look for has a value of another type.
_WRONG_TYPES: Final = {
    "kind": 1,
    "apiVersion": {},
    "metadata": "none",
    "items": {"a": 1},
    "spec": [],
    "status": 7,
    "type": 5,
    "object": [],
    "groups": "none",
    "resources": 3,
    "versions": 1,
    "gitVersion": {},
}
_BODIES: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "html": ("text/html", _LOGIN.encode),
    "empty": (JSON_TYPE, lambda: b""),
    "null": (JSON_TYPE, lambda: b"null\n"),
    "list": (JSON_TYPE, lambda: b"[1,2]\n"),
    "wrongTypes": (JSON_TYPE, lambda: encode(_WRONG_TYPES) + b"\n"),
    "deep": (JSON_TYPE, lambda: b'{"a":' * _LEVELS + b"1" + b"}" * _LEVELS + b"\n"),
}
ALTERED: Final = ("hugeVersion", "badTimestamps")
"""The bodies that are right but for one thing, so that the request is carried out."""


async def garbage(
    body: str, request: web.Request, handler: Handler, target: Target | None, verb: str
) -> web.StreamResponse:
    """The answer with that body."""
    if body not in ALTERED:
        media, make = _BODIES[body]
        return answer(make(), media)
    if verb == "watch" and target is not None:
        resource = target.resource
        obj: JSON = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {}}
        _alter(obj, body)
        return answer(watch_line("BOOKMARK", encode(obj)))
    response = await handler(request)
    content = response.body if isinstance(response, web.Response) else None
    if not isinstance(content, bytes) or response.content_type != JSON_TYPE:
        return response
    document = decode(content)
    _alter(document, body)
    return answer(encode(document), status=response.status)


def _alter(document: Any, body: str) -> None:  # noqa: ANN401 - JSON
    items = document.get("items") if isinstance(document, dict) else None
    for each in (document, *(items or ())):
        metadata = each.get("metadata") if isinstance(each, dict) else None
        if not isinstance(metadata, dict):
            continue
        if body == "hugeVersion":
            metadata["resourceVersion"] = _HUGE_VERSION
        elif "creationTimestamp" in metadata:
            metadata["creationTimestamp"] = _NO_DATE

"""The answers of the API server, as aiohttp has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from perfscale.sim.apiserver.negotiation import JSON_TYPE
from perfscale.sim.storage import refusals
from perfscale.sim.storage.records import JSON, encode

if TYPE_CHECKING:
    from perfscale.errors import ApiError
    from perfscale.kube.resources import Resource
    from perfscale.sim.apiserver.verbs import Request


def answer(body: bytes, media: str = JSON_TYPE, status: int = 200) -> web.Response:
    """A body that is ready to be sent."""
    return web.Response(body=body, status=status, headers={"Content-Type": media})


def answer_object(request: Request, obj: JSON, status: int = 200) -> web.Response:
    """An object, in the form that the request accepts, with its warnings."""
    view = request.view
    is_plain = view.is_stored or obj["kind"] != request.target.kind.kind  # a Status, a Scale
    made = answer(encode(obj) if is_plain else view.encode(obj), status=status)
    for warning in request.warnings:
        # RFC 7234 with the code and agent that Kubernetes uses for all of its warnings.
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        made.headers.add("Warning", f'299 - "{quoted}"')
    return made


def refuse(error: ApiError, resource: Resource | None) -> web.Response:
    """A refusal: its Status, and when to come again."""
    refusal = answer(encode(refusals.status_of(error, resource)), status=error.status or 500)
    if error.retry_after_s is not None:
        refusal.headers["Retry-After"] = str(int(error.retry_after_s))
    return refusal

"""Which verb a request is, and of which resource: the names that RBAC and metrics use."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple, Protocol

_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_REMEMBERED: Final = 1024
"""Paths whose call is not worked out again: those of collections, mostly."""


class Call(NamedTuple):
    """What is asked for.

    Attributes:
        verb: As RBAC has it: ``create``, ``deletecollection``, ``watch``.
        resource: The plural; empty for what is no resource, such as
            ``/version`` and discovery.
    """

    verb: str
    resource: str


class RequestObserver(Protocol):
    """Notified of the requests that carry it, in the middle of the load: it should take no time."""

    def answered(
        self, call: Call, status: int, sent_s: float, answered_s: float, date: str | None
    ) -> None:
        """A request was answered.

        Args:
            call: What was asked for.
            status: HTTP status of the answer.
            sent_s: When this attempt was sent, on the client's clock.
            answered_s: When the whole answer was there (of a watch: its headers).
            date: The answer's ``Date`` header.
        """

    def unanswered(self, call: Call, *, timeout: bool) -> None:
        """A request was not answered, in time or because its connection broke."""

    def retried(self, call: Call, throttled_s: float) -> None:
        """It is sent again, after it has waited so long because of a 429."""


@lru_cache(maxsize=_REMEMBERED)
def call_of(method: str, path: str, *, watch: bool = False) -> Call:
    """The call of a request.

    Paths: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
    """
    resource, name = _resource(path)
    if watch:
        return Call("watch", resource)
    if method == "GET":
        return Call("get" if name or not resource else "list", resource)
    if method == "DELETE":
        return Call("delete" if name else "deletecollection", resource)
    return Call(_VERBS.get(method, method.lower()), resource)


def _resource(path: str) -> tuple[str, str | None]:
    """The resource of a path, and the name of the object if it is of a single one."""
    _, group, *parts = path.split("/")
    below = parts[1:] if group == "api" else parts[2:] if group == "apis" else []
    if len(below) > 2 and below[0] == "namespaces":
        below = below[2:]
    if not below:
        return "", None
    return below[0], below[1] if len(below) > 1 else None

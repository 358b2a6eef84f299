"""Asks the cluster why something is stuck, once its time is up.

Best effort: a question that is not answered leaves a reason unsaid, no more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.errors import ApiError, ClusterError
from perfscale.kube.resources import NAMESPACES, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.kube.client import Client

_log = logging.getLogger(__name__)

_EVENTS: Final = Resource("", "v1", "events", "Event", namespaced=True)
_MOST_NAMESPACES: Final = 5
_MOST_EVENTS: Final = 500
_TELLING: Final = (
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
)
"""Conditions of a namespace that does not go away:
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/"""


class _Involved(msgspec.Struct, frozen=True):
    uid: str = ""


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    involved_object: _Involved = _Involved()
    reason: str | None = None
    message: str | None = None


class _Events(msgspec.Struct, frozen=True):
    items: list[_Event] | None = None


class _Condition(msgspec.Struct, frozen=True):
    type: str
    status: str = ""
    message: str | None = None


class _NamespaceStatus(msgspec.Struct, frozen=True):
    conditions: list[_Condition] | None = None


class _Namespace(msgspec.Struct, frozen=True):
    status: _NamespaceStatus = _NamespaceStatus()


async def warnings_about(client: Client, namespaces: Iterable[str]) -> dict[str, str]:
    """What the warning events of some namespaces say, by UID of the object they are about.

    Looks into the first few namespaces, and at no more than a page of events in each.
    """
    told: dict[str, str] = {}
    for namespace in list(namespaces)[:_MOST_NAMESPACES]:
        params: dict[str, str | int] = {"fieldSelector": "type=Warning", "limit": _MOST_EVENTS}
        body = await _ask(client, _EVENTS.path(namespace), params)
        if body is None:
            continue
        for event in msgspec.json.decode(body, type=_Events).items or ():
            text = ": ".join(part for part in (event.reason, event.message) if part)
            told[event.involved_object.uid] = text
    return told


async def why_namespace_stays(client: Client, name: str) -> str | None:
    """What a terminating namespace says of itself; None if it says nothing."""
    body = await _ask(client, NAMESPACES.path(name=name), {})
    if body is None:
        return None
    conditions = msgspec.json.decode(body, type=_Namespace).status.conditions or ()
    true = {each.type: each.message for each in conditions if each.status == "True"}
    return next((true[kind] for kind in _TELLING if true.get(kind)), None)


async def _ask(client: Client, path: str, params: dict[str, str | int]) -> bytes | None:
    try:
        response = await client.request("GET", path, params=params, retry=False)
    except (ApiError, ClusterError) as error:
        _log.info("cannot ask why: %s", error)
        return None
    return response.body

"""Asks the cluster why something is stuck, once its time is up.

Best effort: a question that is not answered leaves a reason unsaid, no more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from perfscale.engine.tracking.readiness import Condition, Metadata
from perfscale.engine.tracking.stuck import held_by
from perfscale.errors import ApiError, ClusterError
from perfscale.kube.resources import NAMESPACES, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.kube.client import Client

_log = logging.getLogger(__name__)

T = TypeVar("T")

_EVENTS: Final = Resource("", "v1", "events", "Event", namespaced=True)
_MOST_NAMESPACES: Final = 5
_MOST_EVENTS: Final = 500
_TELLING: Final = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
)
"""Conditions of a namespace that does not go away, the causes first:
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/"""
_OWN_FINALIZER: Final = "kubernetes"
"""What every namespace has in its spec until its controller has emptied it."""


class _Involved(msgspec.Struct, frozen=True):
    uid: str = ""


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    involved_object: _Involved = _Involved()
    reason: str | None = None
    message: str | None = None


class _Events(msgspec.Struct, frozen=True):
    items: list[_Event] | None = None


class _NamespaceSpec(msgspec.Struct, frozen=True):
    finalizers: list[str] | None = None


class _NamespaceStatus(msgspec.Struct, frozen=True):
    conditions: list[Condition] | None = None


class NamespaceObject(msgspec.Struct, frozen=True):
    """A namespace, with all that says why it stays."""

    metadata: Metadata
    spec: _NamespaceSpec = _NamespaceSpec()
    status: _NamespaceStatus = _NamespaceStatus()


_WARNINGS: Final = msgspec.json.Decoder(_Events)
_STAYING: Final = msgspec.json.Decoder(NamespaceObject)


async def warnings_about(client: Client, namespaces: Iterable[str]) -> dict[str, str]:
    """What the warning events of some namespaces say, by UID of the object they are about.

    Looks into the first few namespaces, and at no more than a page of events in each.
    """
    found: dict[str, str] = {}
    for namespace in list(namespaces)[:_MOST_NAMESPACES]:
        params: dict[str, str | int] = {"fieldSelector": "type=Warning", "limit": _MOST_EVENTS}
        events = await _ask(client, _WARNINGS, _EVENTS.path(namespace), params)
        for event in (events and events.items) or ():
            text = ": ".join(part for part in (event.reason, event.message) if part)
            found[event.involved_object.uid] = text
    return found


async def describe_namespaces(client: Client, names: Iterable[str]) -> list[str]:
    """One sentence for each namespace that should be gone; the first few with what keeps them."""
    sentences: list[str] = []
    for number, name in enumerate(names):
        why = await why_namespace_stays(client, name) if number < _MOST_NAMESPACES else None
        text = f"namespace {name} is still there"
        sentences.append(f"{text}: {why}" if why else text)
    return sentences


async def why_namespace_stays(client: Client, name: str) -> str | None:
    """What keeps a terminating namespace; None if it is not known, or it is not terminating."""
    namespace = await _ask(client, _STAYING, NAMESPACES.path(name=name), {})
    return None if namespace is None else explain_namespace(namespace)


def explain_namespace(namespace: NamespaceObject) -> str | None:
    """What keeps a terminating namespace; None if it is not terminating."""
    if namespace.metadata.deletion_timestamp is None:
        return None
    conditions = namespace.status.conditions or ()
    true = {each.type: each.message or each.reason for each in conditions if each.status == "True"}
    found = next((true[kind] for kind in (*_TELLING, *true) if true.get(kind)), None)
    if found:
        return found
    foreign = [each for each in namespace.spec.finalizers or () if each != _OWN_FINALIZER]
    if finalizers := [*(namespace.metadata.finalizers or ()), *foreign]:
        return held_by(finalizers)
    if not conditions:
        return "nothing has begun to empty it; does kube-controller-manager run?"
    return "it is empty, says its controller, and about to go"


async def _ask(
    client: Client, decoder: msgspec.json.Decoder[T], path: str, params: dict[str, str | int]
) -> T | None:
    try:
        return await client.read(decoder, path, params, retry=False)
    except (ApiError, ClusterError) as error:
        _log.info("cannot ask why: %s", error)
        return None

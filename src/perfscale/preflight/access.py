"""Whether we may do what the run needs, and where to watch.

A resource is watched everywhere at once where that is allowed, and in each of
the run's namespaces where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfscale.errors import Problem
from perfscale.kube.permissions import Permissions
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.preflight.findings import few

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource

ROLE_HINT: Final = "ask for a role that allows it; kubectl auth can-i --list shows what you have"
_WATCHING: Final = ("list", "watch")
_CREATING: Final = ("create", "delete")
_DELETING: Final = ("delete",)


@dataclass(slots=True)
class Access:
    """What was found out.

    Attributes:
        places: Where to watch each resource; owners come before what they own.
        missing: Permissions that are missing, by resource and verbs: where.
    """

    places: list[Place] = field(default_factory=list)
    missing: dict[tuple[Resource, tuple[str, ...]], list[Place]] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """One for each resource and what may not be done with it, however many places."""
        return [
            Problem(f"not permitted: {' and '.join(verbs)} {_places(places)}")
            for (_, verbs), places in self.missing.items()
        ]


async def review_access(
    client: Client,
    created: Iterable[Resource],
    watched: Iterable[Resource],
    deleted: Iterable[Resource],
    namespaces: Sequence[str],
) -> Access:
    """Ask for every permission that the run needs.

    Args:
        client: The way to the cluster.
        created: What the run creates, and has to be able to delete.
        watched: What it follows, owners before what they own.
        deleted: What it does not create, and has to delete all the same.
        namespaces: Where it creates.

    Raises:
        ClusterError: The server cannot be asked.
    """
    permissions = Permissions(client)
    access = Access()
    for resource in watched:
        places = await _narrow(permissions, resource, _WATCHING, namespaces)
        await _require(permissions, _WATCHING, places, access)
        access.places += places
    for resources, verbs in ((created, _CREATING), (deleted, _DELETING)):
        for resource in resources:
            places = await _narrow(permissions, resource, verbs, namespaces)
            await _require(permissions, verbs, places, access)
    # Not required: whoever may not list namespaces has been given them.
    everywhere = Place(NAMESPACES)
    if all([await permissions.allows(verb, everywhere) for verb in _WATCHING]):
        access.places.append(everywhere)
    return access


async def find_missing(client: Client, verbs: Iterable[tuple[str, Place]]) -> list[Problem]:
    """A problem for each verb that may not be used where it is needed.

    Raises:
        ClusterError: The server cannot be asked.
    """
    permissions = Permissions(client)
    return [
        Problem(f"not permitted: {verb} {place}")
        for verb, place in dict.fromkeys(verbs)
        if not await permissions.allows(verb, place)
    ]


async def _narrow(
    permissions: Permissions, resource: Resource, verbs: Iterable[str], namespaces: Sequence[str]
) -> list[Place]:
    """Everywhere if all verbs are allowed there, else one place for each namespace."""
    everywhere = Place(resource)
    if not resource.namespaced or not namespaces:
        return [everywhere]
    if all([await permissions.allows(verb, everywhere) for verb in verbs]):
        return [everywhere]
    return [Place(resource, namespace) for namespace in namespaces]


async def _require(
    permissions: Permissions, verbs: Iterable[str], places: Iterable[Place], access: Access
) -> None:
    for place in places:
        missing = tuple([verb for verb in verbs if not await permissions.allows(verb, place)])
        if missing:
            access.missing.setdefault((place.resource, missing), []).append(place)


def _places(places: Sequence[Place]) -> str:
    """``pods in namespace a``, or ``pods in namespaces a, b, c and 7 more``."""
    if len(places) == 1:
        return str(places[0])
    return f"{places[0].resource.name} in namespaces {few([str(p.namespace) for p in places])}"

"""Whether we may do what the run needs, and where to watch.

A resource is watched everywhere at once where that is allowed, and in each of
the run's namespaces where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfscale.errors import ForbiddenError, NotFoundError, Problem
from perfscale.kube.permissions import Permissions
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.preflight.existing import EXISTING
from perfscale.preflight.findings import few
from perfscale.preflight.permissions.required import (
    CREATING,
    DELETING,
    FOLLOWING,
    MAKING_NAMESPACES,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource
    from perfscale.preflight.permissions.required import RequiredAccess

ROLE_HINT: Final = "ask for a role that allows it; kubectl auth can-i --list shows what you have"


@dataclass(slots=True)
class Access:
    """What was found out.

    Attributes:
        places: Where to watch each resource; owners come before what they own.
        missing: Permissions that are missing, by resource and verbs: where.
        missing_verbs: Others, one by one.
    """

    places: list[Place] = field(default_factory=list)
    missing: dict[tuple[Resource, tuple[str, ...]], list[Place]] = field(default_factory=dict)
    missing_verbs: list[tuple[str, Place]] = field(default_factory=list)

    @property
    def problems(self) -> list[Problem]:
        """One for each resource and what may not be done with it, however many places."""
        return [
            *(
                Problem(f"not permitted: {_listed(verbs)} {_places(places)}")
                for (_, verbs), places in self.missing.items()
            ),
            *(Problem(f"not permitted: {verb} {place}") for verb, place in self.missing_verbs),
        ]


async def review_access(client: Client, required: RequiredAccess) -> Access:
    """Ask for every permission that the run needs.

    Raises:
        ClusterError: The server cannot be asked.
    """
    permissions = Permissions(client)
    access = Access()
    for resource in required.watched:
        places = await _narrow(permissions, resource, FOLLOWING, required.namespaces)
        await _require(permissions, FOLLOWING, places, access)
        access.places += places
    for resources, verbs in ((required.created, CREATING), (required.deleted, DELETING)):
        for resource in resources:
            places = await _narrow(permissions, resource, verbs, required.namespaces)
            await _require(permissions, verbs, places, access)
    for verb, resource in dict.fromkeys(required.operated):
        places = await _narrow(permissions, resource, (verb,), required.namespaces)
        await _require(permissions, (verb,), places, access)
    await _review_namespaces(client, permissions, required.made, access)
    for verb, place in dict.fromkeys(required.verbs):
        if not await permissions.allows(verb, place):
            access.missing_verbs.append((verb, place))
    return access


async def _review_namespaces(
    client: Client, permissions: Permissions, names: Sequence[str], access: Access
) -> None:
    """Require what is needed to make namespaces, if the run has to make one.

    Whoever may neither read nor create namespaces has been given them.
    """
    everywhere = Place(NAMESPACES)
    allowed = [verb for verb in MAKING_NAMESPACES if await permissions.allows(verb, everywhere)]
    if not set(FOLLOWING).difference(allowed):
        access.places.append(everywhere)
    missing = tuple(verb for verb in MAKING_NAMESPACES if verb not in allowed)
    if missing and await _has_to_make_one(client, names, may_create="create" in allowed):
        access.missing[NAMESPACES, missing] = [everywhere]


async def _has_to_make_one(client: Client, names: Sequence[str], *, may_create: bool) -> bool:
    """Whether one of the namespaces is not there, or that cannot be found out."""
    for name in names:
        try:
            found = await client.read(EXISTING, NAMESPACES.path(name=name))
        except ForbiddenError:
            return may_create
        except NotFoundError:
            return True
        if found.terminating:
            return True
    return False


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


def _listed(verbs: Sequence[str]) -> str:
    """``list``, ``list and watch``, or ``get, list and watch``."""
    *others, last = verbs
    return f"{', '.join(others)} and {last}" if others else last

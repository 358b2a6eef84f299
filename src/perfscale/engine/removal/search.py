"""Where to look for what runs have left: everywhere, or where one may."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfscale.engine.removal.by_uid import ObjectReference
from perfscale.engine.removal.inventory import Inventory, take_inventory
from perfscale.engine.tracking.readiness import IdentifiedObject
from perfscale.errors import ForbiddenError, PerfscaleError
from perfscale.kube.discovery import NotInstalledError
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.permissions import Permissions
from perfscale.kube.resources import NAMESPACES, Place
from perfscale.preflight.findings import few

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.kube.client import Client
    from perfscale.kube.discovery import Discovery
    from perfscale.kube.resources import Resource
    from perfscale.results import LocatedRun, ObjectRecord

_log = logging.getLogger(__name__)

_MOST_NAMESPACES: Final = 20
"""Kinds that may not be listed everywhere are listed in so many namespaces: a cluster may
have thousands, and hundreds of kinds."""


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look.

    Attributes:
        places: Kinds, owners before what they own as far as is known; namespaces last.
        unasked: What the server did not say, and why: there may be kinds that
            are not looked for.
        namespaces: Where to look for a kind that may not be listed everywhere.
        bounded: Whether there can be nothing in other namespaces.
    """

    places: list[Place]
    unasked: dict[str, str] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    bounded: bool = False


async def search_everything(discovery: Discovery, namespaces: Sequence[str]) -> Search:
    """Look for every kind that can be listed and deleted.

    Args:
        discovery: What the cluster serves.
        namespaces: Where to look for those that may not be listed everywhere.

    Raises:
        ClusterError: The server cannot be asked.
    """
    resources = await discovery.all_resources()
    places = [Place(each) for each in resources if each.name != NAMESPACES.name]
    return Search([*places, Place(NAMESPACES)], discovery.skipped, tuple(namespaces))


async def search_run(discovery: Discovery, client: Client, run: LocatedRun) -> Search:
    """Look for what a run may have made, by what its folder says.

    Raises:
        ClusterError: The server cannot be asked.
    """
    await discovery.ask(kind.api_version for kind in run.kinds)
    unasked = dict(discovery.skipped)
    places: list[Place] = []
    for kind in run.kinds:
        if kind.api_version in discovery.skipped:
            continue
        try:
            resource = await discovery.resolve(kind.api_version, kind.kind)
        except NotInstalledError:
            continue  # uninstalled since then, and its objects with it
        if resource.name != NAMESPACES.name:
            places.append(Place(resource))
    # Whoever can neither see namespaces nor make them had none made by the run.
    permissions = Permissions(client)
    everywhere = Place(NAMESPACES)
    if await permissions.allows("list", everywhere) or await permissions.allows(
        "create", everywhere
    ):
        places.append(everywhere)
    return Search(places, unasked, run.namespaces, bounded=True)


async def recorded_objects(
    discovery: Discovery, records: Iterable[ObjectRecord]
) -> list[ObjectReference]:
    """What the records of a run are about, as far as the cluster still has its kinds."""
    found: list[ObjectReference] = []
    resources: dict[tuple[str, str], Resource | None] = {}
    for record in records:
        # A kind that has a namesake in the run has its group in its name.
        key = record.api_version, record.kind.partition(".")[0]
        if key not in resources and record.api_version in discovery.skipped:
            resources[key] = None
        if key not in resources:
            try:
                resources[key] = await discovery.resolve(*key)
            except PerfscaleError as error:
                _log.info("cannot look for %s of %s: %s", key[1], key[0], error)
                resources[key] = None
        resource = resources[key]
        if resource is not None and record.uid is not None:
            found.append(ObjectReference(resource, record.namespace, record.name, record.uid))
    return found


@dataclass(frozen=True, slots=True)
class Listing:
    """What a search has found.

    Attributes:
        present: What there is, and what could not be listed.
        places: Where it was listed, in the search's order, or another list may help.
    """

    present: Inventory
    places: list[Place]


async def list_labelled(client: Client, search: Search, selector: str) -> Listing:
    """List what carries the label, where we may.

    Raises:
        ClusterError: No place at all could be listed.
    """
    present = await take_inventory(client, search.places, selector)
    refused = [
        place
        for place, error in present.unseen.items()
        if isinstance(error, ForbiddenError) and place.resource.namespaced
    ]
    narrowed: dict[Place, list[Place]] = {}
    if refused and (namespaces := await _namespaces(client, search, present)):
        narrowed = {
            place: [Place(place.resource, namespace) for namespace in namespaces]
            for place in refused
        }
        places = [place for several in narrowed.values() for place in several]
        inside = await take_inventory(client, places, selector, doubting=False)
        _replace(present, narrowed, inside, search)
    promising = present.versions.keys() | {
        place
        for place, error in present.unseen.items()
        if not isinstance(error, ForbiddenError) and place not in narrowed
    }
    everywhere = [place for wide in search.places for place in (wide, *narrowed.get(wide, ()))]
    return Listing(present, [place for place in everywhere if place in promising])


async def _namespaces(client: Client, search: Search, present: Inventory) -> list[str]:
    """Where to look for kinds that may not be listed everywhere."""
    names = dict.fromkeys(search.namespaces)
    if search.bounded:
        return list(names)
    for place, finding in present.found.items():
        if place.resource.name == NAMESPACES.name:
            names.update(dict.fromkeys(finding.names))
    visible: list[str] = []
    try:
        async for page in read_pages(client, NAMESPACES, page_decoder(IdentifiedObject)):
            visible += (item.metadata.name for item in page.items)
    except PerfscaleError:
        return list(names)  # those that are known will have to do
    if len(visible) <= _MOST_NAMESPACES:
        names.update(dict.fromkeys(visible))
    return list(names)


def _replace(
    present: Inventory, narrowed: dict[Place, list[Place]], inside: Inventory, search: Search
) -> None:
    """Take what was seen in single namespaces for what could not be seen everywhere."""
    for place, several in narrowed.items():
        seen = [each for each in several if each in inside.versions]
        if not seen:
            for each in several:
                inside.unseen.pop(each, None)  # the place as a whole is named already
            continue
        del present.unseen[place]
        if not search.bounded:
            names = few([str(each.namespace) for each in seen])
            present.unseen[place] = PerfscaleError(f"may only be listed in namespaces {names}")
    present.include(inside)

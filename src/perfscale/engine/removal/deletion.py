"""Deletes objects: many by label, or one by its UID."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from perfscale.engine.concurrency import run_bounded
from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import (
    ApiError,
    ConflictError,
    NotFoundError,
    NotServedError,
    UnreachableError,
)
from perfscale.kube.listing import current_version, page_decoder, read_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from perfscale.engine.tracking.readiness import Identity, Metadata
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Place, Resource

_log = logging.getLogger(__name__)


CONCURRENCY = 32
"""Delete requests in flight; the run-wide rate limit applies as well."""
_OUT_OF_TIME: Final = 504
_SLOW: Final = 0.9
"""Where a request for all leaves more than this share, there are to be no more."""


async def current_versions(client: Client, places: Iterable[Place]) -> dict[str, int]:
    """The cluster's resourceVersion of each resource now, as a number, by resource name.

    A list of a single object has it, and costs the server next to nothing; where it fails, or
    has none, there is no entry.
    """
    found: dict[str, int] = {}

    async def look(place: Place) -> None:
        resource = place.resource
        try:
            found[resource.name] = await current_version(client, resource, place.namespace)
        except ApiError as error:
            _log.info("asking for the version of %s: %s", place, error)

    first = {place.resource.name: place for place in places}
    await run_bounded((partial(look, place) for place in first.values()), limit=CONCURRENCY)
    return found


async def delete_matching(
    client: Client, resource: Resource, namespace: str | None, selector: str
) -> None:
    """Delete everything in a namespace that matches.

    One request for all, and another for as long as the server gives up after
    the minute that it has for each, but gets on; otherwise one for each object
    that is not being deleted yet, with its UID as precondition.

    Raises:
        ApiError: The server refuses even single deletes.
    """
    remaining: int | None = None
    while True:
        try:
            await client.delete_collection(
                resource, namespace, label_selector=selector, retry=False
            )
        except NotFoundError:
            return  # the namespace is gone, and everything in it
        except (ApiError, UnreachableError) as error:
            _log.info("deleting all %s in %s: %s", resource.name, namespace, error)
            if error.status != _OUT_OF_TIME:
                break
        else:
            return
        before, remaining = remaining, 0
        async for metadata in _remaining(client, resource, namespace, selector):
            remaining += len(metadata)
        if before is not None and remaining > before * _SLOW:
            break
    async for metadata in _remaining(client, resource, namespace, selector):
        await run_bounded(
            (partial(delete_object, client, resource, each) for each in metadata),
            limit=CONCURRENCY,
        )


async def _remaining(
    client: Client, resource: Resource, namespace: str | None, selector: str
) -> AsyncIterator[list[Metadata]]:
    """What matches and is not being deleted, page by page."""
    pages = read_pages(
        client, resource, page_decoder(AnyObject), namespace=namespace, label_selector=selector
    )
    try:
        async for page in pages:
            yield [item.metadata for item in page.items if item.metadata.deletion_timestamp is None]
    except NotServedError:
        return  # the resource was uninstalled meanwhile, and its objects with it


async def delete_object(client: Client, resource: Resource, metadata: Identity) -> None:
    """Delete one object; one that is gone already, or another by now, is fine."""
    try:
        await client.delete(resource, metadata.namespace, metadata.name, uid=metadata.uid)
    except (NotFoundError, ConflictError) as error:
        _log.debug("%s %s was not there to delete: %s", resource.kind, metadata.name, error)

"""Reads one object by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.engine.tracking.readiness import AnyObject
from perfscale.errors import ForbiddenError, NotFoundError, NotServedError
from perfscale.kube.listing import page_decoder

if TYPE_CHECKING:
    from perfscale.engine.tracking.readiness import Metadata
    from perfscale.kube.client import Client
    from perfscale.kube.resources import Resource

_OBJECT: Final = msgspec.json.Decoder(AnyObject)
_LIST: Final = page_decoder(AnyObject)


async def find_by_name(
    client: Client, resource: Resource, namespace: str | None, name: str
) -> Metadata | None:
    """Whatever is there under a name; None where nothing is.

    Whoever may not read an object may list it.

    Raises:
        ApiError: The server does not say; ForbiddenError where neither is permitted.
        ClusterError: The server cannot be asked.
    """
    try:
        return (await client.read(_OBJECT, resource.path(namespace, name))).metadata
    except (NotFoundError, NotServedError):
        return None  # also where the resource was uninstalled, and its objects with it
    except ForbiddenError:
        params = {"fieldSelector": f"metadata.name={name}"}
        page = await client.read(_LIST, resource.path(namespace), params)
        return page.items[0].metadata if page.items else None

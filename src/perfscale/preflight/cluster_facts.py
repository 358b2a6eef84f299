"""Facts about the cluster that the results state: its nodes, the version of KubeVirt.

Nothing depends on them: what may not be read, or is not there, is not known.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.errors import ApiError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.kube.client import Client
    from perfscale.kube.discovery import Discovery
    from perfscale.kube.resources import Resource

_log = logging.getLogger(__name__)

_NODES: Final = "/api/v1/nodes"
_KUBEVIRT: Final = "kubevirt.io"


class _ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    continue_: str | None = msgspec.field(default=None, name="continue")
    remaining_item_count: int | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    observed_kube_virt_version: str | None = None


class _Installed(msgspec.Struct, frozen=True):
    status: _Status = _Status()


class _Listed(msgspec.Struct, frozen=True):
    metadata: _ListMeta = _ListMeta()
    items: list[_Installed] | msgspec.UnsetType | None = msgspec.UNSET


_LISTED: Final = msgspec.json.Decoder(_Listed)


async def count_nodes(client: Client) -> int | None:
    """How many nodes the cluster has; None if that is not known.

    One of them is listed, and the server says how many more there are
    (``remainingItemCount`` of
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/list-meta/).
    """
    listed = await _first(client, _NODES)
    if listed is None or listed.items is msgspec.UNSET:
        return None
    more = listed.metadata.remaining_item_count
    if more is None and listed.metadata.continue_:
        return None
    return len(listed.items or ()) + (more or 0)


async def kubevirt_version(
    client: Client, discovery: Discovery, created: Iterable[Resource]
) -> str | None:
    """The version of KubeVirt, if the run creates something of it and that is known."""
    versions = {each.api_version for each in created if each.group == _KUBEVIRT}
    for api_version in sorted(versions):
        try:
            resource = await discovery.resolve(api_version, "KubeVirt")
        except UsageError as error:
            _log.debug("KubeVirt's version is not known: %s", error)
            continue
        listed = await _first(client, resource.path())
        for installed in (listed and listed.items) or ():
            version = installed.status.observed_kube_virt_version
            if version:
                return version
    return None


async def _first(client: Client, path: str) -> _Listed | None:
    """The first object of a list; nothing where it cannot be had."""
    try:
        return await client.read(_LISTED, path, {"limit": 1})
    except ApiError as error:
        _log.debug("%s is not known: %s", path, error)
        return None

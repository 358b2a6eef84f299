"""What kind of cluster a run meets, for whoever reads its results later.

Nothing depends on it: what may not be asked, or has no answer, is not known.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from perfscale.errors import ApiError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perfscale.kube.client import Client
    from perfscale.kube.discovery import Discovery
    from perfscale.kube.resources import Resource

_log = logging.getLogger(__name__)

_NODES: Final = "/api/v1/nodes"
_KUBEVIRT: Final = "kubevirt.io"


async def count_nodes(client: Client) -> int | None:
    """How many nodes the cluster has; None if that is not known.

    One of them is asked for, and the server says how many more there are
    (``remainingItemCount`` of
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/list-meta/).
    """
    listed = await _ask(client, _NODES)
    metadata = listed.get("metadata", {})
    more = metadata.get("remainingItemCount", None if metadata.get("continue") else 0)
    if "items" not in listed or more is None:
        return None
    return len(listed["items"] or ()) + int(more)


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
        for installed in (await _ask(client, resource.path())).get("items") or ():
            version = installed.get("status", {}).get("observedKubeVirtVersion")
            if version:
                return str(version)
    return None


async def _ask(client: Client, path: str) -> Mapping[str, Any]:
    """The first object of a list; nothing where it cannot be had."""
    try:
        return await client.get_json(path, {"limit": 1})
    except ApiError as error:
        _log.debug("%s is not known: %s", path, error)
        return {}

"""Whether we may read what says why objects are slow. A run goes on without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.kube.permissions import Permissions
from perfscale.kube.resources import Place, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perfscale.config import Config
    from perfscale.kube.client import Client

_READ: Final = (
    Resource("", "v1", "events", "Event", namespaced=True),
    Resource("", "v1", "pods", "Pod", namespaced=True),
)
_WITH_PODS: Final = frozenset(
    {
        *("VirtualMachine", "VirtualMachineInstance", "VirtualMachineInstanceReplicaSet"),
        *("VirtualMachinePool", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
        *("Job", "ReplicationController"),
    }
)
"""Kinds whose time is split by what events and pods say."""


async def find_unreadable(
    client: Client, config: Config, created: Iterable[Resource], namespaces: Sequence[str]
) -> tuple[str, ...]:
    """One warning for each resource that may not be listed where objects are created.

    Of several namespaces the first is taken for all: roles are seldom given for some of them.

    Raises:
        ClusterError: The server cannot be asked.
    """
    if not config.global_config.attribution.objects or not namespaces:
        return ()
    if not any(each.kind in _WITH_PODS for each in created):
        return ()
    permissions = Permissions(client)
    missing = [
        resource.name
        for resource in _READ
        if not await permissions.allows("list", Place(resource))
        and not await permissions.allows("list", Place(resource, namespaces[0]))
    ]
    return tuple(
        f"not permitted: list {name} in namespace {namespaces[0]}: where the time of slow objects "
        "went stays unknown as far as these say it; globalConfig.attribution: off turns it off"
        for name in missing
    )

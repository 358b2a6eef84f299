"""Whether the nodes of a cluster are in order: a load on others measures something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.errors import ForbiddenError, Problem
from perfscale.kube.listing import page_decoder, read_pages
from perfscale.kube.resources import Resource
from perfscale.preflight.findings import few

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perfscale.kube.client import Client

_NODES: Final = Resource("", "v1", "nodes", "Node", namespaced=False)


class _Metadata(msgspec.Struct, frozen=True):
    name: str


class _Condition(msgspec.Struct, frozen=True):
    type: str
    status: str


class _Status(msgspec.Struct, frozen=True):
    conditions: list[_Condition] | None = None


class _Node(msgspec.Struct, frozen=True):
    metadata: _Metadata
    status: _Status = _Status()


_PAGE: Final = page_decoder(_Node)


async def find_unhealthy_nodes(client: Client) -> list[Problem]:
    """A problem for each condition that nodes have and should not, with the first few of them.

    Ready has to be True, and every other condition False: pressure and troubles, also those that
    a vendor reports.
    https://kubernetes.io/docs/reference/node/node-status/#condition

    Raises:
        ClusterError: The nodes cannot be read.
    """
    found: dict[str, dict[str, None]] = {}
    try:
        async for page in read_pages(client, _NODES, _PAGE):
            for node in page.items:
                for trouble in _troubles(node):
                    found.setdefault(trouble, {})[node.metadata.name] = None
    except ForbiddenError:
        return [Problem("clusterHealth: not permitted: list nodes")]
    return [
        Problem(f"clusterHealth: {few(sorted(nodes))}: {trouble}")
        for trouble, nodes in sorted(found.items())
    ]


def _troubles(node: _Node) -> Iterator[str]:
    for condition in node.status.conditions or ():
        if condition.status != ("True" if condition.type == "Ready" else "False"):
            yield f"condition {condition.type} is {condition.status}"

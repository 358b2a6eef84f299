"""Where simulated machines run: nodes and addresses, worked out from the object's uid.

Nothing is allotted and nothing has to be remembered, so a controller that is restarted
gives the same answer. Two objects can share an address; nobody routes to them.
"""

from __future__ import annotations

import ipaddress
import uuid
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

NODES: Final = 10
NODE_NAMES: Final = tuple(f"node{number:02}" for number in range(1, NODES + 1))

_POD_NETWORK: Final = ipaddress.IPv4Network("10.128.0.0/9")
_NODE_NETWORK: Final = ipaddress.IPv4Network("192.168.66.0/24")
_FIRST_NODE_HOST: Final = 100
_OTHER_NODES: Final = 100
# Most objects are placed several times in a few seconds, and then not again.
_REMEMBERED: Final = 4096
# Network and broadcast address, and the network's gateway.
_RESERVED: Final = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one object runs.

    Attributes:
        node: Name of the node.
        node_ip: Address of the node.
        pod_ip: Address of the object in the pod network.
        pod_uid: Uid of the pod that a VMI would have.
    """

    node: str
    node_ip: str
    pod_ip: str
    pod_uid: str


def node_address(name: str) -> str:
    """The address of a node; that of a node that is not one of these is made up likewise."""
    if name in NODE_NAMES:
        number = NODE_NAMES.index(name) + 1
    else:
        number = NODES + 1 + zlib.crc32(name.encode()) % _OTHER_NODES
    return str(_NODE_NETWORK[_FIRST_NODE_HOST + number])


@lru_cache(maxsize=_REMEMBERED)
def place(uid: str) -> Placement:
    """The placement of the object with this uid; always the same."""
    number = zlib.crc32(uid.encode())
    node = number % NODES + 1
    host = (number // NODES) % (_POD_NETWORK.num_addresses - _RESERVED)
    name = NODE_NAMES[node - 1]
    return Placement(
        node=name,
        node_ip=node_address(name),
        pod_ip=str(_POD_NETWORK[host + _RESERVED - 1]),
        pod_uid=str(uuid.uuid5(uuid.NAMESPACE_OID, uid)),
    )

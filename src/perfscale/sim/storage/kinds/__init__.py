"""The kinds that the simulated API server serves, and how each of them behaves.

A kind costs a line here. Kinds without a controller are stored and served all the same, as
on a cluster whose controllers are down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.storage.kinds.calls import CALLS
from perfscale.sim.storage.kinds.core import CORE
from perfscale.sim.storage.kinds.extensions import EXTENSIONS
from perfscale.sim.storage.kinds.kubevirt import KUBEVIRT
from perfscale.sim.storage.kinds.networking import NETWORKING
from perfscale.sim.storage.kinds.volumes import VOLUMES
from perfscale.sim.storage.kinds.workloads import WORKLOADS

if TYPE_CHECKING:
    from perfscale.sim.storage.resources import Kind

__all__ = ["KINDS"]

KINDS: Final[tuple[Kind, ...]] = (
    *CORE,
    *WORKLOADS,
    *VOLUMES,
    *EXTENSIONS,
    *NETWORKING,
    *KUBEVIRT,
    *CALLS,
)

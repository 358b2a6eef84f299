"""What KubeVirt's webhooks make of an object that is about to be created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.controllers.kinds import VMI
from perfscale.sim.controllers.kubevirt.vmi import accepted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.store import JSON


class Webhooks:
    """An admission: a new instance has its finalizer, and is Pending already.

    Args:
        now: KubeVirt's clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def __call__(self, resource: Resource, obj: JSON, dry_run: bool) -> JSON:
        """The object as it is stored."""
        del dry_run
        return accepted(obj, self._now()) if resource.name == VMI.name else obj

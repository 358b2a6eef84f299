"""Kinds that controllers only have to know of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import Action, View
    from perfscale.sim.controllers.store import JSON
    from perfscale.sim.latency import Stage


class Watched:
    """Has a kind watched, and does nothing to its objects.

    Args:
        resource: The kind.
    """

    owns = None

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def stage(self, obj: JSON) -> Stage | None:
        """Nothing is waited for."""
        del obj
        return None

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Nothing is written."""
        del obj, view, now
        return ()

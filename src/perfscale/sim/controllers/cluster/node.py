"""Nodes: a kubelet stands behind each, and reports what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, UpdateStatus
from perfscale.sim.controllers.kinds import NODE
from perfscale.sim.controllers.objects import (
    condition,
    condition_of,
    is_deleting,
    with_condition,
    with_status,
)
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

ROOM: Final = {"cpu": "10k", "memory": "100Ti", "pods": "100k"}
"""What a node has, where nothing else is said: more than any load takes.

Loads run without a thought of nodes; who wants to see what does not fit gives a node less.
"""


class NodeController:
    """Makes nodes ready that somebody has created."""

    resource = NODE
    owns = None

    def stage(self, obj: JSON) -> Stage | None:
        """A node that says nothing of itself yet waits for its kubelet."""
        if is_deleting(obj) or condition_of(obj, "Ready") is not None:
            return None
        return Stage.NODE_STARTING

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Report the node's readiness, and its room if it has none."""
        del view
        return (UpdateStatus(NODE, with_status(obj, ready_status(obj, now))),)


def ready_status(node: JSON, now: datetime) -> JSON:
    """The status of a node that takes pods."""
    old: JSON = node.get("status") or {}
    capacity = old.get("capacity") or ROOM
    message = "kubelet is posting ready status"
    ready = condition("Ready", holds=True, now=now, reason="KubeletReady", message=message)
    return {
        **old,
        "capacity": capacity,
        "allocatable": old.get("allocatable") or capacity,
        "conditions": with_condition(old.get("conditions") or (), ready),
    }

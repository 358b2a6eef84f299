"""Which node a pod gets: one that is open, that it fits, with the fewest pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.cluster.facts import asked_by
from perfscale.sim.controllers.kinds import POD, PVC
from perfscale.sim.controllers.objects import key_of, phase_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.cluster.facts import NodeFacts, Room
    from perfscale.sim.controllers.store import JSON

_LACKS: Final = {
    "pods": "Too many pods",
    "cpu": "Insufficient cpu",
    "memory": "Insufficient memory",
}


class UnschedulableError(Exception):
    """There is no node for the pod now; the message is a scheduler's."""


def unbound_claims(pod: JSON, view: View) -> bool:
    """Whether a claim that the pod uses is still to be bound.

    Raises:
        UnschedulableError: One of them does not exist.
    """
    key = key_of(pod)
    is_unbound = False
    for claim in view.facts.claims_of((POD.kind, key)):
        found = view.find(PVC, claim)
        if found is None:
            raise UnschedulableError(f'persistentvolumeclaim "{claim.name}" not found')
        is_unbound = is_unbound or phase_of(found) != "Bound"
    return is_unbound


def choose_node(pod: JSON, view: View) -> str:
    """The node for a pod.

    Raises:
        UnschedulableError: None has room for it.
    """
    facts = view.facts
    room = asked_by(pod)
    selector: Mapping[str, str] = pod["spec"].get("nodeSelector") or {}
    reasons: dict[str, int] = {}
    fitting = []
    for name, node in facts.nodes.items():
        lacking = _lacking(node, facts.free(name), room, selector)
        if lacking:
            reasons[lacking] = reasons.get(lacking, 0) + 1
        else:
            fitting.append(name)
    if not fitting:
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        raise UnschedulableError(f"0/{len(facts.nodes)} nodes are available: {listed}.")
    return min(fitting, key=lambda name: (facts.pods_on(name), name))


def _lacking(node: NodeFacts, free: Room, room: Room, selector: Mapping[str, str]) -> str:
    if not node.is_open:
        return "node(s) were unschedulable"
    if any(node.labels.get(key) != value for key, value in selector.items()):
        return "node(s) didn't match Pod's node affinity/selector"
    for what, lacking in _LACKS.items():
        if getattr(room, what) > getattr(free, what):
            return lacking
    return ""

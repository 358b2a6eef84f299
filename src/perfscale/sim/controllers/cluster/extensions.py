"""What extends the API: definitions of custom resources, and aggregated API servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.controllers.actions import Action, UpdateStatus
from perfscale.sim.controllers.kinds import API_SERVICE, CRD
from perfscale.sim.controllers.objects import condition, condition_of, is_deleting, with_status
from perfscale.sim.controllers.workloads.replicas import with_conditions
from perfscale.sim.latency import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from perfscale.kube.resources import Resource
    from perfscale.sim.controllers.actions import View
    from perfscale.sim.controllers.store import JSON

_SAYS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    CRD.kind: (("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted")),
    API_SERVICE.kind: (("Available", "Passed"),),
}


class ExtensionController:
    """Says of extensions that they are there.

    Args:
        resource: Definitions of custom resources, or API services.
    """

    owns = None

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._says = _SAYS[resource.kind]

    def stage(self, obj: JSON) -> Stage | None:
        """It waits for its conditions."""
        if is_deleting(obj) or condition_of(obj, self._says[-1][0]) is not None:
            return None
        return Stage.API_EXTENSION

    def act(self, obj: JSON, view: View, now: datetime) -> Sequence[Action]:
        """Write its conditions."""
        del view
        old: JSON = obj.get("status") or {}
        said = [condition(kind, holds=True, now=now, reason=reason) for kind, reason in self._says]
        status = {**old, "conditions": with_conditions(old, said)}
        if self.resource is CRD:
            versions = [each["name"] for each in obj["spec"]["versions"] if each.get("storage")]
            status |= {"acceptedNames": obj["spec"]["names"], "storedVersions": versions}
        return (UpdateStatus(self.resource, with_status(obj, status)),)

    def failed(self, obj: JSON, reason: str, message: str, now: datetime) -> JSON:
        """Its status when it does not come."""
        old: JSON = obj.get("status") or {}
        kind = self._says[-1][0]
        said = condition(kind, holds=False, now=now, reason=reason, message=message)
        return {**old, "conditions": with_conditions(old, [said])}

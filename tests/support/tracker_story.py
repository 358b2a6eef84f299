"""Rows and events without a cluster, for tests of the tracker."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from perfscale.config.labels import run_labels
from perfscale.engine.tracking.readiness import Metadata, OwnerReference, Reading
from perfscale.engine.tracking.rows import IterationScope, TrackedObject, Transition
from perfscale.engine.tracking.tracker import Tracker
from perfscale.kube.resources import Place, Resource

VMI = Resource(
    "kubevirt.io", "v1", "virtualmachineinstances", "VirtualMachineInstance", namespaced=True
)
VM = Resource("kubevirt.io", "v1", "virtualmachines", "VirtualMachine", namespaced=True)


@dataclass
class Story:
    """Tells a tracker what happens to objects, one sentence at a time."""

    tracker: Tracker = field(default_factory=Tracker)
    now: float = 0.0
    version: int = 100

    def tick(self) -> float:
        self.now += 1
        return self.now

    def iteration(self, requested: int = 1, *, number: int = 1) -> IterationScope:
        return self.tracker.open_iteration("density", number, requested)

    def metadata(
        self,
        name: str,
        *,
        uid: str | None = None,
        iteration: int = 1,
        owner: str | None = None,
        deleting: bool = False,
    ) -> Metadata:
        self.version += 1
        return Metadata(
            name=name,
            uid=uid or f"uid-{name}",
            namespace="ns",
            resource_version=str(self.version),
            labels=run_labels("run", "density", iteration),
            creation_timestamp="2026-01-01T00:00:00Z",
            deletion_timestamp="2026-01-01T00:01:00Z" if deleting else None,
            owner_references=[OwnerReference(owner)] if owner else None,
        )

    def sent(
        self, scope: IterationScope, name: str, *, replica: int = 1, resource: Resource = VMI
    ) -> TrackedObject:
        row = self.tracker.schedule(scope, resource, "ns", name, replica=replica)
        self.tracker.send(row, self.tick())
        return row

    def answered(self, row: TrackedObject, *, uid: str | None = None) -> list[Transition]:
        metadata = self.metadata(row.name, uid=uid, iteration=row.scope.iteration)
        return self.tracker.accept(row, metadata, self.tick(), is_ready=False)

    def created(
        self, scope: IterationScope, name: str, *, resource: Resource = VMI
    ) -> TrackedObject:
        row = self.sent(scope, name, resource=resource)
        self.answered(row)
        return row

    def seen(
        self,
        event: str,
        metadata: Metadata,
        phase: str | None = None,
        *,
        resource: Resource = VMI,
        failure: str | None = None,
    ) -> list[Transition]:
        reading = Reading(phase=phase, ready=phase == "Running", failure=failure)
        return self.tracker.observe(resource, event, metadata, reading, self.tick())

    def becomes(self, row: TrackedObject, phase: str) -> list[Transition]:
        failure = "it ended" if phase in {"Failed", "Succeeded"} else None
        metadata = self.metadata(row.name, uid=row.uid)
        return self.seen("MODIFIED", metadata, phase, failure=failure, resource=row.resource)

    def vanishes(self, row: TrackedObject) -> list[Transition]:
        metadata = self.metadata(row.name, uid=row.uid, deleting=True)
        return self.seen("DELETED", metadata, row.phase, resource=row.resource)

    def leaves_the_watch(self, row: TrackedObject) -> list[Transition]:
        """It is gone at once, or its labels are: the watch tells the same of both."""
        return self.seen("DELETED", self.metadata(row.name, uid=row.uid), row.phase)

    def found(self, row: TrackedObject, *, labelled: bool) -> list[Transition]:
        metadata = self.metadata(row.name, uid=row.uid)
        return self.tracker.find(row, metadata, is_labelled=labelled)

    def listed(
        self, *metadata: Metadata, version: int | None = None, asked_s: float = -inf
    ) -> list[Transition]:
        state = [(each, Reading()) for each in metadata]
        version = self.version if version is None else version
        return self.tracker.reconcile(Place(VMI), state, version, self.tick(), asked_s=asked_s)

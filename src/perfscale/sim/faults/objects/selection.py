"""Which objects a fault happens to: by their names, so the same ones every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfscale.sim.faults.chance import is_meant, is_named, is_selected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.kube.resources import Resource
    from perfscale.sim.faults.model import ObjectFault
    from perfscale.sim.storage.records import JSON


class FaultSelection:
    """The faults of a file by the objects that they happen to. Keeps no state.

    Args:
        faults: The faults.
        seed: The file's seed.
    """

    def __init__(self, faults: Sequence[ObjectFault], seed: int) -> None:
        self._faults = [(f"objects[{number}]", fault) for number, fault in enumerate(faults)]
        self._seed = seed

    def of(self, resource: Resource, obj: JSON, *kinds: str) -> Iterator[ObjectFault]:
        """The faults of these kinds that happen to the object, in the order of the file."""
        metadata = obj["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace") or ""
        for place, fault in self._faults:
            if (
                fault.fault in kinds
                and is_meant(resource, fault.resources)
                and is_named(name, fault.names)
                and is_selected(self._seed, place, fault.share, (resource.name, namespace, name))
            ):
                yield fault

    def in_phase(self, resource: Resource, obj: JSON, phase: str) -> ObjectFault | None:
        """What ends the object's progress in this phase: to be stuck there, to fail or to end."""
        found = self.of(resource, obj, "stuck", "fails", "ends")
        return next((fault for fault in found if (fault.phase or "") == phase), None)

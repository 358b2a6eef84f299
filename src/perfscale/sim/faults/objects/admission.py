"""What an admission webhook does to objects as they are created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.sim.faults.chance import is_named

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Mapping

    from perfscale.kube.resources import Resource
    from perfscale.sim.faults.model import ObjectFault
    from perfscale.sim.faults.objects.selection import FaultSelection
    from perfscale.sim.ground_truth import GroundTruth
    from perfscale.sim.storage.records import JSON

ADMITTED: Final = ("held", "labelsStripped", "annotationsStripped", "renamed")
"""The faults that happen to an object as it is created."""


class Admission:
    """Changes objects before they are stored for the first time.

    Args:
        selection: Which objects.
        truth: Where to count them.
    """

    def __init__(self, selection: FaultSelection, truth: GroundTruth) -> None:
        self._selection = selection
        self._truth = truth

    def __call__(self, resource: Resource, obj: JSON, dry_run: bool) -> JSON:
        """The object as it is stored, or would be: a dry run is admitted and not counted."""
        # All of them are chosen first: a new name does not change which ones apply.
        for fault in tuple(self._selection.of(resource, obj, *ADMITTED)):
            obj = {**obj, "metadata": _admitted(obj["metadata"], fault)}
            if dry_run:
                continue
            if fault.fault == "held":
                self._truth.count_held(resource)
            else:
                self._injected[fault.fault] += 1
        return obj

    @property
    def _injected(self) -> Counter[str]:
        return self._truth.injected


def _admitted(metadata: JSON, fault: ObjectFault) -> JSON:
    match fault.fault:
        case "held":
            return {
                **metadata,
                "finalizers": [*(metadata.get("finalizers") or ()), fault.finalizer],
            }
        case "labelsStripped":
            labels = stripped(metadata.get("labels") or {}, fault.labels, fault.to)
            return {**metadata, "labels": labels}
        case "annotationsStripped":
            annotations = stripped(metadata.get("annotations") or {}, fault.annotations, fault.to)
            return {**metadata, "annotations": annotations}
    return {**metadata, "name": f"{metadata['name']}-{fault.suffix}"}


def stripped(given: Mapping[str, str], patterns: Collection[str], to: str | None) -> dict[str, str]:
    """What is left of labels or annotations whose keys fit: without them, or changed."""
    return {
        key: value if to is None or not is_named(key, patterns) else to
        for key, value in given.items()
        if to is not None or not is_named(key, patterns)
    }

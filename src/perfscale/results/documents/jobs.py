"""Which job a workload is: the one that it was made from, else it is one itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


class Jobs:
    """The workloads of a run as jobs of kube-burner.

    Several workloads may have been made from one job, as from its groups: their ``kubeBurner``
    names it.

    Args:
        text: ``workload.yaml``, which has every default filled in; None if it is not there.
    """

    def __init__(self, text: str | None) -> None:
        tree = yaml.load(text or "", Loader=yaml.CSafeLoader)
        workloads = tree.get("workloads") if isinstance(tree, dict) else None
        found = workloads if isinstance(workloads, list) else []
        self._given: dict[str, dict[str, Any]] = {
            each["name"]: each for each in found if isinstance(each, dict) and "name" in each
        }

    def given(self, workload: str) -> Mapping[str, Any]:
        """The keys of a workload; none where they are not known."""
        return self._given.get(workload, {})

    def name(self, workload: str) -> str:
        """The job that a workload is, or is a part of."""
        name = self._origin(workload).get("job")
        return name if isinstance(name, str) and name else workload

    def is_helper(self, workload: str) -> bool:
        """Whether a workload only helps its job, as one that watches beside it."""
        return self._origin(workload).get("helper") is True

    def iteration(self, workload: str, iteration: int) -> int:
        """The number of an iteration in its job, where they count from 0."""
        first = self._origin(workload).get("firstIteration")
        return iteration - 1 + (first if isinstance(first, int) else 0)

    def _origin(self, workload: str) -> Mapping[str, Any]:
        origin = self.given(workload).get("kubeBurner")
        return origin if isinstance(origin, dict) else {}

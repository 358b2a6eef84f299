"""The labels that every namespace and object of a run carries.

They are how watches select and how cleanup finds what belongs to a run, so they
are as fixed as a file format.
"""

from __future__ import annotations

from typing import Final

RUN_LABEL: Final = "kubevirt-load-generator-workload"
"""Holds the run's id. The key is older than this program: selectors and dashboards know it."""

WORKLOAD_LABEL: Final = "perfscale/workload"
"""Holds the workload's name."""

ITERATION_LABEL: Final = "perfscale/iteration"
"""Holds the iteration's number, counted from 1."""


def run_labels(run_id: str, workload: str, iteration: int) -> dict[str, str]:
    """Return the labels of an object of this run, workload and iteration."""
    return {RUN_LABEL: run_id, WORKLOAD_LABEL: workload, ITERATION_LABEL: str(iteration)}

"""The labels that every namespace and object of a run carries.

They are how watches select and how cleanup finds what belongs to a run, so they
are as fixed as a file format.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_LABEL: Final = "kubevirt-load-generator-workload"
"""Holds the run's id. The key is older than this program: selectors and dashboards know it."""

WORKLOAD_LABEL: Final = "perfscale/workload"
"""Holds the workload's name."""

ITERATION_LABEL: Final = "perfscale/iteration"
"""Holds the iteration's number, counted from 1."""

SHARD_LABEL: Final = "perfscale/shard"
"""Of a run of several generators: the index of the one that made it, counted from 0."""

WHOLE: Final = f"{RUN_LABEL},{WORKLOAD_LABEL},{ITERATION_LABEL}"
"""Selects what carries all three, whatever they hold. Namespaces, objects and, through
their owners' templates, children do; the older program set the first alone."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def run_labels(
    run_id: str, workload: str, iteration: int, shard: int | None = None
) -> dict[str, str]:
    """Return the labels of an object of this run, workload and iteration.

    ``shard`` is the index of the generator that makes it, if there are several.
    """
    labels = {RUN_LABEL: run_id, WORKLOAD_LABEL: workload, ITERATION_LABEL: str(iteration)}
    return labels if shard is None else {**labels, SHARD_LABEL: str(shard)}


def selector_of(labels: Mapping[str, str]) -> str:
    """The label selector that matches all of ``labels``."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def carries(labels: Mapping[str, str] | None, wanted: Mapping[str, str]) -> bool:
    """Whether an object with these labels has all that are wanted."""
    return labels is not None and wanted.items() <= labels.items()


def is_whole(labels: Mapping[str, str]) -> bool:
    """Whether these are labels of an object that a run of this program made."""
    return labels.keys() >= {RUN_LABEL, WORKLOAD_LABEL, ITERATION_LABEL}


def is_run_id(text: str) -> bool:
    """Whether this is an id that the program gives to a run: a UUID.

    A program that embeds the runner may choose another: cleanup has to be given it.
    """
    return _UUID.fullmatch(text) is not None

"""A search for programs that embed it: one call, and what it has found."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from perfscale.engine import RunOptions
from perfscale.kube.cluster import ClusterOptions
from perfscale.results import cleanup_command
from perfscale.search.opening import Circumstances, begin_search
from perfscale.search.runner import LimitSearch
from perfscale.search.steps import EngineSteps, StepSettings
from perfscale.search.varying import Varied

if TYPE_CHECKING:
    from perfscale.search.deciding.plan import SearchPlan
    from perfscale.search.document import SearchDocument


async def find_limit(
    file: Path | str,
    vary: str,
    plan: SearchPlan,
    *,
    cluster: ClusterOptions | None = None,
    results: Path | str = "results",
    settle_s: float = 10.0,
    options: RunOptions | None = None,
) -> SearchDocument:
    """Find the highest load at which a workload file's thresholds are met.

    Cancellation cleans up the step that goes on, within ``options.cleanup_timeout_s``, and is
    then raised; ``perfscale search --resume`` goes on from the folder.

    Args:
        file: The workload file; it is read again for each step.
        vary: ``qps``, ``replicas``, ``maxInFlight``, or the path of a number in the file.
        plan: From where to where, and how closely.
        cluster: How to open the cluster; None finds one as kubectl does.
        results: Where the search's folder is made, with one for each run in it.
        settle_s: Pause between two steps, in seconds.
        options: What is not in the workload file, for every step.

    Returns:
        What ``search.json`` holds: every step, and the answer.

    Raises:
        UsageError: The file is wrong, has no thresholds, or does not take the values.
        RunFailedError: A step left something in the cluster.
        ClusterError: The cluster cannot be reached.
    """
    opened = begin_search(
        Varied(Path(file), (), vary), plan, Path(results), Circumstances(settle_s=settle_s)
    )
    where = cluster or ClusterOptions()
    steps = StepSettings(
        varied=opened.varied,
        cluster=where,
        folder=opened.folder,
        options=options or RunOptions(),
        cleanup=partial(
            cleanup_command,
            kubeconfig=where.kubeconfig,
            master=where.master,
            results_dir=str(opened.folder.steps),
        ),
    )
    search = LimitSearch(opened.plan, opened.document, opened.folder, EngineSteps(steps))
    await search.run()
    return search.document

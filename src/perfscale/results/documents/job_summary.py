"""``jobSummary``: a document for each workload, of what it was and whether it passed.

https://github.com/kube-burner/kube-burner/blob/main/pkg/burner/metadata.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from perfscale.config import parse_duration
from perfscale.results.documents.stamps import NamedDocument, Stamps
from perfscale.results.model.run import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perfscale.results.documents.latencies import ChurnSpan
    from perfscale.results.folder.reading import RunFiles
    from perfscale.results.model.document import Summary, Workload

_METRIC: Final = "jobSummary"
_KUBEVIRT: Final = (
    "start",
    "stop",
    "restart",
    "pause",
    "unpause",
    "migrate",
    "addVolume",
    "removeVolume",
)
_JOB_TYPES: Final = {
    "create": "create",
    "delete": "delete",
    "patch": "patch",
    "get": "read",
    **dict.fromkeys(_KUBEVIRT, "kubevirt"),
}
"""Kube-burner's types by our operations; it has none for the others."""


def job_summaries(
    files: RunFiles, stamps: Stamps, churned: Mapping[str, ChurnSpan]
) -> Iterator[NamedDocument]:
    """A document for each workload that began.

    Args:
        files: The run's folder.
        stamps: What all documents have.
        churned: When each workload churned, of those that did.
    """
    described = _described(files.workload_yaml)
    for workload in files.summary.workloads:
        if not workload.iterations:
            continue
        began_s = min(each.started_seconds for each in workload.iterations)
        ended_s = ended(workload)
        problems = list(_problems(files.summary, workload)) or _cut_short(files.summary, workload)
        body = {
            "timestamp": stamps.at(began_s),
            "endTimestamp": stamps.at(ended_s),
            **_churn_stamps(churned.get(workload.name), stamps),
            "elapsedTime": round(ended_s - began_s),
            "metricName": _METRIC,
            "uuid": stamps.uuid,
            "jobConfig": _job_config(workload, described.get(workload.name, {})),
            "passed": not problems,
        }
        if problems:
            body["executionErrors"] = "\n".join(problems)
        if files.run.client.version:
            body["version"] = f"perfscale {files.run.client.version}"
        # User metadata hides nothing of these.
        yield NamedDocument(_METRIC, {**stamps.metadata, **body})


def ended(workload: Workload) -> float:
    """When its last iteration ended, in seconds since the run's start; 0 if none began."""
    return max((each.finished_seconds for each in workload.iterations), default=0.0)


def _churn_stamps(span: ChurnSpan | None, stamps: Stamps) -> dict[str, str]:
    if span is None:
        return {}
    known = {"churnStartTimestamp": span.began_s, "churnEndTimestamp": span.ended_s}
    return {key: stamps.at(at_s) for key, at_s in known.items() if at_s is not None}


def _problems(summary: Summary, workload: Workload) -> Iterator[str]:
    for iteration in workload.iterations:
        yield from iteration.problems
    done = len(workload.iterations)
    if done < workload.iteration_count:
        yield f"{done} of {workload.iteration_count} iterations began before the run ended"
    for each in summary.thresholds:
        if each.workload == workload.name and not each.passed:
            yield each.text


def _cut_short(summary: Summary, workload: Workload) -> list[str]:
    """Why not all of a workload was done, where that is no problem of its own."""
    counts = workload.objects
    undone = counts.not_attempted + counts.unready
    undone += sum(each.operations.not_attempted for each in workload.operations)
    undone += sum(each.operations.unfinished for each in workload.operations)
    if summary.outcome is RunOutcome.PASSED or not undone:
        return []
    return list(summary.problems) or [f"the run was {summary.outcome.value}"]


def _described(text: str | None) -> dict[str, dict[str, Any]]:
    """The workloads of ``workload.yaml`` by their names; it has every default filled in."""
    tree = yaml.load(text or "", Loader=yaml.CSafeLoader)
    workloads = tree.get("workloads") if isinstance(tree, dict) else None
    found = workloads if isinstance(workloads, list) else []
    return {each["name"]: each for each in found if isinstance(each, dict) and "name" in each}


def _job_config(workload: Workload, given: Mapping[str, Any]) -> dict[str, Any]:
    """The workload in the keys of a job; as there, without those that are empty, 0 or false."""
    config = {
        "name": workload.name,
        "jobType": _JOB_TYPES.get(workload.operation),
        "jobIterations": workload.iteration_count,
        "jobIterationDelay": _nanoseconds(given.get("iterationInterval")),
        "jobPause": _nanoseconds(given.get("waitWhenFinished")),
        "qps": given.get("qps"),
        "burst": given.get("burst"),
        "maxWaitTimeout": _nanoseconds(given.get("maxWaitTimeout")),
        "podWait": given.get("iterationCreationWait"),
        "waitForDeletion": given.get("iterationDeletionWait"),
        "namespacedIterations": given.get("namespacedIterations"),
        "iterationsPerNamespace": given.get("iterationsPerNamespace"),
        "gc": given.get("iterationCleanup"),
        "churnConfig": _churn_config(given.get("churn")),
    }
    return {key: value for key, value in config.items() if value}


def _churn_config(churn: Any) -> dict[str, Any]:  # noqa: ANN401 -- YAML
    if not isinstance(churn, dict):
        return {}
    share = str(churn.get("share") or "").removesuffix("%")
    config = {
        "cycles": churn.get("rounds"),
        "duration": _nanoseconds(churn.get("duration")),
        "percent": int(share) if share.isdecimal() else None,
        "delay": _nanoseconds(churn.get("interval")),
        "mode": churn.get("of"),
    }
    return {key: value for key, value in config.items() if value}


def _nanoseconds(text: Any) -> int | None:  # noqa: ANN401 -- YAML
    """A duration as Go writes one in JSON."""
    try:
        return round(parse_duration(text) * 1e9)
    except (ValueError, TypeError):
        return None

"""``jobSummary``: a document for each job, of what it was and whether it passed.

https://github.com/kube-burner/kube-burner/blob/main/pkg/burner/metadata.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.config import parse_duration
from perfscale.results.documents.stamps import NamedDocument, Stamps
from perfscale.results.model.run import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.results.documents.jobs import Jobs
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
    files: RunFiles, stamps: Stamps, jobs: Jobs, churned: Mapping[str, ChurnSpan]
) -> Iterator[NamedDocument]:
    """A document for each job that began, of all workloads that are parts of it.

    Args:
        files: The run's folder.
        stamps: What all documents have.
        jobs: Which job each workload is.
        churned: When each job churned, of those that did.
    """
    ends = ended(files.summary, jobs)
    helpers = _parts(files.summary, jobs, helping=True)
    for name, parts in _parts(files.summary, jobs).items():
        began_s = min(each.started_seconds for part in parts for each in part.iterations)
        problems = [
            text
            for part in (*parts, *helpers.get(name, ()))
            for text in _problems(files.summary, part)
        ]
        body = {
            "timestamp": stamps.at(began_s),
            "endTimestamp": stamps.at(ends[name]),
            **_churn_stamps(churned.get(name), stamps),
            "elapsedTime": round(ends[name] - began_s),
            "metricName": _METRIC,
            "uuid": stamps.uuid,
            "jobConfig": _job_config(name, parts, jobs),
            "passed": not problems,
        }
        if problems:
            body["executionErrors"] = "\n".join(dict.fromkeys(problems))
        if files.run.client.version:
            body["version"] = f"perfscale {files.run.client.version}"
        # User metadata hides nothing of these.
        yield NamedDocument(_METRIC, {**stamps.metadata, **body})


def ended(summary: Summary, jobs: Jobs) -> dict[str, float]:
    """When the last iteration of each job ended, in seconds since the run's start."""
    return {
        name: max(each.finished_seconds for part in parts for each in part.iterations)
        for name, parts in _parts(summary, jobs).items()
    }


def _parts(summary: Summary, jobs: Jobs, *, helping: bool = False) -> dict[str, list[Workload]]:
    """The workloads of each job that began, by its name: its own, or those that only help it."""
    found: dict[str, list[Workload]] = {}
    for workload in summary.workloads:
        if workload.iterations and jobs.is_helper(workload.name) is helping:
            found.setdefault(jobs.name(workload.name), []).append(workload)
    return found


def _churn_stamps(span: ChurnSpan | None, stamps: Stamps) -> dict[str, str]:
    if span is None:
        return {}
    known = {"churnStartTimestamp": span.began_s, "churnEndTimestamp": span.ended_s}
    return {key: stamps.at(at_s) for key, at_s in known.items() if at_s is not None}


def _problems(summary: Summary, workload: Workload) -> list[str]:
    """Why a workload has not passed."""
    own = [problem for iteration in workload.iterations for problem in iteration.problems]
    done = len(workload.iterations)
    if done < workload.iteration_count:
        own.append(f"{done} of {workload.iteration_count} iterations began before the run ended")
    of_it = (each for each in summary.thresholds if each.workload == workload.name)
    own += [each.text for each in of_it if not each.passed]
    return own or _cut_short(summary, workload)


def _cut_short(summary: Summary, workload: Workload) -> list[str]:
    """Why not all of a workload was done, where that is no problem of its own."""
    counts = workload.objects
    undone = counts.not_attempted + counts.unready
    undone += sum(each.operations.not_attempted for each in workload.operations)
    undone += sum(each.operations.unfinished for each in workload.operations)
    if summary.outcome is RunOutcome.PASSED or not undone:
        return []
    return list(summary.problems) or [f"the run was {summary.outcome.value}"]


def _job_config(name: str, parts: Sequence[Workload], jobs: Jobs) -> dict[str, Any]:
    """A job in the keys of kube-burner; as there, without those that are empty, 0 or false."""
    first, given = parts[0], jobs.given(parts[0].name)
    config = {
        "name": name,
        "jobType": _JOB_TYPES.get(first.operation),
        "jobIterations": max(jobs.iteration(each.name, each.iteration_count) for each in parts) + 1,
        "jobIterationDelay": _nanoseconds(given.get("iterationInterval")),
        "jobPause": _nanoseconds(given.get("waitWhenFinished")),
        "qps": given.get("qps"),
        "burst": given.get("burst"),
        "maxWaitTimeout": _nanoseconds(given.get("maxWaitTimeout")),
        "podWait": given.get("iterationCreationWait"),
        "waitWhenFinished": given.get("workloadCreationWait"),
        "waitForDeletion": given.get("iterationDeletionWait"),
        "namespacedIterations": given.get("namespacedIterations"),
        "iterationsPerNamespace": given.get("iterationsPerNamespace"),
        "gc": given.get("iterationCleanup") or given.get("workloadCleanup"),
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

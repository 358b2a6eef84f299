"""From a configuration to a workload file of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from perfscale.config import counted, format_duration
from perfscale.foreign.kube_burner.mapping import acting, creating
from perfscale.foreign.kube_burner.mapping.around import command, moments_of, watchers_of
from perfscale.foreign.kube_burner.mapping.context import JobAt, Reading, is_file, is_url
from perfscale.foreign.kube_burner.mapping.endpoints import endpoints_of
from perfscale.foreign.kube_burner.mapping.manifests import NOT_FETCHED
from perfscale.foreign.kube_burner.mapping.placed import At
from perfscale.foreign.kube_burner.mapping.thresholds import note_unjudged
from perfscale.foreign.kube_burner.models.job import CREATE, DELETE, READ
from perfscale.templates.kube_burner import OUTSIDE
from perfscale.templates.source import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.foreign.kube_burner.models.job import Job

_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST: Final = 253
_MEASURED: Final = frozenset(
    {
        *("podLatency", "jobLatency", "pvcLatency", "vmiLatency", "vmimLatency"),
        *("dataVolumeLatency", "volumeSnapshotLatency"),
    }
)
_PROBED: Final = "nothing is sent through services and policies"
_UNMEASURED: Final = {
    "pprof": "profiles of processes are not taken",
    "serviceLatency": _PROBED,
    "netpolLatency": _PROBED,
    "nodeLatency": "conditions of nodes are not followed",
}
"""Measurements of that program which are none here, and why."""


def tree_of(reading: Reading) -> dict[str, Any]:
    """Return a configuration as our tree; what is wrong with it is among its problems."""
    check(reading)
    before: list[Any] = []
    workloads: list[Any] = []
    for number, job in enumerate(reading.configuration.jobs):
        at = JobAt(reading, job, ("jobs", number))
        if job.job_type == CREATE and job.cleanup:
            if reading.inputs.allow_foreign:
                before += (at.at(each, "cleanup") for each in creating.leftovers_of(at))
            else:
                reading.note(
                    "cleanup: what earlier runs of these jobs left, whosever they were, is not "
                    "deleted (--allow-foreign)"
                )
        workloads += _workloads(at)
    note_unjudged(reading)
    return {"globalConfig": _global(reading), "workloads": [*before, *workloads]}


def describe(reading: Reading, workloads: int) -> str:
    """How a configuration was read, and what is better here, in a few words."""
    jobs = counted(len(reading.configuration.jobs), "job")
    return (
        f"kube-burner: {jobs} as {counted(workloads, 'workload')}. Objects are followed by their "
        "UIDs, what fails ends its wait and counts, and cleanup is of this run alone"
    )


# -- checks that program makes, too ---------------------------------------------------


def check(reading: Reading) -> None:
    """Report what that program refuses in a configuration, too."""
    configuration = reading.configuration
    if not configuration.jobs:
        reading.problem(("jobs",), "there are no jobs")
    _check_functions(reading)
    seen: dict[str, int] = {}
    for number, job in enumerate(configuration.jobs):
        path = ("jobs", number)
        if not _SUBDOMAIN.fullmatch(job.name) or len(job.name) > _LONGEST:
            message = f'"{job.name}" is no name of a job: a-z, 0-9, dashes and dots inside'
            reading.problem((*path, "name"), message)
        elif job.name in seen:
            message = f"jobs[{seen[job.name]}] has this name too: each job has its own"
            reading.problem((*path, "name"), message)
        seen.setdefault(job.name, number)
        for key, message in _flaws(job, gc=configuration.global_.wait_when_finished):
            reading.problem((*path, key), message)
    named = [configuration.global_.measurements, *(job.measurements for job in configuration.jobs)]
    for name in dict.fromkeys(each.name for measurements in named for each in measurements):
        if name not in _MEASURED:
            reading.note(f"{name} is not measured: {_UNMEASURED.get(name, 'it is not known')}")


def _check_functions(reading: Reading) -> None:
    for number, name in enumerate(reading.configuration.global_.function_templates):
        if message := _flaw_of_functions(reading.document.directory, name):
            reading.problem(("global", "functionTemplates", number), message)


def _flaw_of_functions(folder: Path, name: str) -> str | None:
    if is_url(name):
        return NOT_FETCHED
    if not is_inside(folder, name):
        return OUTSIDE
    return None if is_file(folder / name) else f"there is no file {name} beside this file"


def _flaws(job: Job, *, gc: bool) -> Iterator[tuple[str, str]]:
    if job.job_type != DELETE and job.job_iterations < 1:
        yield "jobIterations", "this has to be 1 or more"
    if job.job_type != CREATE:
        return
    if job.namespace and (not _SUBDOMAIN.fullmatch(job.namespace) or "." in job.namespace):
        yield "namespace", f'"{job.namespace}" cannot begin the name of a namespace'
    if job.iterations_per_namespace < 1:
        yield "iterationsPerNamespace", "this has to be 1 or more"
    if gc and job.gc:
        yield "gc", "this does not go with waitWhenFinished of global"
    every = {each.repeat_every_n_iterations for each in job.objects} - {1}
    if any(each < 1 for each in every):
        yield "objects", "repeatEveryNIterations has to be 1 or more"
    elif len(every) > 1:
        yield "objects", "all repeatEveryNIterations of a job that are not 1 have to be the same"


# -- parts ------------------------------------------------------------------------------


def _workloads(job: JobAt) -> list[Any]:
    """The workloads of a job, with its watchers before them and its commands in them."""
    make = creating.workloads_of if job.job.job_type == CREATE else acting.workloads_of
    workloads = make(job)
    moments = moments_of(job)
    _say(job)
    if not workloads:
        if job.job.hooks or job.job.watchers:
            job.problem("a job that does nothing has no hooks and no watchers here")
        return []
    for first_or_last, hooks in ((0, moments.first), (-1, moments.last)):
        workload = workloads[first_or_last]
        workload["hooks"] = [*workload.get("hooks", ()), *hooks]
    for workload in workloads:
        if "objects" in workload:  # a deletion of a group is no iteration
            workload["hooks"] = [*workload.get("hooks", ()), *moments.every]
    name = workloads[-1]["name"]
    until = name.value if isinstance(name, At) else name
    return [*watchers_of(job, until), *(job.at(each) for each in workloads)]


def _say(job: JobAt) -> None:
    """Say what a job has that means nothing here."""
    own, reading = job.job, job.reading
    if own.metrics_closing != "afterJobPause" or own.metrics_aggregate:
        reading.note("metricsClosing and metricsAggregate mean nothing: the run is measured whole")
    if own.skip_indexing:
        job.note("skipIndexing means nothing: what is written or sent is of all jobs")
    if own.job_type == CREATE:
        if own.execution_mode is not None:
            job.note("executionMode means nothing in a job that creates, there either")
        if not own.error_on_verify or not own.verify_objects:
            job.note("objects that are missing count as failed, whatever errorOnVerify says")
    if own.job_type == READ and own.objects:
        reading.note("what is read is read again in each iteration, as it was when the job began")


def _global(reading: Reading) -> dict[str, Any]:
    own = reading.configuration.global_
    for number, hook in enumerate(own.hooks):
        moment = "beforeRun" if hook.when == "beforeAllJobs" else "afterRun"
        entry = command(list(hook.cmd), background=hook.background) if hook.cmd else {}
        at = ("global", "hooks", number)
        reading.run_hooks.append(At({**entry, "when": moment}, at))
    if own.timeout:
        reading.note("global.timeout means nothing, there either")
    if own.gc_metrics or own.deletion_strategy != "default":
        reading.note("gcMetrics and deletionStrategy mean nothing: cleanup is part of the run")
    created = [job for job in reading.configuration.jobs if job.job_type == CREATE]
    periods = [job.pre_load_period for job in created if job.pre_load_images]
    tree: dict[str, Any] = {"cleanup": At(own.gc, ("global", "gc")), **endpoints_of(reading)}
    if own.cluster_health:
        tree["clusterHealth"] = At(True, ("global", "clusterHealth"))
    if periods and max(periods) > 0:
        tree["preloadTimeout"] = format_duration(max(periods))
    if reading.run_hooks:
        tree["hooks"] = reading.run_hooks
    return tree

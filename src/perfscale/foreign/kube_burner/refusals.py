"""What a configuration may say, and is not done: a table, of which the documentation has the words.

What is found stands at its own line in the errors, and nothing is created then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from perfscale.foreign.kube_burner.mapping.thresholds import has_meaning, is_ignored
from perfscale.foreign.kube_burner.models.job import CREATE, NAMESPACES, OBJECTS
from perfscale.foreign.kube_burner.models.measurements import SEARCH_ENGINES, TSDB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perfscale.config.reading.source import KeyPath
    from perfscale.foreign.kube_burner.mapping.context import Reading
    from perfscale.foreign.kube_burner.models.job import Job
    from perfscale.foreign.kube_burner.models.measurements import Measurement, MetricsEndpoint
    from perfscale.foreign.kube_burner.models.top import Configuration

Finder: TypeAlias = "Callable[[Configuration], Iterator[KeyPath]]"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row.

    Attributes:
        key: As the documentation names it.
        why: Why it is refused, and what to do instead.
        find: Yields each place where it stands.
    """

    key: str
    why: str
    find: Finder


def refuse(reading: Reading) -> None:
    """Report everything in the table that a configuration says."""
    for row in TABLE:
        for path in row.find(reading.configuration):
            reading.problem(path, row.why)


def _jobs(found: Callable[[Job], Iterator[KeyPath]]) -> Finder:
    def find(configuration: Configuration) -> Iterator[KeyPath]:
        for number, job in enumerate(configuration.jobs):
            for path in found(job):
                yield ("jobs", number, *path)

    return find


def _creating(key: KeyPath, is_said: Callable[[Job], bool]) -> Finder:
    """Find a key of the jobs that create of which something is so."""

    def found(job: Job) -> Iterator[KeyPath]:
        if job.job_type == CREATE and is_said(job):
            yield key

    return _jobs(found)


def _globally(key: str, is_said: Callable[[Configuration], bool]) -> Finder:
    def find(configuration: Configuration) -> Iterator[KeyPath]:
        if is_said(configuration):
            yield ("global", key)

    return find


def _measurements(is_said: Callable[[Measurement], bool], *key: str) -> Finder:
    def find(configuration: Configuration) -> Iterator[KeyPath]:
        for number, each in enumerate(configuration.global_.measurements):
            if is_said(each):
                yield ("global", "measurements", number, *key)
        for place, job in enumerate(configuration.jobs):
            for number, each in enumerate(job.measurements):
                if is_said(each):
                    yield ("jobs", place, "measurements", number, *key)

    return find


def _endpoints(found: Callable[[MetricsEndpoint], Iterator[KeyPath]]) -> Finder:
    def find(configuration: Configuration) -> Iterator[KeyPath]:
        for number, each in enumerate(configuration.metrics_endpoints):
            for path in found(each):
                yield ("metricsEndpoints", number, *path)

    return find


def _tsdb(endpoint: MetricsEndpoint) -> Iterator[KeyPath]:
    if endpoint.indexer is not None and endpoint.indexer.type == TSDB:
        yield ("indexer", "type")


def _others(said: Callable[[MetricsEndpoint], dict[KeyPath, object]]) -> Finder:
    """Find what endpoints say otherwise than the first that says anything."""

    def find(configuration: Configuration) -> Iterator[KeyPath]:
        first: dict[KeyPath, object] = {}
        for number, each in enumerate(configuration.metrics_endpoints):
            own = said(each)
            first = first or own
            for key, value in own.items():
                if value != first[key]:
                    yield ("metricsEndpoints", number, *key)

    return find


def _prometheus(endpoint: MetricsEndpoint) -> dict[KeyPath, object]:
    if not endpoint.endpoint:
        return {}
    return {
        ("endpoint",): endpoint.endpoint.rstrip("/"),
        ("step",): endpoint.step,
        ("skipTLSVerify",): endpoint.skip_tls_verify,
        ("tokenFile",): endpoint.token_file,
        ("token",): endpoint.token,
        ("username",): endpoint.username,
        ("password",): endpoint.password,
    }


def _search_engine(endpoint: MetricsEndpoint) -> dict[KeyPath, object]:
    indexer = endpoint.indexer
    if indexer is None or indexer.type not in SEARCH_ENGINES:
        return {}
    return {
        ("indexer", "esServers"): indexer.es_servers,
        ("indexer", "defaultIndex"): indexer.default_index,
        ("indexer", "insecureSkipVerify"): indexer.insecure_skip_verify,
    }


def _churns(job: Job, mode: str | None = None) -> bool:
    return job.churn_config.is_on and mode in {None, job.churn_config.mode}


TABLE: Final = (
    Refusal(
        "global.waitWhenFinished",
        "one wait after all jobs is not done, which drops what went wrong in it: remove this key, "
        "and each job waits at its own end",
        _globally("waitWhenFinished", lambda c: c.global_.wait_when_finished),
    ),
    Refusal(
        "jobs[].preLoadNodeLabels",
        "images are pulled to every node: remove this key, or set preLoadImages to false",
        _creating(
            ("preLoadNodeLabels",),
            lambda job: bool(job.pre_load_node_labels and job.pre_load_images),
        ),
    ),
    Refusal(
        "churnConfig with groups",
        "a job with groups is several workloads here, which have no churn together: remove one",
        _creating(("churnConfig",), lambda job: _churns(job) and job.has_groups),
    ),
    Refusal(
        "churnConfig with incrementalLoad",
        "the steps of an incremental load are not churned: remove one of the two",
        _creating(("churnConfig",), lambda job: _churns(job) and job.incremental_load is not None),
    ),
    Refusal(
        "churn of namespaces with one namespace",
        "all iterations are in one namespace: set namespacedIterations to true, or mode to objects",
        _creating(
            ("churnConfig", "mode"),
            lambda job: _churns(job, NAMESPACES) and not job.namespaced_iterations,
        ),
    ),
    Refusal(
        "churn of namespaces with iterationsPerNamespace",
        "iterations that share a namespace are not replaced one by one (kube-burner takes the "
        "position of a namespace for the number of an iteration there): remove one of the two",
        _creating(
            ("churnConfig", "mode"),
            lambda job: _churns(job, NAMESPACES) and job.iterations_per_namespace > 1,
        ),
    ),
    Refusal(
        "churn of objects with repeatEveryNIterations",
        "objects that several iterations share are not churned: set churn: false at those entries",
        _creating(
            ("churnConfig", "mode"),
            lambda job: (
                _churns(job, OBJECTS)
                and any(
                    entry.churn and entry.repeat_every_n_iterations > 1 for entry in job.objects
                )
            ),
        ),
    ),
    Refusal(
        "incrementalLoad with groups",
        "a job with groups is several workloads here, which have no steps together: remove one",
        _creating(
            ("incrementalLoad",), lambda job: job.incremental_load is not None and job.has_groups
        ),
    ),
    Refusal(
        "metricsEndpoints[] with several Prometheus",
        "one Prometheus is asked, in one way: say what the first endpoint says, or remove this",
        _others(_prometheus),
    ),
    Refusal(
        "metricsEndpoints[] with several search engines",
        "documents go to one index: say here what the first indexer says, or remove this",
        _others(_search_engine),
    ),
    Refusal(
        "metricsEndpoints[].indexer of type tsdb",
        "blocks of a Prometheus are not written: write local, opensearch or elastic",
        _endpoints(_tsdb),
    ),
    Refusal(
        "measurements[].thresholds of other conditions",
        "a threshold can be on podLatency (Ready, Initialized, PodScheduled, ContainersReady), "
        "vmiLatency (VMIPending, VMIScheduling, VMIScheduled, VMIRunning), jobLatency (Complete), "
        "pvcLatency (Bound), dataVolumeLatency (Ready) and volumeSnapshotLatency (Ready): write "
        "another one in a workload file",
        _measurements(
            lambda each: (
                not is_ignored(each.name)
                and not all(has_meaning(each.name, one.condition_type) for one in each.thresholds)
            ),
            "thresholds",
        ),
    ),
)
"""What is refused."""

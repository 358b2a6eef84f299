"""Jobs that create objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perfscale.config import format_duration
from perfscale.config.sections.kube_burner import PREFIX
from perfscale.foreign.kube_burner.mapping.around import command
from perfscale.foreign.kube_burner.mapping.churning import churn_of
from perfscale.foreign.kube_burner.mapping.context import selector_text
from perfscale.foreign.kube_burner.mapping.manifests import Manifest, manifests_of, template_path
from perfscale.foreign.kube_burner.mapping.repeated import (
    REPLICA,
    names_of,
    once_of,
    variables_in,
)
from perfscale.foreign.kube_burner.mapping.steps import steps_of
from perfscale.foreign.kube_burner.mapping.thresholds import thresholds_of
from perfscale.foreign.kube_burner.mapping.waits import forms_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perfscale.foreign.kube_burner.mapping.context import JobAt
    from perfscale.foreign.kube_burner.models.job import IncrementalLoad
    from perfscale.foreign.kube_burner.models.objects import Entry

_LONGEST_NAMESPACE: Final = 62
_CUT: Final = 57
_MOST_STEPS: Final = 200
_MOST_KINDS: Final = 200


@dataclass(frozen=True, slots=True)
class _Made:
    """An entry of objects that makes something.

    Attributes:
        number: Its position in ``objects``.
        index: Position of its first document among those of the job.
        template: What ``templateFile`` says.
    """

    entry: Entry
    number: int
    index: int
    template: str
    manifests: Sequence[Manifest]


def workloads_of(job: JobAt) -> list[dict[str, Any]]:
    """The workloads of a job that creates; the commands and watchers of it are not in them."""
    made = list(_entries(job))
    if not made:
        job.note("it makes nothing, since it has no objects")
        return []
    made = _new(job, made)
    if not made:
        return []
    if job.job.incremental_load is not None:
        return list(_steps(job, made, job.job.incremental_load))
    if job.job.has_groups:
        return list(_groups(job, made))
    workload = {**_base(job, job.job.name), **_waits(job), **_what(job, made)}
    pause_s = job.job.job_pause + job.job.job_iteration_delay
    workload["waitWhenFinished"] = job.at(format_duration(pause_s), "jobPause")
    workload |= churn_of(job, [each.entry for each in made])
    if job.job.gc:
        workload["workloadCleanup"] = job.at(True, "gc")
    return [workload]


def leftovers_of(job: JobAt) -> list[dict[str, Any]]:
    """Workloads that delete what an earlier run of a job left, whosever it is."""
    labels = {f"{PREFIX}job": job.job.name}
    kinds = {("v1", "Namespace"): None}
    for each in _entries(job):
        for manifest in each.manifests:
            if manifest.kind and manifest.api_version and manifest.namespace:
                kinds.setdefault((manifest.api_version, manifest.kind))
    return [
        {
            "name": job.reading.name(job.job.name, "leftovers"),
            "operation": "delete",
            "kubeBurner": {"job": job.job.name, "helper": True},
            "iterationWait": True,
            **job.load(),
            "targets": _targets(api_version, kind, labels, of_run=False),
        }
        for api_version, kind in reversed(kinds)
    ]


def _targets(
    api_version: str, kind: str, labels: Mapping[str, object], *, of_run: bool
) -> dict[str, Any]:
    named = {"kind": kind, "apiVersion": api_version, "labelSelector": selector_text(labels)}
    return {**named, "ofRun": of_run, "optional": True}


def _entries(job: JobAt) -> Iterator[_Made]:
    index = 0
    for number, entry in enumerate(job.job.objects):
        path = template_path(job, entry.object_template, "objects", number, "objectTemplate")
        if path is None:
            continue
        if entry.replicas < 1:
            job.note(f"objects[{number}] is left out, since it has no replicas")
            continue
        manifests = manifests_of(job, path)
        yield _Made(entry, number, index, path, manifests)
        index += len(manifests)


def _new(job: JobAt, made: Sequence[_Made]) -> list[_Made]:
    """Those entries whose objects no entry before them has left."""
    new = []
    for each in made:
        names = names_of(job, each.entry, each.template, each.manifests)
        if names is None or not any(names.are_among(left) for left in job.reading.left_behind):
            new.append(each)
        else:
            job.note(
                f"objects[{each.number}] is left out, since earlier entries make all its objects "
                "(which exist already, there)"
            )
        leaves = not (job.job.gc or each.entry.group.gc or job.job.incremental_load)
        if names is not None and leaves:
            job.reading.left_behind.append(names)
    return new


def _base(job: JobAt, *name: object) -> dict[str, Any]:
    """What all workloads of a job that creates have."""
    own = job.job
    workload: dict[str, Any] = {
        "name": job.at(job.reading.name(*name), "name"),
        "iterationCount": job.at(own.job_iterations, "jobIterations"),
        "iterationInterval": job.at(format_duration(own.job_iteration_delay), "jobIterationDelay"),
        **job.load(),
        "namespaceLabels": job.at(dict(own.namespace_labels), "namespaceLabels"),
        "namespaceAnnotations": job.at(dict(own.namespace_annotations), "namespaceAnnotations"),
        "preloadImages": job.at(own.pre_load_images, "preLoadImages"),
        "kubeBurner": job.kube_burner(),
    }
    if own.namespace:
        namespace = own.namespace
        if len(namespace) > _LONGEST_NAMESPACE:
            namespace = namespace[:_CUT]
            job.note(f"the namespace is cut to {namespace}")
        workload["kubeBurner"]["namespace"] = job.at(namespace, "namespace")
    workload["namespacedIterations"] = job.at(own.namespaced_iterations, "namespacedIterations")
    if not own.namespaced_iterations:
        workload["numberedNamespaces"] = False
    elif own.iterations_per_namespace > 1:
        shared = job.at(own.iterations_per_namespace, "iterationsPerNamespace")
        workload["iterationsPerNamespace"] = shared
    return workload


def _waits(job: JobAt) -> dict[str, Any]:
    """What is waited for, and when."""
    if job.job.wait_when_finished:
        return {"workloadCreationWait": job.at(True, "waitWhenFinished")}
    if job.job.pod_wait:
        return {"iterationCreationWait": job.at(True, "podWait")}
    if job.job.churn_config.is_on:
        job.note("churn begins when all objects are ready, so they are waited for")
        return {"workloadCreationWait": job.at(True, "churnConfig")}
    return {}


def _what(job: JobAt, made: Sequence[_Made]) -> dict[str, Any]:
    """What is made, and the thresholds on it."""
    objects = [
        job.at(entry, "objects", each.number) for each in made for entry in _objects(job, each)
    ]
    thresholds = thresholds_of(job, [one for each in made for one in each.manifests])
    return {"objects": objects, **({"thresholds": thresholds} if thresholds else {})}


def _objects(job: JobAt, made: _Made) -> Iterator[dict[str, Any]]:
    """The entries of one of theirs: one for each replica where these differ in their kinds."""
    spec, entry = _object(job, made), made.entry
    texts = [variables_in(manifest.kind_text) for manifest in made.manifests]
    if entry.replicas == 1 or not any(REPLICA in (text or ()) for text in texts):
        yield spec
        return
    if entry.replicas > _MOST_KINDS:
        message = f"each of more than {_MOST_KINDS} replicas has a kind of its own"
        job.problem(f"{message}: give the entry fewer", "objects", made.number, "replicas")
        return
    for replica in range(1, entry.replicas + 1):
        yield {
            **spec,
            "replicas": 1,
            "kubeBurner": {**spec["kubeBurner"], "firstReplica": replica},
        }


def _object(job: JobAt, made: _Made) -> dict[str, Any]:
    entry, keys = made.entry, ("objects", made.number)
    spec: dict[str, Any] = {
        "templateFile": job.at(made.template, *keys, "objectTemplate"),
        "replicas": job.at(entry.replicas, *keys, "replicas"),
        "kubeBurner": {"index": made.index, "group": entry.group.id},
        "inputVars": job.at(dict(entry.input_vars), *keys, "inputVars"),
    }
    if entry.run_once:
        spec["once"] = job.at(True, *keys, "runOnce")
    if entry.repeat_every_n_iterations > 1:
        every = job.at(entry.repeat_every_n_iterations, *keys, "repeatEveryNIterations")
        spec["everyIterations"] = every
    elif once := once_of(job, entry, made.manifests):
        spec |= {key: job.at(value, *keys) for key, value in once.items()}
        spec["kubeBurner"]["countsAll"] = True
        job.note(
            f"objects[{made.number}] is made once where its names come again in later iterations "
            "(and exist already, there)"
        )
    if not entry.churn:
        spec["churn"] = job.at(False, *keys, "churn")
    if not entry.wait:
        spec["readyWhen"] = job.at("create", *keys, "wait")
    elif forms := forms_of(job, entry.wait_options, *keys, "waitOptions"):
        spec["readyWhen"] = job.at(forms, *keys, "waitOptions")
    if entry.wait_options.kind or entry.wait_options.label_selector:
        job.note("each object is waited for by its UID, whatever kind and labels waitOptions name")
    return spec


# -- groups -----------------------------------------------------------------------


def _groups(job: JobAt, made: Sequence[_Made]) -> Iterator[dict[str, Any]]:
    """Groups one after the other, each of which may delete some of what it made."""
    numbers = sorted({each.entry.group.id for each in made})
    for number in numbers:
        members = [each for each in made if each.entry.group.id == number]
        workload = {
            **_base(job, job.job.name, "group", number),
            **_waits(job),
            **_what(job, members),
        }
        before_s = max(each.entry.group.pause_before_gc for each in members)
        after_s = max(each.entry.group.pause_after_gc for each in members)
        if number == numbers[-1]:
            after_s += job.job.job_pause
        removals = list(_removals(job, members))
        pauses = [before_s, *([0.0] * len(removals))]
        pauses[-1] += after_s
        for each, pause_s in zip((workload, *removals), pauses, strict=True):
            each["waitWhenFinished"] = format_duration(pause_s)
            yield each


def _removals(job: JobAt, members: Sequence[_Made]) -> Iterator[dict[str, Any]]:
    for each in members:
        if not each.entry.group.gc:
            continue
        for document, manifest in enumerate(each.manifests):
            keys = ("objects", each.number, "group")
            if not (manifest.kind and manifest.api_version):
                message = "its kind is only known when it is rendered, and so not what to delete"
                job.problem(message, *keys, "gc")
                continue
            labels = {f"{PREFIX}job": job.job.name, f"{PREFIX}index": each.index + document}
            name = job.reading.name(job.job.name, "group", each.entry.group.id, "gc")
            yield {
                "name": name,
                "operation": "delete",
                **job.load(),
                "iterationWait": job.at(job.job.wait_for_deletion, "waitForDeletion"),
                "targets": job.at(
                    _targets(manifest.api_version, manifest.kind, labels, of_run=True), *keys
                ),
            }


# -- incremental load -------------------------------------------------------------


def _steps(job: JobAt, made: Sequence[_Made], load: IncrementalLoad) -> Iterator[dict[str, Any]]:
    """Each step creates everything anew, and deletes it."""
    keys, waits = ("incrementalLoad",), _waits(job)
    if not load.health_check_script:
        job.note("the cluster's health is not looked at between the steps of its incrementalLoad")
    for number, iterations in enumerate(steps_of(load, job.job.job_iterations), start=1):
        if number > _MOST_STEPS:
            job.problem(f"more than {_MOST_STEPS} steps: raise the size of a step", *keys)
            return
        workload = {
            **_base(job, job.job.name, "step", number),
            **waits,
            **_what(job, made),
            "iterationCount": job.at(iterations, *keys),
            "workloadCleanup": True,
            "waitWhenFinished": job.at(format_duration(load.step_delay), *keys, "stepDelay"),
        }
        if load.health_check_script:
            script = command(["/bin/sh", *load.health_check_script.split()], background=False)
            script["when"] = "afterReady" if waits else "afterWorkload"
            workload["hooks"] = [job.at(script, *keys, "healthCheckScript")]
        yield workload

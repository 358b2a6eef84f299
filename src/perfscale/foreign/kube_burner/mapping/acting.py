"""Jobs that do something to objects: delete, patch, read, and KubeVirt's operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.config import format_duration
from perfscale.foreign.kube_burner.mapping.context import group_version, selector_text
from perfscale.foreign.kube_burner.mapping.manifests import template_path
from perfscale.foreign.kube_burner.mapping.waits import forms_of
from perfscale.foreign.kube_burner.models.job import DELETE, KUBEVIRT, PATCH, READ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perfscale.foreign.kube_burner.mapping.context import JobAt
    from perfscale.foreign.kube_burner.models.objects import Entry

_OPERATIONS: Final = {DELETE: "delete", PATCH: "patch", READ: "get"}
_PATCH_TYPES: Final = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
_KUBEVIRT: Final = {
    "start": "start",
    "stop": "stop",
    "restart": "restart",
    "pause": "pause",
    "unpause": "unpause",
    "migrate": "migrate",
    "add-volume": "addVolume",
    "remove-volume": "removeVolume",
}
_CONDITION: Final = ("condition=Ready",)
_READY: Final = {
    "DataSource": _CONDITION,
    "DataVolume": _CONDITION,
    "Job": ("condition=Complete",),
    "PersistentVolumeClaim": ("jsonpath={.status.phase}=Bound",),
    "Pod": _CONDITION,
    "VirtualMachine": _CONDITION,
    "VirtualMachineInstance": _CONDITION,
    "VolumeSnapshot": ("jsonpath={.status.readyToUse}=true",),
}
"""What jobs that read wait for, where they say nothing of it."""
_MOST_WORKLOADS: Final = 500
_PAUSE: Final = "waitWhenFinished"
_TRUE: Final = (True, "true", 1)


def workloads_of(job: JobAt) -> list[dict[str, Any]]:
    """The workloads of a job that does something; its commands and watchers are not in them.

    One for each entry; where several take turns in each iteration, one for each turn.
    """
    if job.job.job_type == DELETE:
        job.reading.left_behind.clear()  # what its selectors mean, only the cluster knows
    if not job.job.objects:
        job.note("it does nothing, since it has no objects")
        return []
    iterations = 1 if job.job.job_type == DELETE else job.job.job_iterations
    if job.job.in_parallel or len(job.job.objects) == 1:
        turns = [(number, 0, iterations) for number in range(len(job.job.objects))]
    else:
        turns = [(n, turn, 1) for turn in range(iterations) for n in range(len(job.job.objects))]
    if len(turns) > _MOST_WORKLOADS:
        message = f"{len(turns)} turns of its entries are more than {_MOST_WORKLOADS}"
        job.problem(f"{message}: lower jobIterations, or give each entry a job", "jobIterations")
        return []
    workloads = [each for turn in turns if (each := _turn(job, *turn)) is not None]
    for each in workloads:
        pause_s = each[_PAUSE] + (job.job.job_pause if each is workloads[-1] else 0.0)
        each[_PAUSE] = job.at(format_duration(pause_s), "jobPause")
    return workloads


def _turn(job: JobAt, number: int, turn: int, iterations: int) -> dict[str, Any] | None:
    entry, keys = job.job.objects[number], ("objects", number)
    many = len(job.job.objects) > 1
    parts = [job.job.name, *([number + 1] if many else ()), *([turn + 1] if turn else ())]
    workload: dict[str, Any] = {
        "name": job.at(job.reading.name(*parts), "name"),
        **job.load(),
        "iterationCount": job.at(iterations, "jobIterations"),
        "kubeBurner": job.kube_burner(),
    }
    if turn:
        workload["kubeBurner"]["firstIteration"] = turn
    if not entry.label_selector:
        job.problem("an entry needs a labelSelector: without one it is for nothing", *keys)
        return None
    what = _operation(job, entry, keys)
    if what is None:
        return None
    workload |= what
    if not entry.wait and job.job.job_type in {DELETE, KUBEVIRT}:
        workload["doneWhenAnswered"] = job.at(True, *keys, "wait")
    workload["iterationWait"] = _waits(job, entry)
    workload[_PAUSE] = _pauses(job, number, iterations, workload)
    return workload


def _pauses(job: JobAt, number: int, iterations: int, workload: dict[str, Any]) -> float:
    """Set the pause between iterations; returns the one after the workload."""
    own = job.job
    if own.in_parallel:
        return 0.0
    pause_s = own.object_delay
    if iterations > 1:
        interval_s = own.object_delay + own.job_iteration_delay
        workload["iterationInterval"] = job.at(format_duration(interval_s), "jobIterationDelay")
    is_last_entry = number == len(own.objects) - 1
    if is_last_entry and own.job_type != DELETE:
        pause_s += own.job_iteration_delay
    return pause_s


def _waits(job: JobAt, entry: Entry) -> bool:
    own = job.job
    if not entry.wait:
        return False
    if own.job_type == DELETE:
        return own.wait_for_deletion or own.object_wait
    return own.in_parallel or own.object_wait or own.wait_when_finished


def _operation(job: JobAt, entry: Entry, keys: tuple[str | int, ...]) -> dict[str, Any] | None:
    """What is done, and to what."""
    if job.job.job_type == KUBEVIRT:
        return _kubevirt(job, entry, keys)
    operation = _OPERATIONS[job.job.job_type]
    if not entry.kind:
        job.problem("an entry of this job needs the kind that it is for", *keys)
        return None
    api_version = group_version(entry.api_version, "v1")
    changes = job.job.job_type != READ
    what: dict[str, Any] = {
        "operation": job.at(operation, "jobType"),
        "targets": _targets(job, entry, entry.kind, api_version, keys, changes=changes),
    }
    if job.job.job_type == PATCH:
        return _with_patch(job, entry, what, keys)
    if job.job.job_type == READ and _waits(job, entry):
        forms = forms_of(job, entry.wait_options, *keys, "waitOptions") or list(
            _READY.get(entry.kind, ())
        )
        if forms:
            what["doneWhen"] = job.at(forms, *keys)
    return what


def _targets(
    job: JobAt,
    entry: Entry,
    kind: str,
    api_version: str,
    keys: tuple[str | int, ...],
    *,
    changes: bool = True,
) -> Any:  # noqa: ANN401 - a part of a tree
    """What matches the selector: of this run, where that is changed and nobody said otherwise."""
    targets: dict[str, Any] = {
        "kind": job.at(kind, *keys, "kind"),
        "apiVersion": job.at(api_version, *keys, "apiVersion"),
        "labelSelector": job.at(selector_text(entry.label_selector), *keys, "labelSelector"),
        "optional": True,
    }
    if changes and not job.reading.inputs.allow_foreign:
        targets["ofRun"] = True
        job.reading.note(
            "jobs change what this run made, and nothing of others that matches a labelSelector "
            "(--allow-foreign)"
        )
    return job.at(targets, *keys)


def _with_patch(
    job: JobAt, entry: Entry, what: dict[str, Any], keys: tuple[str | int, ...]
) -> dict[str, Any] | None:
    kind = _PATCH_TYPES.get(entry.patch_type)
    if kind is None:
        known = ", ".join(_PATCH_TYPES)
        job.problem(f"patchType has to be one of {known}", *keys, "patchType")
        return None
    path = template_path(job, entry.object_template, *keys, "objectTemplate")
    if path is None:
        return None
    patch = {
        "type": job.at(kind, *keys, "patchType"),
        "templateFile": job.at(path, *keys, "objectTemplate"),
        "inputVars": job.at(dict(entry.input_vars), *keys, "inputVars"),
    }
    what["patch"] = job.at(patch, *keys)
    if entry.wait and (forms := forms_of(job, entry.wait_options, *keys, "waitOptions")):
        what["doneWhen"] = job.at(forms, *keys, "waitOptions")
    return what


# -- KubeVirt -----------------------------------------------------------------------


def _kubevirt(job: JobAt, entry: Entry, keys: tuple[str | int, ...]) -> dict[str, Any] | None:
    operation = _KUBEVIRT.get(entry.kube_virt_op)
    if operation is None:
        known = ", ".join(_KUBEVIRT)
        job.problem(f"kubeVirtOp has to be one of {known}", *keys, "kubeVirtOp")
        return None
    find = _OPTIONS.get(entry.kube_virt_op)
    options = find(job, entry, keys) if find else {}
    if options is None:
        return None
    if entry.wait_options.custom_status_paths:
        job.note("KubeVirt's operations are done by what they do to the instance, not waitOptions")
    on_instance = entry.kube_virt_op.endswith("-volume") and not _is_set(entry, "persist")
    kind = "VirtualMachineInstance" if on_instance else entry.kind or "VirtualMachine"
    api_version = group_version(entry.api_version, "kubevirt.io/v1")
    return {
        "operation": job.at(operation, *keys, "kubeVirtOp"),
        "targets": _targets(job, entry, kind, api_version, keys),
        **options,
    }


def _is_set(entry: Entry, name: str) -> bool:
    value = entry.input_vars.get(name)
    return any(value is each or value == each for each in _TRUE)


def _start(job: JobAt, entry: Entry, keys: tuple[str | int, ...]) -> dict[str, Any]:
    if not _is_set(entry, "startPaused"):
        return {}
    return {"paused": job.at(True, *keys, "inputVars", "startPaused")}


def _without_grace(job: JobAt, entry: Entry, keys: tuple[str | int, ...]) -> dict[str, Any]:
    if not _is_set(entry, "force"):
        return {}
    return {"gracePeriod": job.at("0s", *keys, "inputVars", "force")}


def _volume(job: JobAt, entry: Entry, keys: tuple[str | int, ...]) -> dict[str, Any] | None:
    given: Mapping[str, Any] = entry.input_vars
    name = given.get("volumeName")
    if not isinstance(name, str) or not name:
        job.problem("inputVars needs the volumeName", *keys)
        return None
    volume: dict[str, Any] = {"name": name}
    if entry.kube_virt_op == "add-volume":
        disk: dict[str, Any] = {str(given.get("diskType") or "disk"): {"bus": "scsi"}}
        disk["serial"] = given.get("serial") or name
        if given.get("cache"):
            disk["cache"] = given["cache"]
        volume["disk"] = disk
        # A DataVolume has a claim of its own name.
        volume["volumeSource"] = {"persistentVolumeClaim": {"claimName": name}}
    return {"volume": job.at(volume, *keys, "inputVars")}


_OPTIONS: Final[Mapping[str, Callable[[JobAt, Entry, tuple[str | int, ...]], Any]]] = {
    "start": _start,
    "stop": _without_grace,
    "restart": _without_grace,
    "add-volume": _volume,
    "remove-volume": _volume,
}

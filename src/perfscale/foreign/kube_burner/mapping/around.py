"""What goes on beside a job: its commands, and its watchers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from perfscale.foreign.kube_burner.mapping.context import group_version, is_file, selector_text
from perfscale.foreign.kube_burner.models.job import CREATE, OBJECTS

if TYPE_CHECKING:
    from perfscale.foreign.kube_burner.mapping.context import JobAt
    from perfscale.foreign.kube_burner.mapping.placed import At

_LONG: Final = "24h"
"""Commands have no bound there."""
_BEFORE: Final = "beforeWorkload"
_AFTER: Final = "afterWorkload"
_NEVER: Final = "never"


@dataclass(slots=True)
class Moments:
    """The commands of a job, by where they go: into its first workload, its last, all, the run."""

    first: list[At] = field(default_factory=list)
    last: list[At] = field(default_factory=list)
    every: list[At] = field(default_factory=list)


def moments_of(job: JobAt) -> Moments:
    """The commands of a job, at our moments."""
    moments = Moments()
    places = {
        "first": moments.first,
        "last": moments.last,
        "every": moments.every,
        "run": job.reading.run_hooks,
    }
    for number, hook in enumerate(job.job.hooks):
        keys = ("hooks", number)
        if not hook.cmd:
            job.problem("a hook needs its command: cmd: [command, argument]", *keys)
            continue
        place, moment = _place_of(job, hook.when)
        if place in places:
            entry = command(list(hook.cmd), background=hook.background)
            places[place].append(job.at({"when": moment, **entry}, *keys))
        elif place == _NEVER:
            job.note(f"the moment {hook.when} of a hook never comes, there either")
        else:
            job.problem("there is no such moment here but after the last job", *keys, "when")
    return moments


def _place_of(job: JobAt, when: str) -> tuple[str, str]:
    """Where a command goes, and our moment for it."""
    own = job.job
    if when in {"beforeJobExecution", "afterJobExecution", "beforeCleanup"}:
        usual = ("first", _BEFORE) if when == "beforeJobExecution" else ("last", _AFTER)
    else:
        usual = (_NEVER, "")
    return _of_creating(job, when) or usual if own.job_type == CREATE else usual


def _of_creating(job: JobAt, when: str) -> tuple[str, str] | None:
    """The moments that jobs which create have alone; None where there is no other than usual."""
    own = job.job
    if own.churn_config.is_on:
        if when in {"afterJobExecution", "beforeChurn"}:
            return "last", "afterReady"
        if when == "afterChurn" and own.churn_config.mode == OBJECTS:
            return "last", _AFTER
    if when == "onEachIteration":
        return "every", "beforeIteration"
    if when in {"beforeGC", "afterGC"} and own.cleanup:
        return "run", "beforeRun"
    if when == "afterCleanup" and own.gc:
        return ("run", "afterRun") if job.is_last else ("", "")
    return None


def command(words: list[str], *, background: bool) -> dict[str, Any]:
    """A hook of ours that runs a command of theirs, without its moment."""
    name = words[0]
    if "/" not in name and is_file(Path(name)):
        words = [f"./{name}", *words[1:]]
    return {"run": words, "background": True} if background else {"run": words, "timeout": _LONG}


def watchers_of(job: JobAt, until: str) -> list[At]:
    """Workloads that watch beside a job, until its last workload is over."""
    workloads = []
    for number, each in enumerate(job.job.watchers):
        keys = ("watchers", number)
        if not each.kind:
            job.problem("a watcher needs the kind that it watches", *keys)
            continue
        targets = {"kind": each.kind, "apiVersion": group_version(each.api_version, "v1")}
        if each.label_selector:
            targets["labelSelector"] = selector_text(each.label_selector)
        workload = {
            "name": job.reading.name(job.job.name, "watcher", number + 1),
            "operation": "watch",
            "background": True,
            "until": until,
            "kubeBurner": {"job": job.job.name, "helper": True},
            "streams": job.at(max(1, each.replicas), *keys, "replicas"),
            "targets": targets,
        }
        workloads.append(job.at(workload, *keys))
    return workloads

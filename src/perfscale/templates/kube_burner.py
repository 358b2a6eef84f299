"""Templates of kube-burner's jobs: the variables that they see, and the labels of their objects.

https://kube-burner.github.io/kube-burner/latest/reference/configuration/#default-labels
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from perfscale.config.sections.kube_burner import (
    KubeBurnerJob,
    KubeBurnerObject,
    job_labels,
    object_labels,
)
from perfscale.errors import Problem, TemplateError
from perfscale.templates.gotemplate import parse
from perfscale.templates.source import is_inside, read_template
from perfscale.templates.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perfscale.config import Config, ObjectSpec, Workload
    from perfscale.templates.gotemplate import Settings
    from perfscale.templates.gotemplate.template import GoTemplate
    from perfscale.templates.manifests.documents import JSON

OUTSIDE: Final = (
    "this is outside of the workload file's folder, and functions are read only from there: "
    "copy it there"
)
_LABELLED: Final = frozenset(
    {"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "VirtualMachine"}
)
"""Kinds whose labels that program copies into their template; not Job, nor sets of instances."""


class JobVariables(Variables):
    """The variables of an entry of a job, as kube-burner's templates name them."""

    replica_name = "Replica"
    changing = frozenset({"Iteration", "Replica"})

    def __init__(
        self, workload: Workload, spec: ObjectSpec, job: KubeBurnerJob, run_id: str
    ) -> None:
        self._workload = workload
        self._spec = spec
        self._first = job.first_iteration
        entry = spec.kube_burner or KubeBurnerObject()
        self._first_replica = entry.first_replica
        self._every = 1 if entry.counts_all else spec.every_iterations
        self.fixed = {**job_variables(job, run_id), **spec.input_vars}
        self.names = tuple(sorted({*self.fixed, "Iteration", "Replica"}))

    def of(self, iteration: int, replica: int) -> dict[str, Any]:
        """Every variable of one object; both numbers are counted from 1.

        In the template iterations count from 0, and as a rule only those that have the entry.
        """
        number = self._first + (iteration - 1) // self._every
        return {"Iteration": number, "Replica": self._first_replica + replica - 1, **self.fixed}

    def _untidy_prefix(self) -> str:
        """None: what that program renders is left as it is."""
        return ""


def parse_job_template(
    config: Config, job: KubeBurnerJob, path: Path, text: str, settings: Settings
) -> GoTemplate:
    """Parse a template of a job, with the files of its functions.

    Raises:
        TemplateError: It is not in Go's template language, or one of those files is not there or
            outside of the workload file's folder: its text could get into objects and messages.
    """
    if job.missing_keys_are_zero:
        settings = replace(settings, missing="zero")
    folder = config.source.directory
    libraries = []
    for name in job.function_templates:
        file = str(folder / name)
        if not is_inside(folder, name):
            raise TemplateError([Problem(OUTSIDE, file)])
        libraries.append(parse(read_template(folder / name), file=file, settings=settings))
    return parse(text, file=str(path), settings=settings, defines=libraries)


def way_to_zero(job: KubeBurnerJob | None, where: str) -> str:
    """Return what makes it no error that nobody defines a variable; empty where nothing does.

    Args:
        job: What uses the variable; None where it is no job.
        where: The entry that does, as in ``jobs[0].objects[1]``.
    """
    if job is None:
        return ""
    top = where.partition(".")[0]
    if top.startswith("jobs["):
        return f"defaultMissingKeysWithZero: true in {top}"
    return f"missingKeysAreZero: true in {top}.kubeBurner"


def job_variables(job: KubeBurnerJob, run_id: str) -> dict[str, Any]:
    """Return the variables that all templates of a job have, patches too."""
    return {"JobName": job.job, "UUID": run_id, "RunID": run_id}


class JobLabels:
    """Puts kube-burner's labels into the objects of an entry."""

    def __init__(self, job: KubeBurnerJob, entry: KubeBurnerObject | None, run_id: str) -> None:
        self._of_job = job_labels(job.job, run_id)
        self._entry = entry or KubeBurnerObject()

    def add(self, documents: Sequence[JSON], iteration: int, replica: int) -> None:
        """Label the objects of one replica; both numbers are counted from 1."""
        for number, document in enumerate(documents):
            own = document["metadata"].get("labels") or {}
            of_object = object_labels(self._entry, number, iteration, replica)
            labels = {**self._of_job, **of_object, **own}
            document["metadata"] = {**document["metadata"], "labels": labels}
            if document["kind"] in _LABELLED:
                _copy(document, labels)


def _copy(document: JSON, labels: Mapping[str, str]) -> None:
    """Put an object's labels where that program copies them to."""
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return
    spec = document["spec"] = dict(spec)  # through an alias it may be shared
    if isinstance(spec.get("template"), dict):
        spec["template"] = _labelled(spec["template"], labels)
    selector = spec.get("selector")
    if document["kind"] == "StatefulSet" and isinstance(selector, dict):
        spec["selector"] = {
            **selector,
            "matchLabels": {**(selector.get("matchLabels") or {}), **labels},
        }
    volumes = spec.get("dataVolumeTemplates")
    if document["kind"] == "VirtualMachine" and isinstance(volumes, list):
        spec["dataVolumeTemplates"] = [
            _labelled(each, labels) if isinstance(each, dict) else each for each in volumes
        ]


def _labelled(template: JSON, labels: Mapping[str, str]) -> JSON:
    metadata = template.get("metadata") or {}
    own = metadata.get("labels") or {}
    return {**template, "metadata": {**metadata, "labels": {**own, **labels}}}

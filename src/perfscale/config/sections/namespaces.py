"""The namespaces of a workload: which there are, and what they carry beside the run's labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, ValidationError, ValidationInfo, WithJsonSchema

from perfscale.config.labels import ITERATION_LABEL, RUN_LABEL, SHARD_LABEL, WORKLOAD_LABEL
from perfscale.config.sections.fields import (
    detail,
    empty_is_default,
    label_problem,
    refusal,
    rule,
    show,
    usable_label,
)
from perfscale.config.sections.kube_burner import job_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import PydanticCustomError

    from perfscale.config.sections.objects import ObjectSpec
    from perfscale.config.sections.workload import Workload

_RESERVED: Final = (RUN_LABEL, WORKLOAD_LABEL, ITERATION_LABEL, SHARD_LABEL)
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_NAME: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY: Final = re.compile(rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}")
_VALUE: Final = re.compile(rf"({_NAME})?")
_MOST_CHARACTERS: Final = 256 * 1024
"""Of all annotations of an object:
https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/"""


def _texts(value: object, problem: Callable[[str, str], str | None]) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise refusal("mapping", "a mapping of keys to texts", value)
    wrong = []
    for key, text in value.items():
        error: PydanticCustomError | None = None
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            message = f"{show(key)} is no key of a label or an annotation: letters, digits, dashes"
            error = rule(f"{message}, dots and a prefix before a slash", at_key=True)
        elif not isinstance(text, str):
            error = refusal("text", "a text: write it in quotes", text)
        elif why := problem(key, text):
            error = rule(why)
        if error is not None:
            wrong.append(detail(error, (str(key),), text))
    if wrong:
        raise ValidationError.from_exception_data("texts", wrong)
    return dict(value)


def _label_problem(key: str, value: str) -> str | None:
    if key in _RESERVED:
        return f"{key} is the run's own label, by which its objects are found: remove this key"
    if not _VALUE.fullmatch(value):
        return (
            f"{show(value)} is no value of a label: at most 63 letters, digits, dashes, "
            "underscores and dots, with a letter or digit at both ends"
        )
    return None


def _annotation_problem(_: str, value: str) -> str | None:
    if len(value.encode()) > _MOST_CHARACTERS:
        return f"the annotation is longer than {_MOST_CHARACTERS} bytes, and would be refused"
    return None


_SCHEMA: Final[dict[str, Any]] = {"type": "object", "additionalProperties": {"type": "string"}}

NamespaceLabels = Annotated[
    Mapping[str, str],
    BeforeValidator(lambda value: _texts(value, _label_problem)),
    BeforeValidator(empty_is_default),
    WithJsonSchema(_SCHEMA),
]
NamespaceAnnotations = Annotated[
    Mapping[str, str],
    BeforeValidator(lambda value: _texts(value, _annotation_problem)),
    BeforeValidator(empty_is_default),
    WithJsonSchema(_SCHEMA),
]


def namespace_number(given: Mapping[str, Any], iteration: int) -> int:
    """Return the number of the namespace that an iteration uses.

    Iterations are counted from 1, and so are namespaces, from 0 in a job of kube-burner.
    """
    first = 1 if given.get("kube_burner") is None else 0
    if not given.get("namespaced_iterations"):
        return first
    shared: int = given.get("iterations_per_namespace", 1)
    return (iteration - 1) // shared + first


def check_namespace(spec: ObjectSpec, info: ValidationInfo) -> ObjectSpec:
    """Refuse an object whose namespace Kubernetes would refuse in the last iteration."""
    job = info.data.get("kube_burner")
    given = job.namespace if job is not None else spec.input_vars.get("namespace")
    prefix = given or info.data.get("name")
    if prefix is None:  # the name is wrong itself, and that is reported
        return spec
    iterations, churn = info.data.get("iteration_count", 1), info.data.get("churn")
    last = namespace_number(info.data, churn.last_iteration(iterations) if churn else iterations)
    namespace = f"{prefix}-{last}" if info.data.get("numbered_namespaces", True) else prefix
    if problem := label_problem(namespace):
        usable = usable_label(prefix)
        hint = f": write {usable}" if usable not in ("", prefix) else ""
        if prefix == info.data.get("name"):  # which is fine by itself, so this is too long
            hint = ": shorten the workload's name, or set inputVars.namespace"
        error = rule(
            f"the namespace {show(namespace)} cannot be created: it {problem}{hint}",
            against=(("name",), ("iterationCount",), ("namespacedIterations",)),
        )
        path = ("inputVars", "namespace")
        raise ValidationError.from_exception_data("namespace", [detail(error, path, prefix)])
    return spec


def namespace_manifest(
    name: str, workload: Workload, run_labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return the manifest of a namespace that a workload needs."""
    job = workload.kube_burner
    of_job = job_labels(job.job, run_labels[RUN_LABEL]) if job is not None else {}
    metadata: dict[str, Any] = {
        "name": name,
        "labels": {**of_job, **workload.namespace_labels, **run_labels},
    }
    if workload.namespace_annotations:
        metadata["annotations"] = dict(workload.namespace_annotations)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}

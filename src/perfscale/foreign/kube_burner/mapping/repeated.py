"""Objects whose names come again, of which that program makes the first alone.

A create that is answered with ``AlreadyExists`` counts as done there. Here each object that is
asked for has to become ready, so that what would only be answered so is not asked for.
https://github.com/kube-burner/kube-burner/blob/main/pkg/burner/create.go
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from perfscale.templates.scopes import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.foreign.kube_burner.mapping.context import JobAt
    from perfscale.foreign.kube_burner.mapping.manifests import Manifest
    from perfscale.foreign.kube_burner.models.objects import Entry

_Place: TypeAlias = tuple[object, ...]

_ACTION: Final = re.compile(r"\{\{-?(.*?)-?\}\}")
_STRING: Final = re.compile(r'"[^"]*"|`[^`]*`')
_FIELD: Final = re.compile(r"(?<![\w.)])\.([A-Za-z_]\w*)(?:\.\w+)*")
_PURE: Final = frozenset(
    {
        *("add", "add1", "default", "div", "int", "int64", "lower", "mod", "mul", "print"),
        *("printf", "quote", "replace", "sub", "toString", "trunc", "upper"),
    }
)
"""Functions that give the same for the same arguments."""
_LONGEST: Final = 1000
"""Characters: no name is made of more, and searching them takes time by their square."""
ITERATION, REPLICA, JOB_NAME = "Iteration", "Replica", "JobName"


def variables_in(text: str) -> frozenset[str] | None:
    """The variables that a piece of a template depends on; None where that is not to be seen."""
    if len(text) > _LONGEST:
        return None
    found: set[str] = set()
    for action in _ACTION.findall(text):
        bare = _STRING.sub(" ", action)
        found.update(_FIELD.findall(bare))
        rest = _FIELD.sub(" ", bare)
        words = re.findall(r"[A-Za-z_]\w*", rest)
        if not _PURE.issuperset(words) or re.search(r"[$.]", rest):
            return None
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of an entry's objects, as far as they can be compared with another entry's.

    Attributes:
        places: What their names and namespaces are made of; entries with equal ones make objects
            of the same names, as far as their numbers go.
        iterations: How many have the entry.
        replicas: In each.
    """

    places: _Place
    iterations: int
    replicas: int

    def are_among(self, earlier: Names) -> bool:
        """Whether each of them is one of another entry's, which came before."""
        return (
            self.places == earlier.places
            and self.iterations <= earlier.iterations
            and self.replicas <= earlier.replicas
        )


def names_of(
    job: JobAt, entry: Entry, template: str, manifests: Sequence[Manifest]
) -> Names | None:
    """What an entry's objects are called; None where that is not to be seen."""
    own, used = job.job, frozenset[str]()
    for manifest in manifests:
        parts = [variables_in(text) for text in (manifest.name, manifest.namespace_text)]
        if not manifest.name or None in parts:
            return None
        used = used.union(*filter(None, parts))
    if used & {"UUID", "RunID"} - entry.input_vars.keys() or entry.repeat_every_n_iterations > 1:
        return None
    values: list[tuple[str, Any]] = [
        (name, repr(entry.input_vars[name])) for name in sorted(used & entry.input_vars.keys())
    ]
    if JOB_NAME in used - entry.input_vars.keys():
        values.append((JOB_NAME, own.name))
    spread = (own.namespace, own.namespaced_iterations, own.iterations_per_namespace)
    iterations = 1 if entry.run_once else own.job_iterations
    return Names((template, spread, *values), iterations, entry.replicas)


def once_of(job: JobAt, entry: Entry, manifests: Sequence[Manifest]) -> dict[str, Any]:
    """Keys by which an entry comes once where its names come again; none where they do not."""
    strides = {_stride(job, entry, manifest) for manifest in manifests}
    if job.job.job_iterations == 1 or entry.run_once or entry.repeat_every_n_iterations > 1:
        return {}
    if len(strides) != 1 or (stride := strides.pop()) == 1:
        return {}
    if stride is None:
        return {"once": True}
    return {"everyIterations": stride}


def _stride(job: JobAt, entry: Entry, manifest: Manifest) -> int | None:
    """In how many iterations after another an object has one name; None for all of them."""
    texts = [manifest.name, manifest.namespace_text]
    used = [variables_in(text) for text in texts]
    if not manifest.name or any(
        each is None or ITERATION in each - entry.input_vars.keys() for each in used
    ):
        return 1
    own = job.job
    is_apart = manifest.namespace_text or is_cluster_scoped(manifest.api_version, manifest.kind)
    return None if is_apart or not own.namespaced_iterations else own.iterations_per_namespace

"""What marks a workload as a job of kube-burner, or as a part of one.

Its templates are in Go's language and see that program's variables, iterations count from 0 in
them and in the names of namespaces, and objects carry that program's labels beside the run's own:
later jobs, services and policies select by them.
https://kube-burner.github.io/kube-burner/latest/reference/configuration/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from perfscale.config.sections.audit import as_address
from perfscale.config.sections.fields import MAX_COUNT, Flag, Text, choice, list_of, whole
from perfscale.config.sections.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "kube-burner.io/"
"""What the keys of that program's labels begin with."""

KUBE_BURNER: Final = "kube-burner"
DEFAULT_INDEX: Final = "kube-burner"

_Number = Annotated[int, *whole(0, MAX_COUNT)]


class KubeBurnerJob(Section):
    """The job that a workload is, or is a part of."""

    called: ClassVar[str] = (
        "a mapping (job, helper, namespace, functionTemplates, missingKeysAreZero)"
    )

    job: Text = Field(description="Name of the job: the variable JobName, and a label.")
    helper: Flag = Field(
        default=False,
        description="It only helps the job, as one that watches beside it: it is not reported.",
    )
    namespace: Text | None = Field(
        default=None,
        description="What the names of namespaces begin with; without it the workload's name.",
    )
    first_iteration: _Number = Field(
        default=0, description="The number of the first iteration, as templates see it."
    )
    missing_keys_are_zero: Flag = Field(
        default=False, description="A variable that nobody defines is no error in templates."
    )
    function_templates: Annotated[
        tuple[Text, ...], list_of("paths of files", may_be_empty=True)
    ] = Field(default=(), description="Files with define blocks that the templates use.")


class KubeBurnerObject(Section):
    """Where an entry of objects stands in its job."""

    called: ClassVar[str] = "a mapping (index, group, countsAll, firstReplica)"

    index: _Number = Field(
        default=0, description="Position of its first document among those of the job, from 0."
    )
    group: _Number = Field(default=0, description="The group of the job that it belongs to.")
    counts_all: Flag = Field(
        default=False,
        description=(
            "With everyIterations, templates see the number of the iteration among all, and not "
            "among those that have the entry."
        ),
    )
    first_replica: Annotated[int, *whole(1, MAX_COUNT)] = Field(
        default=1, description="The number of the first replica, as templates see it."
    )


class IndexConfig(Section):
    """Where documents of a run are sent, as ``--index`` says it."""

    called: ClassVar[str] = "a mapping (url, name, verifyTLS)"

    url: Annotated[str, BeforeValidator(as_address), WithJsonSchema({"type": "string"})] = Field(
        description="An OpenSearch or Elasticsearch, as in https://search.example:9200."
    )
    name: Text = Field(default=DEFAULT_INDEX, description="The index that documents go to.")
    verify_tls: Flag = Field(
        default=True, alias="verifyTLS", description="Whether its certificate is checked."
    )


Export = Annotated[str, *choice(KUBE_BURNER)]
"""A tool in whose form results are written too."""


def job_labels(job: str, run_id: str) -> dict[str, str]:
    """Return the labels of that program which all objects of a job carry, and its namespaces."""
    return {f"{PREFIX}job": job, f"{PREFIX}uuid": run_id, f"{PREFIX}runid": run_id}


def object_labels(
    entry: KubeBurnerObject, document: int, iteration: int, replica: int
) -> Mapping[str, str]:
    """Return the labels of that program which tell the objects of a job apart.

    Args:
        entry: Of the object.
        document: Position of the object in its template, counted from 0.
        iteration: Counted from 1, as everywhere here; from 0 in the label.
        replica: Of the entry, counted from 1.
    """
    return {
        f"{PREFIX}index": str(entry.index + document),
        f"{PREFIX}job-iteration": str(iteration - 1),
        f"{PREFIX}replica": str(entry.first_replica + replica - 1),
        f"{PREFIX}group": str(entry.group),
    }

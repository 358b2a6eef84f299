"""From (iteration, replica) to the objects that one template gives."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from perfscale.errors import Problem, TemplateError
from perfscale.templates.compiled.forms import EntryForm, compile_entry
from perfscale.templates.compiled.objects import ObjectRequest, ReplicaForm, compile_iteration
from perfscale.templates.kube_burner import JobLabels
from perfscale.templates.manifests.checks import add_labels
from perfscale.templates.manifests.nested import images_in, kinds_made, kinds_that_stay

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perfscale.config import ObjectSpec, Workload
    from perfscale.templates.manifests.documents import JSON
    from perfscale.templates.manifests.rendered import Manifests

WORTH_COMPILING = 8
"""Replicas: to compile an iteration costs what some six of them cost to render."""


class ObjectFactory:
    """Makes the objects of one entry of ``objects``.

    Attributes:
        workload: The workload that the entry belongs to.
        spec: The entry.
        path: The template file.
        kinds: ``(apiVersion, kind)`` of each document, in the template's order;
            the same for every replica.
        manifests: The template, with its variables.
    """

    def __init__(
        self,
        workload: Workload,
        spec: ObjectSpec,
        path: Path,
        manifests: Manifests,
        kinds: tuple[tuple[str, str], ...],
    ) -> None:
        self.workload = workload
        self.spec = spec
        self.path = path
        self.kinds = kinds
        self.manifests = manifests
        job = workload.kube_burner
        self._job_labels = (
            None if job is None else JobLabels(job, spec.kube_burner, manifests.run_id)
        )
        self._compiled: tuple[int, list[ReplicaForm] | EntryForm | None] = (0, None)

    def namespace(self, iteration: int) -> str:
        """Where an object goes that names no namespace (iterations count from 1)."""
        return self.manifests.variables.namespace(iteration)

    def render(self, iteration: int, replica: int) -> tuple[ObjectRequest, ...]:
        """The objects of one replica, one for each of ``kinds``, labelled and ready to send.

        Both numbers are counted from 1.

        Raises:
            TemplateError: The template fails for these numbers, or gives other
                kinds than for the first replica.
        """
        form = self._form(iteration)
        if isinstance(form, list):
            digits = str(replica)
            return tuple([each.fill(digits) for each in form])
        requests = form.fill(self, iteration, replica) if form is not None else None
        return self.render_slowly(iteration, replica) if requests is None else requests

    def _form(self, iteration: int) -> list[ReplicaForm] | EntryForm | None:
        """What the objects of an iteration are put together from."""
        if self.spec.replicas < WORTH_COMPILING:
            return self._entry_form
        if self._compiled[0] != iteration:
            form = compile_iteration(self, iteration) or self._entry_form
            self._compiled = (iteration, form or compile_entry(self, iteration))
        return self._compiled[1]

    @cached_property
    def _entry_form(self) -> EntryForm | None:
        count = self.workload.iteration_count * self.spec.replicas
        return compile_entry(self) if count >= WORTH_COMPILING else None

    def render_slowly(self, iteration: int, replica: int) -> tuple[ObjectRequest, ...]:
        """What `render` returns and raises, with every replica rendered and parsed."""
        return tuple(
            self._request(document, iteration, replica)
            for document in self.documents(iteration, replica)
        )

    def documents(self, iteration: int, replica: int) -> list[JSON]:
        """The manifests of one replica, with the run's labels in them; raises as `render` does."""
        return self._labelled(self.manifests.documents(iteration, replica), iteration, replica)

    def documents_of(self, text: str, iteration: int, replica: int) -> list[JSON]:
        """The manifests in a rendered text, labelled as those of a replica.

        Raises:
            TemplateError: There are none, one has a flaw, or they have other kinds.
        """
        return self._labelled(self.manifests.read(text, iteration), iteration, replica)

    def _labelled(self, documents: list[JSON], iteration: int, replica: int) -> list[JSON]:
        kinds = kinds_of(documents)
        if kinds != self.kinds:
            raise TemplateError([self._other_kinds(kinds, iteration, replica)])
        if self._job_labels is not None:
            self._job_labels.add(documents, iteration, replica)
        labels = self.manifests.labels(iteration)
        for document in documents:
            add_labels(document, labels)
        return documents

    def children(self) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
        """What controllers make of the objects, by their templates: kinds by kind of ``kinds``.

        Raises as `render` does.
        """
        made: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
        for key, document in zip(self.kinds, self.documents(1, 1), strict=True):
            made.setdefault(key, {}).update(dict.fromkeys(kinds_made(document)))
        return {key: tuple(kinds) for key, kinds in made.items()}

    def staying(self) -> set[tuple[str, str]]:
        """Which of them stay when what they were made for is deleted. Raises as `render` does."""
        return {key for document in self.documents(1, 1) for key in kinds_that_stay(document)}

    def images(self) -> list[str]:
        """The images that the manifests name, of containers and of disks. Raises as `render`."""
        return [image for document in self.documents(1, 1) for image in images_in(document)]

    def _request(self, document: JSON, iteration: int, replica: int) -> ObjectRequest:
        metadata = document["metadata"]
        try:
            body = msgspec.json.encode(document)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            message = f"cannot be sent as JSON: {error} (iteration {iteration}, replica {replica})"
            raise TemplateError([Problem(message, str(self.path))]) from error
        return ObjectRequest(
            document["apiVersion"],
            document["kind"],
            metadata.get("namespace"),
            metadata["name"],
            body,
        )

    def _other_kinds(
        self, kinds: tuple[tuple[str, str], ...], iteration: int, replica: int
    ) -> Problem:
        return Problem(
            f"renders to {_listed(kinds)} for iteration {iteration}, replica {replica}, but to "
            f"{_listed(self.kinds)} for the first: the kinds must be the same for every replica",
            str(self.path),
            1,
        )


def kinds_of(documents: Sequence[JSON]) -> tuple[tuple[str, str], ...]:
    """``(apiVersion, kind)`` of each manifest."""
    return tuple((document["apiVersion"], document["kind"]) for document in documents)


def _listed(kinds: Sequence[tuple[str, str]]) -> str:
    return ", ".join(kind for _, kind in kinds)

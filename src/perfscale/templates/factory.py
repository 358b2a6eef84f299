"""From (iteration, replica) to the objects that one template gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perfscale.config.labels import run_labels
from perfscale.errors import Problem, TemplateError
from perfscale.templates.compiled import ReplicaForms, compile_iteration
from perfscale.templates.documents import BadYamlError, Places, load_documents
from perfscale.templates.manifest import add_labels, find_flaws, find_unsendable
from perfscale.templates.nested import kinds_made, kinds_that_stay
from perfscale.templates.request import ObjectRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perfscale.config import ObjectSpec, Workload
    from perfscale.templates.documents import JSON
    from perfscale.templates.source import Source
    from perfscale.templates.variables import Variables

# To compile an iteration costs what some six replicas cost to render
_WORTH_COMPILING = 8
NOT_SHOWN = (
    "this is no template of manifests; what is wrong is not said, because the file is in "
    "another folder than the workload file: copy it there to see"
)
_AROUND = 2  # rendered lines shown above and below the one that is wrong


class Manifests:
    """One template with the variables of one ``objects`` entry: numbers in, manifests out.

    Nothing beyond it and ``compiled`` knows that there is text in between.

    Args:
        source: The template.
        variables: Those of the entry.
        run_id: The run's id.
        workload: The name of the workload.
        foreign: Whether the file is from elsewhere than the workload's folder. Then
            errors do not show its text: ``templateFile`` may name any file there is.
    """

    def __init__(
        self,
        source: Source,
        variables: Variables,
        run_id: str,
        workload: str,
        *,
        foreign: bool = False,
    ) -> None:
        self.source = source
        self.variables = variables
        self._run_id = run_id
        self._workload = workload
        self._foreign = foreign

    def labels(self, iteration: int) -> dict[str, str]:
        """The run's labels for the objects of an iteration."""
        return run_labels(self._run_id, self._workload, iteration)

    def documents(self, iteration: int, replica: int) -> list[JSON]:
        """The manifests, without the run's labels.

        Raises:
            TemplateError: It does not render, or not to manifests.
        """
        text = self._text(iteration, replica)
        labels = self.labels(iteration)
        try:
            documents = load_documents(text)
        except BadYamlError:
            documents = []
        manifests = [document for document in documents if isinstance(document, dict)]
        flawed = len(manifests) < len(documents) or any(
            next(find_flaws(manifest, labels), None) is not None for manifest in manifests
        )
        if flawed or not manifests:
            raise TemplateError(self.inspect(iteration, replica))
        return manifests

    def inspect(self, iteration: int, replica: int) -> list[Problem]:
        """Everything that is wrong with what one replica renders to.

        Slower than ``documents``, and more thorough: it also finds keys that
        stand twice, and what JSON cannot hold.
        """
        try:
            text = self._text(iteration, replica)
        except TemplateError as error:
            return list(error.problems)
        documents: list[object] = []
        try:
            documents = load_documents(text)
        except BadYamlError as error:
            findings = [(error.finding.line, error.finding.message)]
        else:
            findings = self._findings(text, documents, iteration)
        if not findings:
            return []
        if self._foreign and not all(map(_is_manifest, documents or [None])):
            return [Problem(NOT_SHOWN, self.source.file, 1)]
        lines = self.source.lines(self.variables.of(iteration, replica))
        numbers = f"    (rendered for iteration {iteration}, replica {replica})"
        shown = [] if self._foreign else text.split("\n")
        return [
            Problem(
                "\n".join([message, *_excerpt(shown, line), numbers]),
                self.source.file,
                lines[min(line, len(lines)) - 1],
            )
            for line, message in sorted(findings)
        ]

    def line_of(self, iteration: int, replica: int, document: int, path: Sequence[str]) -> int:
        """Line of the template that gives a field to a document."""
        text = self._text(iteration, replica)
        lines = self.source.lines(self.variables.of(iteration, replica))
        line = Places(text).line(document, path)
        return lines[min(line, len(lines)) - 1]

    def rendered(self, iteration: int, replica: int) -> str:
        """The text that the template gives, as it gives it.

        Raises:
            TemplateError: It does not render.
        """
        return self.source.render(self.variables.of(iteration, replica))

    def _text(self, iteration: int, replica: int) -> str:
        return self.variables.tidy(self.rendered(iteration, replica))

    def _findings(
        self, text: str, documents: Sequence[object], iteration: int
    ) -> list[tuple[int, str]]:
        if not documents:
            return [(1, "no object in it: the template renders to an empty file")]
        places = Places(text)
        labels = self.labels(iteration)
        found = [(finding.line, finding.message) for finding in places.duplicate_keys()]
        for number, document in enumerate(documents):
            flaws = [*find_flaws(document, labels), *find_unsendable(document)]
            found += [(places.line(number, flaw.path), flaw.message) for flaw in flaws]
        return found


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
        self._compiled: tuple[int, ReplicaForms | None] = (0, None)

    def namespace(self, iteration: int) -> str:
        """Where an object goes that names no namespace (iterations count from 1)."""
        return self.manifests.variables.namespace(iteration)

    def render(self, iteration: int, replica: int) -> tuple[ObjectRequest, ...]:
        """The objects of one replica, one for each of ``kinds``, labelled and ready to send.

        Args:
            iteration: Counted from 1.
            replica: Counted from 1.

        Raises:
            TemplateError: The template fails for these numbers, or gives other
                kinds than for the first replica.
        """
        if self.spec.replicas < _WORTH_COMPILING:
            return self.render_slowly(iteration, replica)
        if self._compiled[0] != iteration:
            self._compiled = (iteration, compile_iteration(self, iteration))
        forms = self._compiled[1]
        if forms is not None:
            return forms.fill(replica)
        return self.render_slowly(iteration, replica)

    def render_slowly(self, iteration: int, replica: int) -> tuple[ObjectRequest, ...]:
        """What ``render`` returns, with every replica rendered and parsed.

        Raises:
            TemplateError: As ``render`` does.
        """
        return tuple(
            self._request(document, iteration, replica)
            for document in self.documents(iteration, replica)
        )

    def documents(self, iteration: int, replica: int) -> list[JSON]:
        """The manifests of one replica, with the run's labels in them.

        Raises:
            TemplateError: As ``render`` does.
        """
        documents = self.manifests.documents(iteration, replica)
        kinds = kinds_of(documents)
        if kinds != self.kinds:
            raise TemplateError([self._other_kinds(kinds, iteration, replica)])
        labels = self.manifests.labels(iteration)
        for document in documents:
            add_labels(document, labels)
        return documents

    def children(self) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
        """What controllers make of the objects, by their templates: kinds by kind of ``kinds``.

        Raises:
            TemplateError: As ``render`` does.
        """
        made: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
        for key, document in zip(self.kinds, self.documents(1, 1), strict=True):
            made.setdefault(key, {}).update(dict.fromkeys(kinds_made(document)))
        return {key: tuple(kinds) for key, kinds in made.items()}

    def staying(self) -> set[tuple[str, str]]:
        """Which of them nobody deletes with what they were made for.

        Raises:
            TemplateError: As ``render`` does.
        """
        return {key for document in self.documents(1, 1) for key in kinds_that_stay(document)}

    def line_of(self, iteration: int, replica: int, document: int, path: Sequence[str]) -> int:
        """Line of the template that gives a field to a document, for error messages.

        Args:
            iteration: Counted from 1.
            replica: Counted from 1.
            document: Its position among ``kinds``.
            path: Keys from the top of the manifest; the numbers of a list's members.
        """
        return self.manifests.line_of(iteration, replica, document, path)

    def variable(self, name: str) -> str:
        """How this template's dialect writes a variable, for error messages."""
        return self.manifests.source.variable(name)

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


def _is_manifest(document: object) -> bool:
    return isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys()


def _excerpt(lines: Sequence[str], line: int) -> list[str]:
    """The rendered lines around one, with their numbers and an arrow at it."""
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    return [
        f"  {'>' if number == line else ' '} {number:4} | {lines[number - 1][:120]}".rstrip()
        for number in range(first, last + 1)
    ]

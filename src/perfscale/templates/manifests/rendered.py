"""One template with its variables: numbers in, manifests out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfscale.config.labels import run_labels
from perfscale.errors import Problem, TemplateError
from perfscale.templates.manifests.checks import find_flaws, find_unsendable
from perfscale.templates.manifests.documents import BadYamlError, Finding, Places, load_documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.templates.dialects.dialect import Source
    from perfscale.templates.draws import Draws
    from perfscale.templates.manifests.documents import JSON
    from perfscale.templates.variables import Variables

NOT_SHOWN = (
    "this is no template of manifests; what is wrong is not said, because the file is in "
    "another folder than the workload file: copy it there to see"
)
_AROUND = 2  # rendered lines shown above and below the one that is wrong


class Manifests:
    """The manifests of one ``objects`` entry, by iteration and replica.

    Nothing beyond it and `templates.compiled` knows that there is text in between.

    Args:
        source: The template.
        variables: Those of the entry.
        run_id: The run's id.
        workload: The name of the workload.
        shard: Index of the generator that makes the objects, if there are several.
        foreign: Whether the file is from elsewhere than the workload's folder. Then
            errors do not show its text: ``templateFile`` may name any file there is.
        last_counts: Whether of keys that stand twice the last one counts, and is no flaw.
        draws: What the template draws from; None where it draws nothing, or nothing repeatable.
    """

    def __init__(
        self,
        source: Source,
        variables: Variables,
        run_id: str,
        workload: str,
        *,
        shard: int | None = None,
        foreign: bool = False,
        last_counts: bool = False,
        draws: Draws | None = None,
    ) -> None:
        self.source = source
        self.variables = variables
        self.run_id = run_id
        self._workload = workload
        self._shard = shard
        self._foreign = foreign
        self._last_counts = last_counts
        self._draws = draws

    def labels(self, iteration: int) -> dict[str, str]:
        """The run's labels for the objects of an iteration."""
        return run_labels(self.run_id, self._workload, iteration, self._shard)

    def variables_of(self, iteration: int, replica: int) -> dict[str, Any]:
        """Every variable of one object; what its template draws begins anew.

        So an object is the same, whoever makes it, and whatever was rendered before.
        """
        if self._draws is not None:
            self._draws.begin(iteration, replica)
        return self.variables.of(iteration, replica)

    def documents(self, iteration: int, replica: int) -> list[JSON]:
        """The manifests, without the run's labels.

        Raises:
            TemplateError: It does not render, or not to manifests.
        """
        manifests = self.read(self._text(iteration, replica), iteration)
        if not manifests:
            raise TemplateError(self.inspect(iteration, replica))
        return manifests

    def read(self, text: str, iteration: int) -> list[JSON]:
        """The manifests in a rendered text, without the run's labels; none if one has a flaw."""
        labels = self.labels(iteration)
        try:
            documents = load_documents(text)
        except BadYamlError:
            return []
        manifests = [document for document in documents if isinstance(document, dict)]
        flawed = len(manifests) < len(documents) or any(
            next(find_flaws(manifest, labels), None) is not None for manifest in manifests
        )
        return [] if flawed else manifests

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
            findings = [error.finding]
        else:
            findings = self._findings(text, documents, iteration)
        if not findings:
            return []
        if self._foreign and not all(map(_is_manifest, documents or [None])):
            return [Problem(NOT_SHOWN, self.source.file, 1)]
        lines = self.source.lines(self.variables_of(iteration, replica))
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
        """Line of the template that gives a field to a document, for error messages.

        ``path`` is of keys from the top of the manifest, and the numbers of a list's members.
        """
        text = self._text(iteration, replica)
        lines = self.source.lines(self.variables_of(iteration, replica))
        line = Places(text).line(document, path)
        return lines[min(line, len(lines)) - 1]

    def rendered(self, iteration: int, replica: int) -> str:
        """The text that the template gives, as it gives it.

        Raises:
            TemplateError: It does not render.
        """
        return self.source.render(self.variables_of(iteration, replica))

    def _text(self, iteration: int, replica: int) -> str:
        return self.variables.tidy(self.rendered(iteration, replica))

    def _findings(self, text: str, documents: Sequence[object], iteration: int) -> list[Finding]:
        if not documents:
            return [Finding(1, "no object in it: the template renders to an empty file")]
        places = Places(text)
        labels = self.labels(iteration)
        found = [] if self._last_counts else places.duplicate_keys()
        for number, document in enumerate(documents):
            flaws = [*find_flaws(document, labels), *find_unsendable(document)]
            found += [Finding(places.line(number, flaw.path), flaw.message) for flaw in flaws]
        return found


def _is_manifest(document: object) -> bool:
    return isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys()


def _excerpt(lines: Sequence[str], line: int) -> list[str]:
    """The rendered lines around one, with their numbers and an arrow at it."""
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    return [
        f"  {'>' if number == line else ' '} {number:4} | {lines[number - 1][:120]}".rstrip()
        for number in range(first, last + 1)
    ]

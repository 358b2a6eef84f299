"""From a target to the patch that is sent for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perfscale.errors import Problem, TemplateError
from perfscale.templates.compiled.patches import ATTRIBUTES, PatchForm, compile_patch
from perfscale.templates.dialects.dialect import parse_template
from perfscale.templates.dialects.jinja import JinjaTemplate
from perfscale.templates.draws import Chance
from perfscale.templates.files import is_file
from perfscale.templates.gotemplate import Settings
from perfscale.templates.kube_burner import job_variables, parse_job_template, way_to_zero
from perfscale.templates.manifests.documents import BadYamlError, load_documents
from perfscale.templates.source import read_template, undefined_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perfscale.config import Config, Workload
    from perfscale.config.sections.operating.targets import Patch
    from perfscale.templates.dialects.dialect import Source
    from perfscale.templates.draws import Draws

_TARGET: Final = "target"


@dataclass(frozen=True, slots=True)
class PatchTarget:
    """What a patch's template sees of its target as ``target``; ``index`` counts from 1."""

    name: str
    namespace: str | None
    uid: str
    labels: Mapping[str, str]
    index: int


class PatchTemplate:
    """Makes the patches of one workload.

    Args:
        source: The template.
        variables: Those that are the same for every target.
        patch: What the workload file says of it.
        first: The number of the first iteration, as the template sees it.
        draws: What the template draws from; None where it draws nothing, or nothing repeatable.

    Attributes:
        file: The template file, as errors name it.
    """

    def __init__(
        self,
        source: Source,
        variables: Mapping[str, Any],
        patch: Patch,
        first: int = 0,
        draws: Draws | None = None,
    ) -> None:
        self.file = source.file
        self._source = source
        self._variables = variables
        self._first = first
        self._wants_list = patch.type == "json"
        self._last: tuple[str, Any] = ("", None)
        self._compiled: tuple[int, PatchForm | None] = (0, None)
        self._draws = draws
        self._drawn: Counter[tuple[str | None, str]] = Counter()

    def render(self, iteration: int, target: PatchTarget) -> bytes:
        """The patch of one target, as JSON.

        It names the target's UID, so that a server refuses it for another object that has the
        name by now: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#uids

        Raises:
            TemplateError: The template fails for it, or gives no patch.
        """
        if self._compiled[0] != iteration:
            self._compiled = (iteration, self._compile(iteration))
            self._drawn.clear()
        form = self._compiled[1]
        if form is not None:
            texts = {
                "index": str(target.index),
                "name": target.name,
                "namespace": target.namespace or "",
                "uid": target.uid,
            }
            if (filled := form.fill(texts)) is not None:
                return filled
        return self.render_slowly(iteration, target)

    def render_slowly(self, iteration: int, target: PatchTarget) -> bytes:
        """What `render` returns and raises, with the template rendered and parsed."""
        text = self._text(iteration, target)
        if text != self._last[0]:  # many patches are the same for every target
            self._last = (text, self._read(text, target))
        try:
            return msgspec.json.encode(_only_for(target.uid, self._last[1]))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise self._refused(f"cannot be sent as JSON: {error}", target) from error

    def _text(self, iteration: int, target: PatchTarget) -> str:
        if self._draws is not None:
            # A load that goes round its targets patches each again and again, never alike.
            where = target.namespace, target.name
            self._drawn[where] += 1
            self._draws.begin(iteration, *where, self._drawn[where])
        shown = {
            "name": target.name,
            "namespace": target.namespace,
            "uid": target.uid,
            "labels": dict(target.labels),
            "index": target.index,
        }
        numbers = {"Iteration": self._first + iteration - 1, "Replica": 0, "iteration": iteration}
        return self._source.render({**numbers, **self._variables, _TARGET: shown})

    def _compile(self, iteration: int) -> PatchForm | None:
        """A form for all targets of an iteration; None where each has to be rendered."""
        source = self._source
        if not isinstance(source, JinjaTemplate):
            return None
        if not source.only_prints_of(_TARGET, ATTRIBUTES):
            return None

        def rendered(texts: Mapping[str, str]) -> tuple[str, bytes]:
            index = int(texts["index"])
            target = PatchTarget(texts["name"], texts["namespace"], texts["uid"], {}, index)
            return self._text(iteration, target), self.render_slowly(iteration, target)

        return compile_patch(rendered)

    def _read(self, text: str, target: PatchTarget) -> Any:  # noqa: ANN401 -- any JSON
        try:
            documents = load_documents(text)
        except BadYamlError as error:
            raise self._refused(error.finding.message, target) from error
        wanted = list if self._wants_list else dict
        if len(documents) != 1 or not isinstance(documents[0], wanted):
            shape = "a list of steps" if self._wants_list else "one mapping"
            raise self._refused(f"the patch is not {shape}", target)
        return documents[0]

    def _refused(self, message: str, target: PatchTarget) -> TemplateError:
        place = "/".join(filter(None, (target.namespace, target.name)))
        return TemplateError([Problem(f"{message} (rendered for {place})", self.file, 1)])


def _only_for(uid: str, patch: Any) -> Any:  # noqa: ANN401 -- any JSON
    """The patch, which fits the object of that UID alone."""
    if isinstance(patch, list):
        return [{"op": "test", "path": "/metadata/uid", "value": uid}, *patch]
    metadata = patch.get("metadata", {})
    if not isinstance(metadata, dict):
        return patch  # the server says what is wrong with it
    return {**patch, "metadata": {**metadata, "uid": uid}}


def compile_patches(config: Config, *, run_id: str) -> tuple[PatchTemplate | None, ...]:
    """Compile the patch of each workload that has one.

    Raises:
        TemplateError: Every problem of every template.
    """
    problems: list[Problem] = []
    compiled: list[PatchTemplate | None] = []
    for number, workload in enumerate(config.workloads):
        template = None
        if workload.patch is not None:
            try:
                template = _compile(config, number, workload, workload.patch, run_id)
            except TemplateError as error:
                problems += error.problems
        compiled.append(template)
    if problems:
        raise TemplateError(list(dict.fromkeys(problems)))
    return tuple(compiled)


def _compile(
    config: Config, number: int, workload: Workload, patch: Patch, run_id: str
) -> PatchTemplate:
    path = config.source.directory / patch.template_file
    if not is_file(path):
        keys = ("workloads", number, "patch", "templateFile")
        message = f"the template {patch.template_file!r} is not there: looked for {path}"
        raise TemplateError([config.problem(keys, message)])
    text, job = read_template(path), workload.kube_burner
    origin = config.source
    environment = None if job is None else origin.environment
    chance = Chance(config.global_config.seed)
    settings = Settings(folder=origin.directory, random=chance.random, environment=environment)
    source: Source
    if job is None:
        source = parse_template(str(path), text, settings)
        variables = {**patch.input_vars, "uuid": run_id, "workload": workload.name}
        known: Sequence[str] = (*variables, "iteration", _TARGET)
    else:
        source = parse_job_template(config, job, path, text, settings)
        variables = {**job_variables(job, run_id), **patch.input_vars}
        known = (*variables, "Iteration", "Replica", _TARGET)
    where = config.place("workloads", number, "patch")
    otherwise = way_to_zero(job, where)
    if undefined := undefined_variables(source, known, where, otherwise=otherwise):
        raise TemplateError(undefined)
    draws = chance.draws(source, workload.name, path.name)
    return PatchTemplate(source, variables, patch, job.first_iteration if job else 0, draws)

"""Every template of a workload file, checked and ready to make objects.

All problems of all templates come out at once: someone who writes a workload
runs ``validate`` a few times, not once for every typo.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from perfscale.errors import Problem, TemplateError
from perfscale.templates.dialects.dialect import parse_template
from perfscale.templates.draws import Chance
from perfscale.templates.factory import ObjectFactory, kinds_of
from perfscale.templates.files import is_file
from perfscale.templates.gotemplate import Settings
from perfscale.templates.kube_burner import JobVariables, parse_job_template, way_to_zero
from perfscale.templates.manifests.rendered import NOT_SHOWN, Manifests
from perfscale.templates.outline.duplicates import Checked, find_duplicates, render_sample
from perfscale.templates.outline.targeting import find_unfit_targets
from perfscale.templates.packaged import packaged_file, packaged_templates
from perfscale.templates.patches import PatchTemplate, compile_patches
from perfscale.templates.source import read_template, undefined_variables
from perfscale.templates.variables import TemplateDefaults, Variables

if TYPE_CHECKING:
    from perfscale.config import Config, ObjectSpec, Workload
    from perfscale.config.sections.kube_burner import KubeBurnerJob
    from perfscale.templates.dialects.dialect import Source

_DIGITS = re.compile(r"\d+")


def resolve_template(config: Config, name: str) -> Path | None:
    """The file behind a ``templateFile``; None where there is none.

    Relative to the workload file first, else the packaged template of that
    name, a leading ``templates/`` stripped.
    """
    beside = config.source.directory / name
    if is_file(beside):
        return beside
    packaged = PurePosixPath(name.removeprefix("./").removeprefix("templates/"))
    if packaged.is_absolute() or ".." in packaged.parts:
        return None
    path = packaged_file("templates", *packaged.parts)
    return path if path.is_file() else None


def compile_templates(
    config: Config,
    *,
    run_id: str,
    defaults: TemplateDefaults | None = None,
    shard: int | None = None,
) -> tuple[tuple[ObjectFactory, ...], ...]:
    """Compile and check every template of a workload file.

    Every name that a template uses is checked, and the objects are rendered:
    all of them where a workload has few, else the first and last replicas of
    the first and last iterations.

    Args:
        config: The workload file.
        run_id: The run's id, for the labels and for ``uuid``.
        defaults: For ``containerPrefix`` and ``containerTag``; None: the built-in ones.
        shard: Index of the generator that makes the objects, if there are several.

    Returns:
        The factories, by workload and by position in its ``objects``.

    Raises:
        TemplateError: Every problem of every template.
    """
    compiler = _Compiler(config, run_id, defaults or TemplateDefaults(), shard)
    checked = [
        [compiler.entry(number, index) for index in range(len(workload.objects))]
        for number, workload in enumerate(config.workloads)
    ]
    problems = [*compiler.problems, *find_duplicates(config, checked)]
    if problems:
        raise TemplateError(list(dict.fromkeys(problems)))
    return tuple(tuple(entry.factory for entry in entries if entry) for entries in checked)


class CompiledWorkloads(NamedTuple):
    """What `compile_workloads` makes of a file.

    Attributes:
        factories: By workload and by position in its ``objects``.
        patches: By workload; None where it has none.
    """

    factories: tuple[tuple[ObjectFactory, ...], ...]
    patches: tuple[PatchTemplate | None, ...]


def compile_workloads(
    config: Config,
    *,
    run_id: str,
    defaults: TemplateDefaults | None = None,
    shard: int | None = None,
) -> CompiledWorkloads:
    """Compile and check all templates, of objects and of patches, and what operations act on.

    Args:
        config: The workload file.
        run_id: The run's id, for the labels and for ``uuid``.
        defaults: For ``containerPrefix`` and ``containerTag``; None: the built-in ones.
        shard: Index of the generator that makes the objects, if there are several.

    Raises:
        TemplateError: Every problem of every template, and of every operation whose targets it
            cannot be done to.
    """
    problems: list[Problem] = []
    factories: tuple[tuple[ObjectFactory, ...], ...] = ()
    patches: tuple[PatchTemplate | None, ...] = ()
    try:
        factories = compile_templates(config, run_id=run_id, defaults=defaults, shard=shard)
        problems += find_unfit_targets(config, factories)
    except TemplateError as error:
        problems += error.problems
    try:
        patches = compile_patches(config, run_id=run_id)
    except TemplateError as error:
        problems += error.problems
    if problems:
        raise TemplateError(problems)
    return CompiledWorkloads(factories, patches)


class _Compiler:
    """Compiles entry by entry, and keeps every problem."""

    def __init__(
        self, config: Config, run_id: str, defaults: TemplateDefaults, shard: int | None
    ) -> None:
        self.problems: list[Problem] = []
        self._config = config
        self._run_id = run_id
        self._defaults = defaults
        self._shard = shard
        self._sources: dict[tuple[Path, KubeBurnerJob | None], Source | None] = {}
        self._wrong: set[str] = set()
        self._chance = Chance(config.global_config.seed)

    def entry(self, number: int, index: int) -> Checked | None:
        """One entry, compiled and checked; None (and problems) where something is wrong."""
        where = self._config.place("workloads", number, "objects", index)
        if where in self._wrong:  # one entry of a job may be there in several workloads
            return None
        checked = self._checked(number, index, where)
        if checked is None:
            self._wrong.add(where)
        return checked

    def _checked(self, number: int, index: int, where: str) -> Checked | None:
        workload = self._config.workloads[number]
        spec = workload.objects[index]
        path = resolve_template(self._config, spec.template_file)
        if path is None:
            self.problems.append(self._missing(number, index, spec.template_file))
            return None
        source = self._source(path, workload.kube_burner)
        if source is None:
            return None
        variables = self._variables(workload, spec)
        undefined = undefined_variables(
            source,
            variables.names,
            where,
            otherwise=way_to_zero(workload.kube_burner, where),
        )
        if undefined:
            self.problems += undefined
            return None
        manifests = Manifests(
            source,
            variables,
            self._run_id,
            workload.name,
            shard=self._shard,
            foreign=self._is_foreign(path),
            last_counts=workload.kube_burner is not None,  # as in kube-burner's decoder
            draws=self._chance.draws(source, workload.name, index, path.name),
        )
        factory = self._factory(workload, spec, path, manifests)
        try:
            return render_sample(factory, number, index) if factory else None
        except TemplateError as error:
            self.problems += error.problems
            return None

    def _variables(self, workload: Workload, spec: ObjectSpec) -> Variables:
        if workload.kube_burner is not None:
            return JobVariables(workload, spec, workload.kube_burner, self._run_id)
        return Variables(workload, spec, run_id=self._run_id, defaults=self._defaults)

    def _factory(
        self, workload: Workload, spec: ObjectSpec, path: Path, manifests: Manifests
    ) -> ObjectFactory | None:
        """Check a few replicas; each flaw is reported once."""
        found: dict[tuple[str, int | None], Problem] = {}
        ends = [
            (iteration, replica)
            for iteration in sorted({1, workload.iteration_count})
            for replica in sorted({1, spec.replicas})
        ]
        for iteration, replica in ends:
            for problem in manifests.inspect(iteration, replica):
                headline = problem.message.split("\n", 1)[0]
                found.setdefault((_DIGITS.sub("#", headline), problem.line), problem)
        if found:
            self.problems += found.values()
            return None
        kinds = kinds_of(manifests.documents(1, 1))
        return ObjectFactory(workload, spec, path, manifests, kinds)

    def _missing(self, number: int, index: int, name: str) -> Problem:
        """What to say about a template that is not there."""
        known = packaged_templates()
        near = difflib.get_close_matches(PurePosixPath(name).name, known, n=1)
        guess = f" (did you mean templates/{near[0]}?)" if near else ""
        beside = self._config.source.directory / name
        what = "is a folder" if beside.is_dir() else "is not there"
        return self._config.problem(
            ("workloads", number, "objects", index, "templateFile"),
            f"the template {name!r} {what}{guess}: looked for {beside}, and among the packaged "
            f"templates: {', '.join(known)}",
        )

    def _source(self, path: Path, job: KubeBurnerJob | None) -> Source | None:
        """The parsed file; None where it cannot be, its problems reported once."""
        key = (path, job)
        if key not in self._sources:
            self._sources[key], is_read = None, False
            try:
                text = read_template(path)
                is_read = True
                settings = self._settings(job)
                self._sources[key] = (
                    parse_template(str(path), text, settings)
                    if job is None
                    else parse_job_template(self._config, job, path, text, settings)
                )
            except TemplateError as error:
                hidden = is_read and self._is_foreign(path)
                self.problems += [
                    Problem(NOT_SHOWN, str(path), each.line) if hidden else each
                    for each in error.problems
                ]
        return self._sources[key]

    def _settings(self, job: KubeBurnerJob | None) -> Settings:
        """What a template in Go's language is given; its random values are repeatable by seed."""
        origin = self._config.source
        environment = None if job is None else origin.environment
        random = self._chance.random
        return Settings(folder=origin.directory, environment=environment, random=random)

    def _is_foreign(self, path: Path) -> bool:
        """Whether a file is in no folder whose files are templates for sure."""
        file = path.resolve()
        folders = (self._config.source.directory, packaged_file("templates"))
        return not any(file.is_relative_to(folder.resolve()) for folder in folders)

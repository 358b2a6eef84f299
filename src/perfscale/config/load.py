"""From a file, and the command line's overrides, to a model, or to everything wrong with them."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from perfscale.config.model import Config
from perfscale.config.reading.document import read_document
from perfscale.config.reading.explain import (
    mistaken_file,
    number_problems,
    scalar_problems,
    validation_problems,
)
from perfscale.config.reading.overrides import apply_overrides
from perfscale.config.sections.section import Section
from perfscale.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from perfscale.config.reading.document import Document
    from perfscale.config.reading.source import KeyPath

Top = TypeVar("Top", bound=Section)


def load_config(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    options: Mapping[str, str] = MappingProxyType({}),
) -> Config:
    """Read and check a workload file.

    Args:
        path: The file; relative ``templateFile`` entries are relative to its folder.
            ``-`` stands for standard input, and for the current folder.
        overrides: Values that replace the file's, each as ``workloads[0].qps=50``;
            ``[*]`` stands for every item of a list.
        options: More of these, applied before, by the option that gives each
            (``--qps``): what is wrong with one is reported as that option's.

    Raises:
        ConfigError: The file or an override is wrong; it holds every problem at once.
    """
    return config_of(read_document(path), overrides=overrides, options=options)


def config_of(
    document: Document,
    *,
    overrides: Sequence[str] = (),
    options: Mapping[str, str] = MappingProxyType({}),
) -> Config:
    """Check a workload file that has been read; everything else is as in `load_config`."""
    if mistaken := mistaken_file(document.tree, document.source):
        raise ConfigError([mistaken])
    for option, override in options.items():
        document.problems += apply_overrides(document, [override], option=option)
    document.problems += apply_overrides(document, overrides)
    return validated(document, Config)


def validated(document: Document, model: type[Top], *, as_yaml: bool = False) -> Top:
    """Return a file's content as the model of its top.

    Args:
        document: The file.
        model: Of its top.
        as_yaml: Take scalars as YAML does: a number may be written in any way that YAML knows.

    Raises:
        ConfigError: Everything that is wrong in it, in the order of the file.
    """
    source = document.source
    found: dict[KeyPath, Problem] = {}
    if not as_yaml:
        _add(found, scalar_problems(source))
    made = None
    try:
        made = model.model_validate(document.tree, context=source, by_alias=True, by_name=False)
    except ValidationError as error:
        _add(found, validation_problems(error, source, model))
    if not as_yaml:
        _add(found, number_problems(source))
    problems = [*document.problems, *found.values()]
    if problems or made is None:
        raise ConfigError(sorted(dict.fromkeys(problems), key=_place))
    return made


def _add(found: dict[KeyPath, Problem], more: Iterable[tuple[KeyPath, Problem]]) -> None:
    """Add one problem for each path that has none: the first to object knows it best."""
    for path, problem in more:
        found.setdefault(path, problem)


def _place(problem: Problem) -> tuple[float, float]:
    """Order by place in the file, the command line last."""
    return (problem.line or math.inf, problem.column or math.inf)

"""Reading a workload file, whichever form it has."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from perfscale.config.load import config_of
from perfscale.config.reading.document import Wanted, parse_document, read_text
from perfscale.errors import ConfigError, Problem
from perfscale.foreign.kube_burner import Inputs, is_kube_burner
from perfscale.foreign.second_generation import is_second_generation, translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perfscale.config import Config

_ANY: Final = Wanted("workload file", "the key workloads, or jobs where it is kube-burner's")
_OURS: Final = re.compile(r"(workloads\[|globalConfig\b)")
"""How a path to a key of ours begins."""


def load_config(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    options: Mapping[str, str] = MappingProxyType({}),
    inputs: Inputs | None = None,
) -> Config:
    """Read and check a workload file, one of the old tool's second generation, or kube-burner's.

    How a file of another form was read is in ``config.source.reading``.

    Args:
        path: The file; relative ``templateFile`` entries are relative to its folder.
            ``-`` stands for standard input, and for the current folder.
        overrides: Values that replace the file's, each as ``workloads[0].qps=50``;
            ``[*]`` stands for every item of a list. In a configuration of kube-burner as
            ``jobs.0.qps=50`` too.
        options: More of these, applied before, by the option that gives each
            (``--qps``): what is wrong with one is reported as that option's.
        inputs: What a configuration of kube-burner is read with, and templates of its jobs.

    Raises:
        ConfigError: The file or an override is wrong; it holds every problem at once.
    """
    file = read_text(path)
    inputs = inputs or Inputs()
    if is_kube_burner(file.text):
        from perfscale.foreign.kube_burner.reading import read_kube_burner  # noqa: PLC0415 -- slow

        ours = [each for each in overrides if _OURS.match(each)]
        theirs = [each for each in overrides if not _OURS.match(each)]
        document = read_kube_burner(file, inputs, theirs)
        document.environment = inputs.environment
        return config_of(document, overrides=ours, options=options)
    if inputs.metrics_endpoints is not None:
        message = "a list of endpoints goes with a configuration of kube-burner, and this is none"
        raise ConfigError([Problem(message, file.name)])
    document = parse_document(file, _ANY)
    if is_second_generation(document.tree):
        document = translated(document)
    document.environment = inputs.environment
    return config_of(document, overrides=overrides, options=options)

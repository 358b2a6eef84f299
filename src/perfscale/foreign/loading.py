"""Reading a workload file, whichever form it has."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from perfscale.config.load import config_of
from perfscale.config.reading.document import read_document
from perfscale.foreign.second_generation import is_second_generation, translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perfscale.config import Config


def load_config(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    options: Mapping[str, str] = MappingProxyType({}),
) -> Config:
    """Read and check a workload file, also one of the old tool's second generation.

    How such a file was read is in ``config.source.reading``.

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
    document = read_document(path)
    if is_second_generation(document.tree):
        document = translated(document)
    return config_of(document, overrides=overrides, options=options)

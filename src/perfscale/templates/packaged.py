"""Where the templates and examples that ship with the package are.

A wheel carries them inside the package, under ``_data``; an editable install
has them at the top of the checkout.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from perfscale.errors import PerfscaleError

_PACKAGE = Path(__file__).resolve().parent.parent
_FOLDERS = ("templates", "examples")


def data_root(package: Path = _PACKAGE) -> Path:
    """The folder that holds ``templates/`` and ``examples/``, for the package in a folder.

    Raises:
        PerfscaleError: Neither place has both folders: a broken installation.
    """
    candidates = (package / "_data", package.parent.parent)
    for root in candidates:
        if all((root / folder).is_dir() for folder in _FOLDERS):
            return root
    looked = " and ".join(str(root) for root in candidates)
    raise PerfscaleError(
        f"the packaged templates and examples are missing (looked in {looked})",
        hint="install the package again",
    )


def packaged_file(*parts: str) -> Path:
    """Path of one packaged file, which need not exist, as ``templates`` and ``pod.yaml``.

    Raises what `data_root` raises.
    """
    return data_root().joinpath(*parts)


def packaged_templates() -> tuple[str, ...]:
    """Names of the packaged templates, sorted, as a workload file refers to them."""
    return tuple(sorted(path.name for path in packaged_file("templates").glob("*.yaml")))


def default_workload() -> Path:
    """The workload that ``perfscale run`` takes where none is named."""
    return packaged_file("examples", "kubevirt-density", "kubevirt-density.yaml")


def packaged_workloads() -> dict[str, Path]:
    """The packaged workload files, by the name under which the commands take them."""
    found = (
        (folder.name, folder / f"{folder.name}.yaml")
        for folder in sorted(packaged_file("examples").iterdir())
    )
    return {name: path for name, path in found if path.is_file()}


def packaged_faults() -> dict[str, Path]:
    """The packaged files of faults for the simulated cluster, by their names without the ending."""
    return {path.stem: path for path in sorted(packaged_file("examples", "faults").glob("*.yaml"))}


def summary_of(path: Path) -> str:
    """What a packaged file is, in a sentence or two: the comment at its beginning."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line.lstrip("# ") for line in comment)

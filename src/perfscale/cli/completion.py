"""What a shell offers when a person presses Tab: contexts, workloads and runs.

Nothing here may fail or print: a shell would show it in the middle of a line.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfscale.errors import PerfscaleError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 200
_YAML = (".yaml", ".yml")


def contexts(ctx: typer.Context, incomplete: str) -> list[str]:
    """The contexts of the kubeconfig, of the one that the command line names."""
    from perfscale.kube.auth.kubeconfig import context_names

    with suppress(PerfscaleError):
        named = ctx.params.get("kubeconfig")
        return [each for each in context_names(named) if each.startswith(incomplete)]
    return []


def packaged(incomplete: str) -> list[tuple[str, str]]:
    """The packaged workloads, with what they are."""
    from perfscale.templates.packaged import packaged_workloads

    return _packaged(packaged_workloads, incomplete)


def faults(incomplete: str) -> list[tuple[str, str]]:
    """Files of YAML, the folders on the way to them, and packaged faults."""
    from perfscale.templates.packaged import packaged_faults

    return [*_files(incomplete), *_packaged(packaged_faults, incomplete)]


def _packaged(known: Callable[[], dict[str, Path]], incomplete: str) -> list[tuple[str, str]]:
    from perfscale.templates.packaged import summary_of

    with suppress(PerfscaleError, OSError):
        found = known().items()
        return [(name, summary_of(path)) for name, path in found if name.startswith(incomplete)]
    return []


def workloads(incomplete: str) -> list[tuple[str, str]]:
    """Files of YAML, the folders on the way to them, and packaged workloads."""
    return [*_files(incomplete), *packaged(incomplete)]


def _files(incomplete: str) -> list[tuple[str, str]]:
    folder, _, beginning = incomplete.rpartition("/")
    where = Path(f"{folder}/" if folder or incomplete.startswith("/") else ".")
    prefix = incomplete[: len(incomplete) - len(beginning)]
    found: list[tuple[str, str]] = []
    with suppress(OSError):
        for entry in sorted(os.scandir(where), key=lambda each: each.name):
            if not entry.name.startswith(beginning) or (
                entry.name.startswith(".") and not beginning
            ):
                continue
            if entry.is_dir():
                found.append((f"{prefix}{entry.name}/", "a folder"))
            elif entry.name.endswith(_YAML):
                found.append((f"{prefix}{entry.name}", "a file"))
    return found[:_MOST]


def runs(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Runs of the results folder, the newest first: latest, ids, and tags."""
    from perfscale.results.history import list_runs

    parent = ctx.params.get("results_dir") or os.environ.get("PERFSCALE_RESULTS_DIR") or "results"
    names: dict[str, str] = {}
    with suppress(PerfscaleError, OSError):
        for index, run in enumerate(list_runs(Path(parent)).runs):
            what = (
                f"{run.started_at:%Y-%m-%d %H:%M} {', '.join(each.name for each in run.workloads)}"
            )
            names.setdefault("latest" if index == 0 else f"latest~{index}", what)
            names.setdefault(run.run_id[:8], what)
            for key, value in run.tags.items():
                names.setdefault(f"{key}={value}", what)
    offered = [(name, what) for name, what in names.items() if name.startswith(incomplete)]
    return offered[:_MOST]

"""What `perfscale run --dry-run` prints instead of a run."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from perfscale.errors import PreflightError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perfscale.preflight import Trial


class DryRun(StrEnum):
    """Who judges the objects that are not created, in kubectl's words."""

    CLIENT = "client"
    SERVER = "server"


def print_trials(trials: Sequence[Trial], *, as_json: bool) -> None:
    """Print what the server made of each object.

    Raises:
        PreflightError: Everything that it refused.
    """
    if as_json:
        typer.echo(
            json.dumps({"dryRun": "server", "objects": [_document(t) for t in trials]}, indent=2)
        )
    else:
        for trial in trials:
            typer.echo(_line(trial))
    problems = [trial.problem for trial in trials if trial.problem is not None]
    if problems:
        raise PreflightError(problems)


def _line(trial: Trial) -> str:
    # The reason of a refusal goes to standard error, with its place.
    reason = f": {trial.reason}" if trial.reason and trial.problem is None else ""
    template = f"  ({trial.template})" if trial.template else ""
    return f"{trial.verdict.value:<10}  {trial}{template}{reason}"


def _document(trial: Trial) -> dict[str, str | None]:
    return {
        "kind": trial.kind,
        "namespace": trial.namespace,
        "name": trial.name,
        "template": trial.template,
        "verdict": trial.verdict.value,
        "reason": trial.reason,
    }

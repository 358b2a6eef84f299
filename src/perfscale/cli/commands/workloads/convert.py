"""`perfscale convert`."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import log_more, say

if TYPE_CHECKING:
    from perfscale.foreign.converting import Converted


def convert(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    workload: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A configuration of kube-burner, or a file of the old tool's second generation.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Where the workload file and its templates go.",
            show_default=False,
        ),
    ],
    set_: options.Set = None,
    user_data: options.UserData = None,
    metrics_endpoint: options.MetricsEndpoints = None,
    allow_env: options.AllowEnv = False,
    allow_missing: options.AllowMissing = False,
    allow_foreign: Annotated[
        bool,
        typer.Option(
            "--allow-foreign",
            help="Keep what deletes objects of other runs (cleanup: true); the run wants this "
            "option too, then.",
        ),
    ] = False,
    verbose: options.Verbose = 0,
) -> None:
    """Write another tool's workload file as one of perfscale's.

    Its templates go along as they are. The new file does the same as the other
    one. Variables of the file itself are filled in, those of its templates are not.

    For example:

        perfscale convert cluster-density.yml --out converted

        perfscale run converted/cluster-density.yml
    """
    from perfscale.foreign.converting import convert as converted

    log_more(verbose)
    run_id = str(uuid.uuid4())
    inputs = options.inputs(
        user_data,
        allow_env=allow_env,
        allow_missing=allow_missing,
        run_id=run_id,
        metrics_endpoints=metrics_endpoint,
        allow_foreign=allow_foreign,
    )
    config = options.load(workload, set_, inputs=inputs)
    made = converted(config, run_id)
    name = "workload.yaml" if str(workload) == "-" else workload.name
    _write(out, name, made)
    for sentence in (config.source.reading, *config.source.notes):
        say(sentence)
    for note in made.notes:
        say(f"warning: {note}")
    for place in (name, *map(str, made.files)):
        typer.echo(out / place)


def _write(folder: Path, name: str, made: Converted) -> None:
    """Write everything, unless something is there already.

    Raises:
        ResultsError: It is, or it cannot be written.
    """
    from perfscale.errors import ResultsError

    for path in (folder / name, *(folder / place for place in made.files)):
        if path.exists():
            hint = "choose another folder with --out"
            raise ResultsError(f"{path}: there is such a file already", hint=hint)
    try:
        for place, source in made.files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / place)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(made.text, encoding="utf-8")
    except OSError as error:
        where = error.filename or folder
        raise ResultsError(f"{where}: it cannot be written: {error.strerror or error}") from error

"""The `perfscale` command: its subcommands, and what becomes of an error.

Start-up is part of the product, so nothing slow is imported here: each command
imports what it needs when it is called. Processes enter by `perfscale.cli.main`.
"""

from __future__ import annotations

from typing import Annotated

import typer

import perfscale
from perfscale.cli import options
from perfscale.cli.commands import (
    audit,
    cleanup,
    compare,
    index,
    run,
    runs,
    schema,
    search,
    simulate,
    tag,
    trend,
    version,
)
from perfscale.cli.commands import (
    report as report_command,
)
from perfscale.cli.commands.workloads import convert, examples, init, render, role, validate
from perfscale.cli.output.failure import print_failure
from perfscale.cli.output.streams import log_more, set_up_logging, use_colors
from perfscale.cli.web import WebCommand

HELP = """Stress the control plane of Kubernetes and KubeVirt.

perfscale creates many objects (VMs, VMIs, replica sets, anything) from
templates at a controlled rate, watches each of them reach its state, says how
long that took, deletes them, and waits until they are gone. It also starts,
restarts, migrates, patches or lists what is there.

Try it without a cluster:

    perfscale run --simulate

Then write a workload, look at it, and run it:

\b
    perfscale init
    perfscale validate workload.yaml
    perfscale render workload.yaml
    perfscale run workload.yaml
"""

EPILOG = """Exit codes: 0 passed; 1 something failed, timed out, was left over or could not be
written, or a question was answered with no; 2 wrong input, nothing was created; 3 a threshold was
missed, compare or trend found a regression, or search another limit than expected; 4 the cluster,
Prometheus or the index could not be reached; 70 a bug; 129, 130, 143 interrupted."""

app = typer.Typer(
    name="perfscale",
    help=HELP,
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    # Nothing is taken out of what is written: standard streams show what they do not obey.
    context_settings={"help_option_names": ["-h", "--help"], "color": True},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"perfscale {perfscale.__version__}")
        raise typer.Exit


@app.callback()
def configure(
    *,
    verbose: options.Verbose = 0,
    no_color: options.NoColor = False,
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version, and exit; perfscale version says more.",
            is_eager=True,
            callback=_print_version,
        ),
    ] = False,
) -> None:
    """Set up what all commands share."""
    set_up_logging()
    log_more(verbose)
    use_colors(not no_color)


app.command("run", cls=WebCommand)(run.run)
app.command("search", cls=options.Command)(search.search)
app.command("init", cls=options.Command)(init.init)
app.command("examples", cls=options.Command)(examples.examples)
app.command("validate", cls=options.Command)(validate.validate)
app.command("convert", cls=options.Command)(convert.convert)
app.command("render", cls=options.Command)(render.render)
app.command("role", cls=options.Command)(role.role)
app.command("report", cls=options.Command)(report_command.report)
app.command("runs", cls=options.Command)(runs.runs)
app.command("tag", cls=options.Command)(tag.tag)
app.command("compare", cls=options.Command)(compare.compare)
app.command("trend", cls=options.Command)(trend.trend)
app.command("index", cls=options.Command)(index.index)
app.command("audit", cls=options.Command)(audit.audit)
app.command("cleanup", cls=options.Command)(cleanup.cleanup)
app.command("simulate", cls=options.Command)(simulate.simulate)
app.command("schema", cls=options.Command)(schema.schema)
app.command("version", cls=options.Command)(version.version)


def invoke(arguments: list[str] | None = None, *, preface: str | None = None) -> int:
    """Run the command line after printing the preface; returns the exit code.

    Without arguments, the process's own are taken.
    """
    try:
        if preface is not None:
            typer.echo(preface)
        # Not standalone: then errors of the command line come here like all others.
        code = app(args=arguments, prog_name="perfscale", standalone_mode=False)
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else int(bool(request.code))
    except BrokenPipeError:
        return 1  # the reader has closed our output
    except Exception as error:  # noqa: BLE001 -- the last place: every error becomes an exit code
        return print_failure(error)
    return code if isinstance(code, int) else 0

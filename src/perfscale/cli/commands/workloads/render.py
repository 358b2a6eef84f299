"""`perfscale render`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import log_more

if TYPE_CHECKING:
    from perfscale.config import Config


def render(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    workload: options.WorkloadFile = None,
    iteration: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Only this iteration.", rich_help_panel=options.Panel.WORKLOAD
        ),
    ] = None,
    replica: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Only this replica.", rich_help_panel=options.Panel.WORKLOAD
        ),
    ] = None,
    set_: options.Set = None,
    qps: options.Qps = None,
    burst: options.Burst = None,
    replicas: options.Replicas = None,
    iterations: options.Iterations = None,
    user_data: options.UserData = None,
    allow_env: options.AllowEnv = False,
    allow_missing: options.AllowMissing = False,
    container_prefix: options.ContainerPrefix = None,
    container_tag: options.ContainerTag = None,
    verbose: options.Verbose = 0,
) -> None:
    """Print what a workload would create, as YAML.

    The run's id is a row of zeros, since there is no run.

    For example:

        perfscale render workload.yaml --iteration 1 --replica 1

        perfscale render workload.yaml | kubectl apply --dry-run=server -f -
    """
    log_more(verbose)
    config = options.load(
        workload,
        set_,
        qps=qps,
        burst=burst,
        replicas=replicas,
        iterations=iterations,
        inputs=options.inputs(
            user_data,
            allow_env=allow_env,
            allow_missing=allow_missing,
            run_id=options.PLACEHOLDER_RUN_ID,
        ),
    )
    print_manifests(config, container_prefix, container_tag, iteration=iteration, replica=replica)


def print_manifests(
    config: Config,
    container_prefix: str | None,
    container_tag: str | None,
    *,
    iteration: int | None = None,
    replica: int | None = None,
) -> None:
    """Print what a workload would create."""
    from perfscale.templates import TemplateDefaults, compile_templates, render_manifests

    defaults = TemplateDefaults.from_environment(container_prefix, container_tag)
    factories = compile_templates(config, run_id=options.PLACEHOLDER_RUN_ID, defaults=defaults)
    typer.echo(render_manifests(factories, iteration=iteration, replica=replica), nl=False)

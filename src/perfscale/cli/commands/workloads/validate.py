"""`perfscale validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import log_more

if TYPE_CHECKING:
    from perfscale.config import Config
    from perfscale.preflight import Factories


def validate(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    workload: options.WorkloadFile = None,
    set_: options.Set = None,
    qps: options.Qps = None,
    burst: options.Burst = None,
    replicas: options.Replicas = None,
    iterations: options.Iterations = None,
    user_data: options.UserData = None,
    metrics_endpoint: options.MetricsEndpoints = None,
    allow_env: options.AllowEnv = False,
    allow_missing: options.AllowMissing = False,
    container_prefix: options.ContainerPrefix = None,
    container_tag: options.ContainerTag = None,
    verbose: options.Verbose = 0,
) -> None:
    """Check a workload file and its templates, without a cluster.

    Every problem is reported at once, with its file and line.

    For example:

        perfscale validate workload.yaml

        perfscale validate workload.yaml --qps 50 --replicas 500

        sed s/devel/v1.4/ workload.yaml | perfscale validate -
    """
    from perfscale.cli.output.workloads import describe_file
    from perfscale.templates import TemplateDefaults, compile_workloads

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
            metrics_endpoints=metrics_endpoint,
        ),
    )
    defaults = TemplateDefaults.from_environment(container_prefix, container_tag)
    compiled = compile_workloads(config, run_id=options.PLACEHOLDER_RUN_ID, defaults=defaults)
    _check(config, compiled.factories)
    _check_profiles(config, allow_env=allow_env)
    typer.echo("\n".join(describe_file(config, compiled.factories)))


def _check_profiles(config: Config, *, allow_env: bool) -> None:
    """Read the profiles that a run would evaluate.

    Raises:
        ConfigError: Of everything that is wrong in them.
    """
    audit = config.global_config.audit
    if audit is not None and audit.url is not None:
        from perfscale.audit import load_profiles

        environment = options.environment(allowed=allow_env)
        load_profiles(audit.profile, config.source.directory, environment)


def _check(config: Config, factories: Factories) -> None:
    """Find what a run would refuse, and warn of what it would refuse on this machine.

    Raises:
        PreflightError: Of thresholds that nothing would be measured for.
    """
    from perfscale.cli.output.workloads import huge_workloads
    from perfscale.errors import PreflightError
    from perfscale.preflight import find_missing_commands, find_unmeasurable_thresholds

    served = {key for members in factories for factory in members for key in factory.kinds}
    if problems := list(find_unmeasurable_thresholds(config, factories, served)):
        raise PreflightError(problems)
    for warning in huge_workloads(factories):
        typer.echo(f"warning: {warning}", err=True)
    for problem in find_missing_commands(config):
        typer.echo(f"warning: {problem}", err=True)

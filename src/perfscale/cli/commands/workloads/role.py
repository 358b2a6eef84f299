"""`perfscale role`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfscale.cli import options
from perfscale.cli.cluster import ChosenCluster
from perfscale.cli.commands.simulate import Simulate, refuse_beside_simulation
from perfscale.cli.output.streams import log_more

if TYPE_CHECKING:
    from perfscale.config import Config


def role(  # noqa: PLR0913 -- a command has as many parameters as options
    call: typer.Context,
    *,
    workload: options.WorkloadFile = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What the role is called.")] = (
        "perfscale"
    ),
    namespace: Annotated[
        str | None,
        options.optional(
            "NAME", "A Role for a run in this namespace, which is there, instead of a ClusterRole."
        ),
    ] = None,
    simulate: Simulate = False,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    master: options.Master = None,
    set_: options.Set = None,
    user_data: options.UserData = None,
    allow_env: options.AllowEnv = False,
    allow_missing: options.AllowMissing = False,
    verbose: options.Verbose = 0,
) -> None:
    """Print the role that a workload needs, and no more, as YAML.

    The cluster says how it serves the kinds of the workload; nothing is
    created there, and nobody's permissions are looked at.

    For example:

        perfscale role workload.yaml | kubectl apply -f -

        perfscale role workload.yaml --name load --namespace team-a
    """
    log_more(verbose)
    refuse_beside_simulation(call, simulate=simulate, faults=None)
    if simulate:
        kubeconfig = context = master = None
    config = options.load(
        workload,
        set_,
        inputs=options.inputs(
            user_data,
            allow_env=allow_env,
            allow_missing=allow_missing,
            run_id=options.PLACEHOLDER_RUN_ID,
        ),
    )
    cluster = ChosenCluster(options.cluster(kubeconfig, context, master), simulate=simulate)
    raise typer.Exit(_print_role(config, cluster, name, namespace))


def _print_role(config: Config, cluster: ChosenCluster, name: str, namespace: str | None) -> int:
    import yaml

    from perfscale.cli.signals import run_until_signalled

    async def show() -> int:
        made = await _make(config, cluster, name, namespace)
        typer.echo(yaml.safe_dump(made, sort_keys=False), nl=False)
        return 0

    return run_until_signalled(show())


async def _make(
    config: Config, cluster: ChosenCluster, name: str, namespace: str | None
) -> dict[str, Any]:
    from perfscale.kube.cluster import open_cluster
    from perfscale.preflight import make_role, required_access
    from perfscale.templates import compile_workloads

    run_id = options.PLACEHOLDER_RUN_ID
    compiled = compile_workloads(config, run_id=run_id)
    async with cluster.opened() as way, await open_cluster(way) as opened:
        required = await required_access(
            config, compiled.factories, client=opened.client, run_id=run_id
        )
    return make_role(required, name=name, namespace=namespace)

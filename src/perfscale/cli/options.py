"""Options that several commands share."""

from __future__ import annotations

import difflib
import math
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfscale.cli import completion

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config
    from perfscale.foreign.kube_burner import Inputs
    from perfscale.kube.cluster import ClusterOptions
    from perfscale.results import Remarks


def optional(
    metavar: str,
    text: str,
    *,
    envvar: str | None = None,
    offered: Callable[..., Any] | None = None,
) -> Any:  # noqa: ANN401 - typer's
    """An option without a default that could be shown; ``offered`` completes its value."""
    return typer.Option(
        metavar=metavar, help=text, envvar=envvar, show_default=False, autocompletion=offered
    )


def duration(text: str, *, envvar: str) -> Any:  # noqa: ANN401 - typer's
    """An option that takes a duration, also from the environment."""
    return typer.Option(metavar="DURATION", help=text, envvar=envvar)


Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        help="Log more: -v what happens, -vv every object.",
        show_default=False,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Show no header and no progress: only the end, failures and warnings.",
    ),
]

NoColor = Annotated[
    bool, typer.Option("--no-color", help="Use no colours; so does $NO_COLOR, set to anything.")
]
WorkloadFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="WORKLOAD",
        help="The workload file, the name of a packaged one (perfscale examples lists them), or - "
        "for standard input; without one, the packaged kubevirt-density.",
        show_default=False,
        autocompletion=completion.workloads,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Override a key, as in workloads[0].qps=50; [*] stands for every one. Repeatable.",
        show_default=False,
    ),
]
Qps = Annotated[str | None, typer.Option(metavar="N", help="Requests a second, in every workload.")]
Burst = Annotated[
    str | None, typer.Option(metavar="N", help="Requests let go at once, in every workload.")
]
Replicas = Annotated[str | None, typer.Option(metavar="N", help="Replicas of every object.")]
Attribution = Annotated[
    str | None,
    typer.Option(
        metavar="N|off",
        help="Of how many slow objects to find out where their time went; 20 by default.",
        show_default=False,
    ),
]
Iterations = Annotated[str | None, typer.Option(metavar="N", help="Iterations of every workload.")]
ContainerPrefix = Annotated[
    str | None,
    optional(
        "PREFIX",
        "Image prefix where the workload file leaves it open; without one, registry:5000/kubevirt.",
        envvar="DOCKER_PREFIX",
    ),
]
ContainerTag = Annotated[
    str | None,
    optional(
        "TAG",
        "Image tag where the workload file leaves it open; without one, devel.",
        envvar="DOCKER_TAG",
    ),
]
UserData = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Variables for a configuration of kube-burner, in YAML or JSON.",
        show_default=False,
    ),
]
MetricsEndpoints = Annotated[
    Path | None,
    typer.Option(
        "--metrics-endpoint",
        "-e",
        metavar="FILE",
        help="A list that stands in the place of metricsEndpoints in a configuration of "
        "kube-burner.",
        show_default=False,
    ),
]
AllowEnv = Annotated[
    bool,
    typer.Option(
        "--allow-env",
        help="Let kube-burner's configurations, their templates and profiles see the environment, "
        "as variables and by env.",
    ),
]
AllowMissing = Annotated[
    bool,
    typer.Option(
        "--allow-missing",
        help="Take variables that a configuration of kube-burner needs and nobody gives as empty.",
    ),
]
Kubeconfig = Annotated[
    str | None,
    optional(
        "FILE", "The kubeconfig; without it $KUBECONFIG, ~/.kube/config, or the pod's own account."
    ),
]
Context = Annotated[
    str | None,
    optional(
        "NAME",
        "Context of the kubeconfig.",
        envvar="PERFSCALE_CONTEXT",
        offered=completion.contexts,
    ),
]
Master = Annotated[
    str | None,
    optional("URL", "API server, instead of the kubeconfig's.", envvar="PERFSCALE_MASTER"),
]
Prometheus = Annotated[
    str | None,
    optional(
        "URL",
        "The Prometheus that scrapes the cluster, as in http://localhost:9090.",
        envvar="PERFSCALE_PROMETHEUS",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_NO_NAMES = frozenset({"-", ".", ".."})
DEFAULT_RESULTS = Path("results")
ResultsDir = Annotated[
    Path,
    typer.Option(
        envvar="PERFSCALE_RESULTS_DIR",
        metavar="DIR",
        help="Where the results go, in a folder for each run.",
    ),
]


RunsDir = Annotated[
    Path,
    typer.Option(
        "--results-dir",
        envvar="PERFSCALE_RESULTS_DIR",
        metavar="DIR",
        help="Where the folders of runs are, for all names of runs but paths.",
    ),
]


PLACEHOLDER_RUN_ID = "00000000-0000-0000-0000-000000000000"
"""Stands for the run's id where there is no run."""


class Output(StrEnum):
    """What goes to standard output at the end."""

    TEXT = "text"
    JSON = "json"


OutputFormat = Annotated[
    Output,
    typer.Option(
        "--output",
        "-o",
        help="What goes to standard output at the end.",
    ),
]


def is_given(call: typer.Context, *names: str) -> bool:
    """Whether the command line, and not the environment, has one of these options."""
    sources = (call.get_parameter_source(name) for name in names)
    return any(source is not None and source.name == "COMMANDLINE" for source in sources)


def environment(*, allowed: bool) -> dict[str, str] | None:
    """What files of kube-burner see of the environment; None for nothing."""
    return dict(os.environ) if allowed else None


def inputs(
    user_data: Path | None,
    *,
    allow_env: bool,
    allow_missing: bool,
    run_id: str,
    allow_foreign: bool = False,
    metrics_endpoints: Path | None = None,
) -> Inputs:
    """What a configuration of kube-burner is read with."""
    from perfscale.foreign.kube_burner import Inputs

    return Inputs(
        user_data=user_data,
        metrics_endpoints=metrics_endpoints,
        environment=environment(allowed=allow_env),
        run_id=run_id,
        allow_missing=allow_missing,
        allow_foreign=allow_foreign,
    )


def workload_path(workload: Path | None) -> Path:
    """The file that is meant: one that is there, a packaged one of this name, or the default.

    Raises:
        UsageError: It is neither; with the name that may have been meant.
    """
    from perfscale.errors import UsageError
    from perfscale.templates.packaged import default_workload, packaged_workloads

    if workload is None:
        return default_workload()
    name = str(workload)
    if workload.is_file() or name in _NO_NAMES or workload.suffix or workload.parent != Path():
        return workload
    packaged = packaged_workloads()
    if name in packaged:
        return packaged[name]
    if workload.exists():
        return workload
    near = difflib.get_close_matches(name, packaged, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"{name}: there is no such file, and no packaged workload of that name",
        hint=f"{meant}perfscale examples lists those that are packaged",
    )


def load(
    workload: Path | None,
    overrides: list[str] | None,
    *,
    qps: str | None = None,
    burst: str | None = None,
    replicas: str | None = None,
    iterations: str | None = None,
    attribution: str | None = None,
    inputs: Inputs | None = None,
) -> Config:
    """Load the workload file, or the packaged one, with overrides applied.

    ``inputs`` are what a configuration of kube-burner is read with.

    Raises:
        ConfigError: Everything that is wrong in it.
    """
    from perfscale.foreign import load_config

    short = (
        ("--qps", "workloads[*].qps", qps),
        ("--burst", "workloads[*].burst", burst),
        ("--replicas", "workloads[*].objects[*].replicas", replicas),
        ("--iterations", "workloads[*].iterationCount", iterations),
        ("--attribution", "globalConfig.attribution", attribution),
    )
    given = {option: f"{path}={value}" for option, path, value in short if value is not None}
    return load_config(
        workload_path(workload), overrides=overrides or [], options=given, inputs=inputs
    )


def remarks(tags: list[str] | None, note: str | None) -> Remarks:
    """What the command line says of a run.

    Raises:
        typer.BadParameter: A tag is none.
    """
    from perfscale.results.model.remarks import Remarks, parse_tags

    try:
        return Remarks(parse_tags(tags or ()), note)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tag") from error


def share(option: str, text: str) -> float:
    """A share given on the command line, as in 10%.

    Raises:
        typer.BadParameter: It is none.
    """
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        found = float(number) / 100
    except ValueError:
        found = -1.0
    if not percent or not 0 <= found < math.inf:
        raise typer.BadParameter(
            f"{text!r} is no share: write a number and %, as in 10%", param_hint=option
        )
    return found


def probability(number: float) -> float:
    """The value of ``--significance``.

    Raises:
        typer.BadParameter: It is no probability.
    """
    if not 0 < number <= 1:
        raise typer.BadParameter(
            f"{number} is no probability: above 0, and 1 at most", param_hint="--significance"
        )
    return number


def seconds(option: str, text: str) -> float:
    """A duration given on the command line.

    Raises:
        typer.BadParameter: It is not one.
    """
    from perfscale.config import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def cluster(
    kubeconfig: str | None,
    context: str | None,
    master: str | None,
    *,
    request_timeout: str = "60s",
    max_unavailable: str = "5m",
    watch_idle_timeout: str = "90s",
) -> ClusterOptions:
    """How to open the cluster that the options name."""
    from perfscale.kube.cluster import ClusterOptions

    return ClusterOptions(
        kubeconfig=kubeconfig,
        context=context,
        master=master,
        request_timeout_s=seconds("--request-timeout", request_timeout),
        max_unavailable_s=seconds("--max-unavailable", max_unavailable),
        watch_idle_timeout_s=seconds("--watch-idle-timeout", watch_idle_timeout),
    )

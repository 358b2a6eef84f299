"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfscale.cli import completion
from perfscale.cli.options.panels import Panel

if TYPE_CHECKING:
    from collections.abc import Callable


def optional(
    metavar: str,
    text: str,
    *,
    envvar: str | None = None,
    offered: Callable[..., Any] | None = None,
    panel: Panel | None = None,
) -> Any:  # noqa: ANN401 - typer's
    """An option without a default that could be shown; ``offered`` completes its value."""
    return typer.Option(
        metavar=metavar,
        help=text,
        envvar=envvar,
        show_default=False,
        autocompletion=offered,
        rich_help_panel=panel,
    )


def switch(name: str, text: str, panel: Panel) -> Any:  # noqa: ANN401 - typer's
    """An option without a value."""
    return typer.Option(name, help=text, rich_help_panel=panel)


def duration(text: str, *, envvar: str) -> Any:  # noqa: ANN401 - typer's
    """An option that takes a duration, also from the environment."""
    return typer.Option(metavar="DURATION", help=text, envvar=envvar, rich_help_panel=Panel.LIMITS)


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
        help="Override a key of the file, as in workloads[0].qps=50; [*] stands for every one. "
        "Repeatable.",
        show_default=False,
        rich_help_panel=Panel.WORKLOAD,
    ),
]
Qps = Annotated[
    str | None,
    optional(
        "N",
        "Creates, or other operations, per second in every workload; 0: no limit.",
        panel=Panel.WORKLOAD,
    ),
]
Burst = Annotated[
    str | None,
    optional(
        "N",
        "How many of them may go at once before --qps holds, in every workload; 0: as many as it "
        "has a second.",
        panel=Panel.WORKLOAD,
    ),
]
Replicas = Annotated[
    str | None,
    optional("N", "Replicas of every object, in each iteration.", panel=Panel.WORKLOAD),
]
Iterations = Annotated[
    str | None, optional("N", "Iterations of every workload.", panel=Panel.WORKLOAD)
]
Attribution = Annotated[
    str | None,
    optional(
        "N|off",
        "Find out where at most so many slow objects lost their time, up to 200; without it, 20.",
        panel=Panel.RESULTS,
    ),
]
ContainerPrefix = Annotated[
    str | None,
    optional(
        "PREFIX",
        "Image prefix where the workload file leaves it open; without one, registry:5000/kubevirt.",
        envvar="DOCKER_PREFIX",
        panel=Panel.WORKLOAD,
    ),
]
ContainerTag = Annotated[
    str | None,
    optional(
        "TAG",
        "Image tag where the workload file leaves it open; without one, devel.",
        envvar="DOCKER_TAG",
        panel=Panel.WORKLOAD,
    ),
]
UserData = Annotated[
    Path | None,
    optional(
        "FILE",
        "Variables for a configuration of kube-burner, in YAML or JSON.",
        panel=Panel.KUBE_BURNER,
    ),
]
MetricsEndpoints = Annotated[
    Path | None,
    typer.Option(
        "--metrics-endpoint",
        "-e",
        metavar="FILE",
        help="A list of endpoints, in YAML, which replaces the metricsEndpoints of the "
        "configuration.",
        show_default=False,
        rich_help_panel=Panel.KUBE_BURNER,
    ),
]
AllowEnv = Annotated[
    bool,
    switch(
        "--allow-env",
        "Let configurations of kube-burner, their templates and profiles see the environment, "
        "as variables and by env.",
        Panel.KUBE_BURNER,
    ),
]
AllowMissing = Annotated[
    bool,
    switch(
        "--allow-missing",
        "Take variables as empty that a configuration of kube-burner needs and nobody gives.",
        Panel.KUBE_BURNER,
    ),
]
Kubeconfig = Annotated[
    str | None,
    optional(
        "FILE",
        "The kubeconfig; without it $KUBECONFIG, ~/.kube/config, or the pod's service account.",
        panel=Panel.CLUSTER,
    ),
]
Context = Annotated[
    str | None,
    optional(
        "NAME",
        "Context of the kubeconfig; without it, the current one.",
        envvar="PERFSCALE_CONTEXT",
        offered=completion.contexts,
        panel=Panel.CLUSTER,
    ),
]
Master = Annotated[
    str | None,
    optional(
        "URL",
        "The API server, instead of the kubeconfig's.",
        envvar="PERFSCALE_MASTER",
        panel=Panel.CLUSTER,
    ),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Do not ask for confirmation.",
        rich_help_panel=Panel.CHANGES,
    ),
]

DEFAULT_RESULTS = Path("results")
LATEST_RUN = "latest"
"""Which run is meant where none is named."""
ResultsDir = Annotated[
    Path,
    typer.Option(
        envvar="PERFSCALE_RESULTS_DIR",
        metavar="DIR",
        help="Where the results go, in a folder for each run.",
        rich_help_panel=Panel.RESULTS,
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
        rich_help_panel=Panel.RESULTS,
    ),
]

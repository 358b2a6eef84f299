"""What options name is opened: the workload file with its overrides, and the cluster."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfscale.cli.options.values import seconds
from perfscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config
    from perfscale.foreign.kube_burner import Inputs
    from perfscale.kube.cluster import ClusterOptions

_NO_NAMES: Final = frozenset({"-", ".", ".."})


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
    from perfscale.templates.packaged import default_workload, packaged_workloads

    if workload is None:
        return default_workload()
    hint = "perfscale examples lists those that are packaged"
    return _file_or_packaged(workload, packaged_workloads, "workload", hint)


def faults_path(faults: Path) -> Path:
    """The file of faults that is meant: one that is there, or a packaged one of this name.

    Raises:
        UsageError: It is neither; with the names that there are.
    """
    from perfscale.templates.packaged import packaged_faults

    hint = f"those that are packaged: {', '.join(packaged_faults())}"
    return _file_or_packaged(faults, packaged_faults, "faults", hint)


def _file_or_packaged(
    path: Path, packaged: Callable[[], dict[str, Path]], what: str, hint: str
) -> Path:
    name = str(path)
    if path.is_file() or name in _NO_NAMES or path.suffix or path.parent != Path():
        return path
    known = packaged()
    if name in known:
        return known[name]
    if path.exists():
        return path
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"{name}: there is no such file, and no packaged {what} of that name",
        hint=f"{meant}{hint}",
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

"""`perfscale validate`."""

from __future__ import annotations

from collections import Counter

import typer

from perfscale.cli import options
from perfscale.cli.output.streams import log_more


def validate(  # noqa: PLR0913 -- a command has as many parameters as options
    *,
    workload: options.WorkloadFile = None,
    set_: options.Set = None,
    qps: options.Qps = None,
    burst: options.Burst = None,
    replicas: options.Replicas = None,
    iterations: options.Iterations = None,
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
    from perfscale.config import counted
    from perfscale.kube.resources import kind_names
    from perfscale.templates import TemplateDefaults, compile_templates, count_objects

    log_more(verbose)
    config = options.load(
        workload, set_, qps=qps, burst=burst, replicas=replicas, iterations=iterations
    )
    defaults = TemplateDefaults.from_environment(container_prefix, container_tag)
    factories = compile_templates(config, run_id=PLACEHOLDER_RUN_ID, defaults=defaults)
    objects: Counter[tuple[str, str]] = Counter()
    for members in factories:
        for (api_version, kind), count in count_objects(members).items():
            objects[api_version.rpartition("/")[0], kind] += count
    names = kind_names(objects)
    total = ", ".join(f"{count} {names[key]}" for key, count in objects.items())
    workloads = counted(len(config.workloads), "workload")
    source = config.source
    reading = f"; read as {source.reading}" if source.reading else ""
    typer.echo(f"{source.name}: valid; {workloads}, {total}{reading}")


PLACEHOLDER_RUN_ID = "00000000-0000-0000-0000-000000000000"
"""Stands for the run's id where there is no run."""

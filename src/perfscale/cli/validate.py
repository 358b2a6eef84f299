"""`perfscale validate`."""

from __future__ import annotations

from collections import Counter

import typer

from perfscale.cli import options
from perfscale.cli.verbosity import log_more


def validate(
    *,
    workload: options.WorkloadFile = None,
    set_: options.Set = None,
    container_prefix: options.ContainerPrefix = None,
    container_tag: options.ContainerTag = None,
    verbose: options.Verbose = 0,
) -> None:
    """Check a workload file and its templates, without a cluster.

    Every problem is reported at once, with its file and line.

    For example:

        perfscale validate workload.yaml

        perfscale validate workload.yaml --set 'workloads[0].qps=50'
    """
    from perfscale.templates import TemplateDefaults, compile_templates
    from perfscale.templates.packaged import default_workload

    log_more(verbose)
    config = options.load(workload, set_)
    defaults = TemplateDefaults.from_environment(container_prefix, container_tag)
    factories = compile_templates(config, run_id=PLACEHOLDER_RUN_ID, defaults=defaults)
    objects: Counter[str] = Counter()
    for members in factories:
        for factory in members:
            for _, kind in factory.kinds:
                objects[kind] += factory.spec.replicas * factory.workload.iteration_count
    total = ", ".join(f"{count} {kind}" for kind, count in objects.items())
    count = len(config.workloads)
    noun = "workload" if count == 1 else "workloads"
    typer.echo(f"{workload or default_workload()}: valid; {count} {noun}, {total}")


PLACEHOLDER_RUN_ID = "00000000-0000-0000-0000-000000000000"
"""Stands for the run's id where there is no run."""

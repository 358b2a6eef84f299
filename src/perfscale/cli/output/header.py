"""Says what is about to happen, and where, before anything does."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING

import typer

from perfscale.cli.output.console import open_console
from perfscale.cli.output.workloads import describe_requests, describe_workload
from perfscale.config import counted, format_duration
from perfscale.engine.tracking.readiness import rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import Config
    from perfscale.preflight import OperationPlan, Plan, PreloadPlan
    from perfscale.results import WorkloadPlan

_MOST_NAMESPACES = 3
_SHORT_KEY = len("namespaces")


def print_header(
    plan: Plan,
    config: Config,
    *,
    simulated: bool,
    generators: str | None = None,
    metrics: str | None = None,
    page: str | None = None,
) -> None:
    """Print the plan to standard error, and where the metrics and the page of the run are.

    ``generators`` says where the load comes from, if not from this process.
    """
    where = "simulated cluster" if simulated else f"context {plan.context or '(none)'}"
    rows = [
        ("run", plan.run_id),
        ("cluster", f"{where}, {plan.server}" + (f", {plan.version}" if plan.version else "")),
        ("namespaces", _shortened(plan.namespaces)),
        *((f"workload {each.name}", _describe(each, plan)) for each in plan.workloads),
    ]
    if generators is not None:
        rows.append(("generators", generators))
    if plan.preload is not None:
        rows.append(("images", _describe_images(plan.preload)))
    if config.source.reading:
        read = ("file", f"{config.source.name}, read as {config.source.reading}")
        rows[1:1] = [read, *(("note", each) for each in config.source.notes)]
    if hooks := list(_describe_hooks(config)):
        rows.append(("hooks", "; ".join(hooks)))
    unknown = [each.kind_name for each in plan.ready_by_kind if rule_for(each).read is None]
    if unknown:
        rows.append(("ready", f"once created: {', '.join(unknown)} (see readyWhen)"))
    if metrics is not None:
        rows.append(("metrics", metrics))
    if page is not None:
        rows.append(("page", page))
    _print_rows(rows)


def _print_rows(rows: Sequence[tuple[str, str]]) -> None:
    """On a terminal wrapped between words, elsewhere a line that can be searched for.

    A key that would leave its text little room has a line of its own.
    """
    width = open_console(stderr=True).width
    indent = max(len(name) for name, _ in rows if len(name) <= max(_SHORT_KEY, width // 3)) + 2
    for name, text in rows:
        first = f"{name:<{indent}}" if len(name) < indent else f"{name}\n{'':<{indent}}"
        lines = textwrap.fill(
            text,
            max(width, indent + 1),
            initial_indent=" " * indent,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        typer.echo(first + lines[indent:], err=True)


def _describe(workload: WorkloadPlan, plan: Plan) -> str:
    operation = plan.operations.get(workload.name)
    return describe_workload(
        workload, None if operation is None else _describe_operation(operation)
    )


def _describe_operation(operation: OperationPlan) -> str:
    """As in ``restart 12 VirtualMachine (team-a: 12) that this run does not make``."""
    name = operation.operation.name
    if operation.foreign is not None:
        return f"{name} {operation.foreign} that this run does not make"
    place = f" in {operation.namespace or 'every namespace'}"
    where = "" if operation.own or not operation.target.namespaced else place
    return f"{name} {operation.target.kind_name}{where}{describe_requests(operation.requests)}"


def _describe_hooks(config: Config) -> Iterator[str]:
    """All that a file from elsewhere lets run here, as in ``beforeRun: kubectl top nodes``."""
    for hook in config.global_config.hooks:
        yield f"{hook.when}: {shlex.join(hook.run)}"
    for workload in config.workloads:
        for hook in workload.hooks:
            yield f"{hook.when} of {workload.name}: {shlex.join(hook.run)}"


def _describe_images(preload: PreloadPlan) -> str:
    images = counted(len(preload.images), "image")
    if not preload.images:
        return "none to pull first: the templates name none"
    bound = format_duration(preload.timeout_s)
    return f"{images} pulled to every node first, up to {bound}: {_shortened(preload.images)}"


def _shortened(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMESPACES + 1:
        return ", ".join(names) or "(none)"
    shown = ", ".join(names[:_MOST_NAMESPACES])
    return f"{shown} ... {names[-1]} ({len(names)} in all)"

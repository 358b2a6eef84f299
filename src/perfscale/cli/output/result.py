"""The end of a run on standard output: a table that a person can act on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from perfscale.cli.options import Output
from perfscale.cli.output.attribution import print_attribution
from perfscale.cli.output.audit_report import print_audit
from perfscale.cli.output.console import open_console, print_point, print_wrapped
from perfscale.cli.output.latencies import print_iterations, print_latencies
from perfscale.cli.output.streams import say
from perfscale.config import counted, format_duration
from perfscale.config.sections.metrics import MILESTONES
from perfscale.results import (
    RunOutcome,
    Validity,
    explain_rate,
    interruptions,
    milliseconds,
    say_iterations,
    summarize,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console

    from perfscale.results import (
        Accounts,
        ChurnResult,
        GeneratorHealth,
        GeneratorRecord,
        KindResult,
        LatencySummary,
        OperationResult,
        RunResult,
        Vitals,
        WorkloadResult,
    )

_STYLES = {
    RunOutcome.PASSED: "bold green",
    RunOutcome.FAILED: "bold red",
    RunOutcome.INTERRUPTED: "bold yellow",
    RunOutcome.KILLED: "bold red",
}
_VALIDITIES = {
    Validity.VALID: ("bold", "valid"),
    Validity.GENERATOR_LOST: ("bold red", "INVALID, generator-lost"),
}
_TICK = "[green]✓[/]"
_CROSS = "[red]✗[/]"
_WARNING = "[yellow]![/]"
_MOST_PROBLEMS = 20
_MOST_INTERRUPTIONS = 10
_WORTH_A_LINE_S = 1.0
"""Less time than this that was spent waiting is not shown."""
_READY = "Ready"
_LEFT = "objects of the run are left in the cluster; to remove them:"
_LEFT_IF_KILLED = (
    "objects of the run may be left in the cluster; if it is not going on any more, remove them:"
)


def print_result(
    result: RunResult, folder: Path | None, *, cleanup: str | None, output: Output
) -> None:
    """Print the verdict, the accounts, the latencies, and where the rest is.

    As JSON it is the summary, and what is left in the cluster goes to standard error, with
    the command that removes it; `cleanup` is None where nothing can be left.
    """
    left = ""
    if result.remains and cleanup is not None:
        left = f"{_LEFT_IF_KILLED if result.outcome is RunOutcome.KILLED else _LEFT}\n  {cleanup}"
    if output is Output.TEXT:
        _print_text(result, folder, left)
        return
    typer.echo(json.dumps(summarize(result), indent=2))
    if left:
        say(left)


def print_summary(result: RunResult) -> None:
    """Print the summary to standard error: no file has it."""
    say("the summary, which could not be written to a file:")
    say(json.dumps(summarize(result), indent=2))


def _print_text(result: RunResult, folder: Path | None, left: str) -> None:
    console = open_console()
    duration = format_duration(round(result.duration_s, 1))
    verdict = f"[{_STYLES[result.outcome]}]{result.outcome.value.upper()}[/]"
    console.print(f"\n{verdict} in {duration}, run {result.run_id}", soft_wrap=True)
    missed = {each.text for each in result.thresholds if not each.passed}
    problems = [problem for problem in result.problems if problem not in missed]
    for problem in problems[:_MOST_PROBLEMS]:
        print_point(console, _CROSS, problem)
    if len(problems) > _MOST_PROBLEMS:
        console.print(f"  and {len(problems) - _MOST_PROBLEMS} more, in the summary")
    if result.thresholds:
        console.print("\n[bold]thresholds[/]")
    for each in result.thresholds:
        print_point(console, _TICK if each.passed else _CROSS, each.text)
    for workload in result.workloads:
        _print_workload(console, workload)
    print_attribution(console, result.attribution)
    _print_warnings(console, _warnings(result))
    _print_interruptions(console, interruptions(result.outages, result.blind_spans))
    if result.generator is not None:
        _print_generator(console, result.generator, result.generators)
    if result.audit is not None:
        print_audit(console, result.audit)
    console.print()
    if folder is not None:
        console.print(f"results: {escape(str(folder))}", soft_wrap=True)
    if left:
        console.print(escape(left), soft_wrap=True)


def _print_warnings(console: Console, warnings: Iterable[str]) -> None:
    for warning in warnings:
        console.print()
        print_wrapped(console, f"[yellow]{warning}[/]")


def _warnings(result: RunResult) -> Iterator[str]:
    throttled_s = sum(call.throttled_s for call in result.calls)
    if throttled_s >= _WORTH_A_LINE_S:
        yield (
            f"requests waited {throttled_s:.1f} s in all because the API server asked for it (429)"
        )
    if illegible := int(result.requests.get("illegible", 0)):
        yield (
            f"{counted(illegible, 'answer')} of status 2xx could not be read, and the requests "
            "were sent again: something in front of the API server may have answered"
        )


def _print_interruptions(console: Console, sentences: Sequence[str]) -> None:
    if not sentences:
        return
    console.print("\n[bold]outages and blind spans[/]")
    for each in sentences[:_MOST_INTERRUPTIONS]:
        print_point(console, _WARNING, each)
    if len(sentences) > _MOST_INTERRUPTIONS:
        console.print(f"  and {len(sentences) - _MOST_INTERRUPTIONS} more, in the summary")


def _print_generator(
    console: Console, health: GeneratorHealth, generators: Iterable[GeneratorRecord]
) -> None:
    style, word = _VALIDITIES.get(health.verdict, ("bold yellow", health.verdict.value))
    console.print(f"\n[bold]generator[/]  [{style}]{word}[/]")
    for reason in health.reasons:
        print_point(console, _WARNING, reason)
    if facts := ", ".join(_vitals(health.vitals)):
        print_wrapped(console, facts, indent=2)
    for each in generators:
        print_wrapped(console, ", ".join(_one_of_several(each)), indent=2)


def _one_of_several(generator: GeneratorRecord) -> Iterator[str]:
    yield escape(f"{generator.shard}: {generator.name} on {generator.host or 'no host'}")
    if generator.lost is not None:
        yield "[bold red]lost[/]"
    if generator.vitals is not None and generator.vitals.loop_lag.p99 is not None:
        yield f"loop lag p99 {milliseconds(generator.vitals.loop_lag.p99)}"
    ahead = (generator.clock_low_s + generator.clock_high_s) / 2
    yield f"clock {ahead:+.3f}s, within {milliseconds(generator.uncertainty_s)}"


def _vitals(vitals: Vitals) -> Iterator[str]:
    """What of a lag counts is its 99th percentile."""
    for name, lag in (
        ("loop", vitals.loop_lag),
        ("limiter", vitals.limiter_lag),
        ("send", vitals.send_lag),
    ):
        if lag.p99 is not None:
            yield f"{name} lag p99 {milliseconds(lag.p99)}"
    if vitals.in_flight.max:
        yield f"at most {vitals.in_flight.max} of {vitals.in_flight.limit} in flight"


def _print_workload(console: Console, workload: WorkloadResult) -> None:
    title = f"[bold]{escape(workload.name)}[/]"
    background = "in the background" if workload.background else ""
    parts = (title, background, _iterations(workload))
    console.print("\n" + "  ".join(part for part in parts if part))
    for line in _rate(workload):
        print_wrapped(console, line, indent=2)
    if workload.not_waited_for:
        print_point(console, _WARNING, workload.not_waited_for)
    if workload.matched_nothing:
        print_point(console, _WARNING, workload.matched_nothing)
    for kind, each in workload.kinds.items():
        _print_kind(console, kind, each)
    for kind, each in workload.child_kinds.items():
        _print_kind(console, f"{kind} (children)", each)
    for operation in workload.operations:
        _print_operation(console, operation)
    print_iterations(console, workload)


def _iterations(workload: WorkloadResult) -> str:
    done, wanted = len(workload.iterations), workload.iteration_count
    if wanted == 1 and done <= 1:
        return ""
    said = say_iterations([each.iteration for each in workload.iterations], wanted)
    return said if done >= wanted else f"[bold red]{said}[/]"


def _rate(workload: WorkloadResult) -> Iterator[str]:
    rate, what = workload.rate, workload.sends
    if rate.achieved is not None:
        target = f", of {round(rate.target, 2):g} wanted" if rate.target else ""
        known = (("offered", rate.offered), ("sent", rate.sent))
        others = ", ".join(f"{name} {value:.2f}" for name, value in known if value is not None)
        yield f"{rate.achieved:.2f} {what} a second accepted{target} ({others})"
    if reason := explain_rate(rate, what):
        yield reason
    if rate.held_back_s >= _WORTH_A_LINE_S:
        yield (
            f"[yellow]{what} waited {rate.held_back_s:.1f} s in all for a place among the "
            "requests in flight (globalConfig.maxInFlight), not for the rate[/]"
        )


def _print_kind(console: Console, kind: str, result: KindResult) -> None:
    console.print(f"\n  [cyan]{escape(kind)}[/]")
    print_wrapped(console, ", ".join(_counts(result.accounts)), indent=2)
    if result.made_by:
        causes = ", ".join(f"{count} by {cause}" for cause, count in result.made_by.items())
        text = f"not made by the creation of their owners, and only measured as they go: {causes}"
        print_wrapped(console, f"[dim]{escape(text)}[/]", indent=2)
    print_latencies(console, _latencies(result))
    if result.phase_clock is not None and (reason := result.phase_clock.reason):
        print_point(console, _WARNING, f"{kind}: {reason} (serverPhases in the summary)")


def _print_operation(console: Console, operation: OperationResult) -> None:
    console.print(f"\n  [cyan]{escape(operation.operation)} of {escape(operation.kind)}[/]")
    accounts = operation.accounts
    parts = [f"{accounts.requested} requested", f"{accounts.done} done"]
    others = (
        (accounts.failed, "failed"),
        (accounts.unfinished, "unfinished"),
        (accounts.not_attempted, "not attempted"),
        (accounts.unknown, "of these unknown"),
    )
    parts += [f"[bold red]{count} {name}[/]" for count, name in others if count]
    print_wrapped(console, ", ".join(parts), indent=2)
    latencies = operation.latencies.items()
    print_latencies(console, [each for each in latencies if each[1].count + each[1].missing])


def _counts(accounts: Accounts) -> Iterator[str]:
    yield f"{accounts.requested} requested"
    yield f"{accounts.created} created"
    yield f"{accounts.ready} ready"
    yield f"{accounts.deleted} deleted"
    for count, name in (
        (accounts.failed, "failed"),
        (accounts.unready, "unready"),
        (accounts.not_attempted, "not attempted"),
        (accounts.lost, "lost"),
        (accounts.unknown, "of these unknown"),
        (accounts.leftover, "left over"),
    ):
        if count:
            yield f"[bold red]{count} {name}[/]"


def _latencies(kind: KindResult) -> Iterator[tuple[str, LatencySummary]]:
    """The way to readiness, milestones, and the way out; what lies beyond is in the summary."""
    for phase in (*kind.path, _READY, *MILESTONES):
        if phase in kind.phases:
            yield phase, kind.phases[phase]
    if kind.deletion.count or kind.deletion.missing:
        yield "deletion", kind.deletion
    if kind.churn is not None:
        yield from _churn_latencies(kind.churn)


def _churn_latencies(churn: ChurnResult) -> Iterator[tuple[str, LatencySummary]]:
    """Of what churn created and deleted: of all of it, and of the first and the last round."""
    created = [each for each in churn.rounds if each.ready.count + each.ready.missing]
    if _READY in churn.phases:
        yield "churn: Ready", churn.phases[_READY]
    if len(created) > 1:
        for each in (created[0], created[-1]):
            yield f"  round {each.last}", each.ready
    deleted = [each for each in churn.rounds if each.deletion.count + each.deletion.missing]
    if deleted:
        yield "churn: deletion", churn.deletion
    if len(deleted) > 1:
        for each in (deleted[0], deleted[-1]):
            yield f"  round {each.last}", each.deletion

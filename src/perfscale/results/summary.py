"""``summary.json``: a run's result as one JSON document."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.calls import CallResult
    from perfscale.results.clock import ClockOffset
    from perfscale.results.records import (
        IterationResult,
        KindResult,
        Rate,
        RunResult,
        WatchDelay,
        WorkloadResult,
    )
    from perfscale.results.thresholds import ThresholdVerdict

SCHEMA_VERSION = 1
"""Raised whenever a reader of ``summary.json`` would have to change."""


def summarize(result: RunResult) -> dict[str, Any]:
    """The document: counts as integers, times in seconds, ``null`` where not reached."""
    info = result.info
    return {
        "schemaVersion": SCHEMA_VERSION,
        "runId": info.run_id,
        "startedAt": info.started_at.isoformat(),
        "finishedAt": result.finished_at.isoformat(),
        "durationSeconds": round(result.duration_s, 6),
        "outcome": result.outcome.value,
        "exitCode": result.exit_code,
        "problems": list(result.problems),
        "thresholds": [_threshold(verdict) for verdict in result.thresholds],
        "cluster": {
            "context": info.cluster.context,
            "server": info.cluster.server,
            "version": info.cluster.version,
        },
        "objects": result.accounts.as_json(),
        "children": result.children.as_json(),
        "namespaces": {
            "created": result.namespaces.created,
            "deleted": result.namespaces.deleted,
            "leftover": result.namespaces.leftover,
        },
        "watch": {"reconnects": result.watch.reconnects, "relists": result.watch.relists},
        "requests": dict(result.requests),
        "clock": _clock(result.clock),
        "calls": [_call(call) for call in result.calls],
        "kinds": _kinds(result.kinds),
        "childKinds": _kinds(result.child_kinds),
        "workloads": [_workload(workload) for workload in result.workloads],
    }


def _threshold(verdict: ThresholdVerdict) -> dict[str, Any]:
    return {to_camel(field.name): getattr(verdict, field.name) for field in fields(verdict)}


def _workload(workload: WorkloadResult) -> dict[str, Any]:
    return {
        "name": workload.name,
        "iterationCount": workload.iteration_count,
        "objects": workload.accounts.as_json(),
        "children": workload.children.as_json(),
        "rate": _rate(workload.rate),
        "calls": [_call(call) for call in workload.calls],
        "kinds": _kinds(workload.kinds),
        "childKinds": _kinds(workload.child_kinds),
        "iterations": [_iteration(iteration) for iteration in workload.iterations],
    }


def _iteration(iteration: IterationResult) -> dict[str, Any]:
    return {
        "iteration": iteration.iteration,
        "startedSeconds": round(iteration.started_s, 6),
        "finishedSeconds": round(iteration.finished_s, 6),
        "problems": list(iteration.problems),
        "objects": iteration.accounts.as_json(),
        "children": iteration.children.as_json(),
        "rate": _rate(iteration.rate),
        "calls": [_call(call) for call in iteration.calls],
        "kinds": _kinds(iteration.kinds),
        "childKinds": _kinds(iteration.child_kinds),
    }


def _rate(rate: Rate) -> dict[str, float | None]:
    return {
        "targetQps": rate.target,
        "achievedQps": None if rate.achieved is None else round(rate.achieved, 3),
        "heldBackSeconds": round(rate.held_back_s, 6),
    }


def _clock(clock: ClockOffset | None) -> dict[str, float | None] | None:
    if clock is None:
        return None
    return {
        "offsetSeconds": round(clock.offset_s, 6) if clock.consistent else None,
        "uncertaintySeconds": round(clock.uncertainty_s, 6) if clock.consistent else None,
        "lowSeconds": clock.low_s,
        "highSeconds": clock.high_s,
    }


def _call(call: CallResult) -> dict[str, Any]:
    return {
        "verb": call.verb,
        "resource": call.resource,
        "sent": call.sent,
        "statuses": {str(status): count for status, count in call.statuses.items()},
        "timeouts": call.timeouts,
        "connectionErrors": call.connection_errors,
        "retries": call.retries,
        "throttledSeconds": round(call.throttled_s, 6),
        "latency": call.latency.as_json(),
    }


def _watch_delay(delay: WatchDelay | None) -> dict[str, Any] | None:
    if delay is None:
        return None
    return {"atLeast": delay.at_least.as_json(), "atMost": delay.at_most.as_json()}


def _kinds(kinds: Mapping[str, KindResult]) -> dict[str, Any]:
    return {
        kind: {
            "objects": result.accounts.as_json(),
            "phases": {phase: summary.as_json() for phase, summary in result.phases.items()},
            "creation": None if result.creation is None else result.creation.as_json(),
            "deletion": result.deletion.as_json(),
            "transitions": [
                {"from": each.before, "to": each.after, **each.duration.as_json()}
                for each in result.transitions
            ],
            "serverPhases": {
                phase: summary.as_json() for phase, summary in result.server_phases.items()
            },
            "watchDelay": _watch_delay(result.watch_delay),
        }
        for kind, result in kinds.items()
    }

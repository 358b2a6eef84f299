"""Folders of runs of the past, with no more in them than a list of runs and a trend read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
KIND: Final = "VirtualMachineInstance"


def run_id(number: int) -> str:
    """An id whose beginning tells it from those of others."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def past_run(
    parent: Path,
    number: int,
    *,
    ready_p99: float | None = 2.0,
    accepted: float = 19.5,
    outcome: str | None = "passed",
    generator: str = "valid",
    workload: str = "density",
    **more: Any,
) -> Path:
    """The run that began so many days after the first; without an outcome it has no summary.

    More are its ``tags`` and its ``note``, and facts of the cluster.
    """
    remarks = {"tags": more.pop("tags", {}), "note": more.pop("note", None)}
    started = (BEGIN + timedelta(days=number)).isoformat()
    where = {"context": "lab", "server": "https://cluster", "version": "v1.32.0", **more}
    folder = parent / f"{workload}-{number:04}"
    folder.mkdir(parents=True)
    run = {
        "runId": run_id(number),
        "source": f"{workload}.yaml",
        "startedAt": started,
        "cluster": where,
        "client": {"version": "1.0"},
        **remarks,
    }
    (folder / "run.json").write_text(json.dumps(run))
    if outcome is not None:
        none = ("failed", "unready", "notAttempted", "leftover", "unknown", "lost")
        all_ = ("requested", "created", "ready", "deleted")
        counts = dict.fromkeys(none, 0) | dict.fromkeys(all_, 100)
        summary = {
            "schemaVersion": 2,
            "runId": run_id(number),
            "startedAt": started,
            "finishedAt": started,
            "durationSeconds": 60.0,
            "outcome": outcome,
            "exitCode": 0,
            "generator": {"verdict": generator},
            "cluster": where,
            "objects": counts,
            "children": {},
            "workloads": [_workload(workload, counts, ready_p99, accepted)],
        }
        (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def _workload(
    name: str, counts: dict[str, int], ready_p99: float | None, accepted: float
) -> dict[str, Any]:
    ready = {
        "count": 100,
        "missing": 0,
        "p50": None if ready_p99 is None else ready_p99 / 2,
        "p90": ready_p99,
        "p95": ready_p99,
        "p99": ready_p99,
    }
    rate = {"targetQps": 20.0, "offeredQps": 20.0, "sentQps": 20.0, "achievedQps": accepted}
    return {
        "name": name,
        "objects": counts,
        "children": {},
        "rate": {**rate, "sent": 100, "burst": 20, "heldBackSeconds": 0.0},
        "calls": [],
        "kinds": {
            KIND: {
                "objects": counts,
                "phases": {"Ready": ready},
                "creation": None,
                "deletion": {**ready, "p99": 1.0},
                "transitions": [],
                "serverPhases": {},
            }
        },
    }

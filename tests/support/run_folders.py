"""Folders of runs that have ended, with as many objects as a test wants."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from journals import INFO, append

from perfscale.results import (
    Entry,
    IterationEndEntry,
    IterationEntry,
    ObjectEntry,
    OperationEntry,
    Totals,
    WorkloadPlan,
    rebuild_results,
)
from perfscale.results.folder.runfile import describe_run
from perfscale.results.journal.entries import Begin, EndEntry

VMI: Final = "VirtualMachineInstance"
PATH: Final = ("Pending", "Scheduling", "Scheduled", "Running")
WORKLOAD: Final = "density"


def vmi(
    number: int, *, ready_after_s: float = 2.0, sent_s: float = 0.0, **more: Any
) -> ObjectEntry:
    """A VMI of the first iteration that was created, became ready, and was deleted."""
    moments = {
        "uid": f"uid-{number}",
        "scheduled_s": sent_s,
        "admitted_s": sent_s,
        "created_s": sent_s + 0.1,
        "phases_s": {
            phase: sent_s + ready_after_s * share
            for phase, share in zip(PATH, (0.1, 0.2, 0.6, 1.0), strict=True)
        },
        "ready_s": sent_s + ready_after_s,
        "delete_requested_s": sent_s + ready_after_s + 1.0,
        "deleted_s": sent_s + ready_after_s + 1.5,
    }
    told = {"i": 1, "name": f"vmi-{number}", "replica": number, **moments, **more}
    return ObjectEntry(n=number, kind=VMI, namespace="density-1", sent_s=sent_s, **told)


def refused(number: int, error: str, **more: Any) -> ObjectEntry:
    """A VMI that the server did not accept."""
    nothing = dict.fromkeys(("uid", "created_s", "ready_s", "delete_requested_s", "deleted_s"))
    return vmi(number, error=error, **{**nothing, "phases_s": {}, **more})


def restart(number: int, *, effect_s: float = 4.0, **more: Any) -> OperationEntry:
    """A VM's restart, of the workload that follows the first iteration, and was done."""
    sent_s = number / 10
    moments = {
        "scheduled_s": sent_s,
        "admitted_s": sent_s,
        "sent_s": sent_s,
        "answered_s": sent_s + 0.05,
        "milestones": {"Gone": sent_s + effect_s / 4},
        "done_s": sent_s + effect_s,
        **more,
    }
    return OperationEntry(
        n=number,
        i=2,
        operation="restart",
        kind="VirtualMachine",
        namespace="density-1",
        name=f"vm-{number}",
        uid=f"uid-vm-{number}",
        **moments,
    )


def finished_run(
    folder: Path,
    entries: Iterable[Entry],
    *,
    requested: int,
    iterations: int = 1,
    qps: float | None = 10.0,
    duration_s: float = 30.0,
    outcome: str = "passed",
    problems: Iterable[str] = (),
) -> Path:
    """Make the folder of a run with a workload of VMIs, which the summary is made from too.

    Restarts among the entries were done by another workload, beside its only iteration.
    """
    entries = list(entries)
    restarts = [entry for entry in entries if isinstance(entry, OperationEntry)]
    workloads = [WorkloadPlan(WORKLOAD, iterations, {VMI: requested}, qps, 1)]
    if restarts:
        workloads.append(WorkloadPlan("restarts", 1, {}, qps, 1, operation="restart"))
    info = replace(INFO, workloads=tuple(workloads), paths={VMI: PATH})
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(describe_run(info, None)))
    (folder / "workload.yaml").write_text(info.workload_yaml)
    numbers = range(1, iterations + 1)
    begins: list[Entry] = [
        IterationEntry(i, WORKLOAD, i, {VMI: requested // iterations}, 0.0) for i in numbers
    ]
    ends: list[Entry] = [IterationEndEntry(i, duration_s, 0.0, [], settled=True) for i in numbers]
    end = EndEntry(
        finished_at="2026-01-02T03:04:35+00:00",
        duration_s=duration_s,
        outcome=outcome,
        exit_code=0 if outcome == "passed" else 1,
        problems=list(problems),
        remains=False,
        totals=Totals(requests={"sent": requested}),
    )
    if restarts:
        count = {"VirtualMachine": len(restarts)}
        begins.append(IterationEntry(iterations + 1, "restarts", 1, count, 0.0))
        ends.append(IterationEndEntry(iterations + 1, duration_s, 0.0, [], settled=True))
    begin = Begin(schema_version=1, run_id="1234", workloads=info.workloads, paths={VMI: PATH})
    append(folder, begin, *begins, *entries, *ends, end)
    rebuild_results(folder)
    return folder

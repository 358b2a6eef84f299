"""Folders of runs as a test wants them: their journal is written here, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from perfscale.results import (
    ClusterInfo,
    Course,
    Ending,
    Entry,
    IterationEntry,
    NamespaceCounts,
    ObjectEntry,
    RunInfo,
    RunOutcome,
    RunResult,
    RunSum,
    StageEntry,
    StageLog,
    Totals,
    TotalsEntry,
    WorkloadPlan,
    cleanup_command,
    conclude,
)
from perfscale.results.folder.runfile import describe_run
from perfscale.results.journal.entries import Begin

INFO: Final = RunInfo(
    run_id="1234",
    source="loads/density.yaml",
    started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    cluster=ClusterInfo("staging", "https://127.0.0.1:6443", "v1.32.0"),
    kinds=(("v1", "ConfigMap"),),
    namespaces=("density-1",),
    command=("perfscale", "run"),
    workload_yaml=(
        "workloads: [{name: density, objects: [{templateFile: map.yaml, replicas: 3}]}]\n"
    ),
    workloads=(WorkloadPlan("density", 2, {"ConfigMap": 6}, 10.0, 1),),
)
"""Two iterations of three objects."""


def passed(info: RunInfo, run_sum: RunSum) -> RunResult:
    """What a run came to that counted this, and of which there is nothing else to tell."""
    finished_at = datetime(2026, 1, 2, 3, 5, 5, tzinfo=UTC)
    ending = Ending(finished_at, 60.0, RunOutcome.PASSED, 0, (), remains=False)
    return conclude(info, ending, run_sum, Totals(), course=Course((), (), (), StageLog()))


def begins() -> list[Entry]:
    """The first iteration, with two creates: one is answered, the other is not."""
    return [
        IterationEntry(1, "density", 1, {"ConfigMap": 3}, 0.1),
        StageEntry(0.2, "creating", "density", 1),
        created(1, sent_s=0.3),
        ObjectEntry(n=2, i=1, kind="ConfigMap", namespace="density-1", name="map-2", replica=2,
                    sent_s=0.4),
        TotalsEntry(0.5, Totals(namespaces=NamespaceCounts(created=1))),
    ]  # fmt: skip


def created(number: int, *, sent_s: float, **more: Any) -> ObjectEntry:
    """An object that is ready because it is there."""
    return ObjectEntry(
        n=number,
        i=1,
        kind="ConfigMap",
        namespace="density-1",
        name=f"map-{number}",
        replica=number,
        sent_s=sent_s,
        uid=f"uid-{number}",
        created_s=sent_s + 0.1,
        ready_s=sent_s + 0.1,
        **more,
    )


def killed_run(
    folder: Path,
    entries: Iterable[Entry],
    workloads: tuple[WorkloadPlan, ...] = INFO.workloads,
    *,
    simulated: bool = False,
) -> Path:
    """Make the folder of a run that was killed once it had written these."""
    folder.mkdir()
    cleanup = None if simulated else cleanup_command(INFO)
    (folder / "run.json").write_text(json.dumps(describe_run(INFO, cleanup)))
    (folder / "workload.yaml").write_text(INFO.workload_yaml)
    begin = Begin(schema_version=1, run_id="1234", workloads=workloads, paths={})
    append(folder, begin, *entries)
    return folder


def append(folder: Path, *entries: Entry | bytes) -> None:
    """Write lines at the end of a journal, entries or whatever else."""
    encoder = msgspec.json.Encoder()
    with (folder / "journal.ndjson").open("ab") as file:
        for entry in entries:
            file.write(entry if isinstance(entry, bytes) else encoder.encode(entry) + b"\n")

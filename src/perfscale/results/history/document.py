"""The list of runs as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from perfscale.results.model.client.health import Validity
from perfscale.results.model.document import document_schema
from perfscale.results.model.document.measured import Part, Seconds
from perfscale.results.model.run import RunOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from perfscale.results.history.heads import RunHead, Runs


class ListedWorkload(Part, frozen=True):
    """One workload of a run."""

    name: str
    accepted_qps: Annotated[float | None, Meta(description="null: not known")]
    ready_p99_seconds: Annotated[dict[str, Seconds], Meta(description="by kind")]
    done_p99_seconds: Annotated[dict[str, Seconds], Meta(description="of operations")]


class ListedRun(Part, frozen=True):
    """One run."""

    folder: str
    run_id: str
    started_at: str
    source: str | None
    context: str | None
    server: str
    tags: dict[str, str]
    note: str | None
    outcome: Annotated[
        RunOutcome | None, Meta(description="null: no summary; it goes on, or was killed")
    ]
    generator: Annotated[Validity | None, Meta(description="null: not known")]
    workloads: list[ListedWorkload]


class LeftOutFolder(Part, frozen=True):
    """A folder that is no run, or none that can be read."""

    folder: str
    why: str


class RunList(Part, frozen=True):
    """The runs of a results folder, the newest first."""

    folder: str
    runs: list[ListedRun]
    skipped: list[LeftOutFolder]


def runs_document(folder: Path, runs: Runs) -> dict[str, Any]:
    """The document."""
    document = RunList(
        folder=str(folder),
        runs=[_listed(run) for run in runs.runs],
        skipped=[LeftOutFolder(folder=str(each.folder), why=each.why) for each in runs.skipped],
    )
    built: dict[str, Any] = msgspec.to_builtins(document)
    return built


def runs_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the list."""
    return document_schema(RunList, "perfscale runs")


def _listed(run: RunHead) -> ListedRun:
    return ListedRun(
        folder=str(run.folder),
        run_id=run.run_id,
        started_at=run.started_at.isoformat(),
        source=run.source,
        context=run.cluster.context,
        server=run.cluster.server,
        tags=dict(run.tags),
        note=run.note,
        outcome=run.outcome,
        generator=run.generator,
        workloads=[
            ListedWorkload(
                name=each.name,
                accepted_qps=each.accepted_qps,
                ready_p99_seconds=dict(each.ready_p99_s),
                done_p99_seconds=dict(each.done_p99_s),
            )
            for each in run.workloads
        ],
    )

"""Searches whose steps are run by nobody: a limit stands in for the cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from journals import INFO
from workload_file import entry, write_workload

from perfscale.results import Accounts, NamespaceCounts, RunOutcome, RunResult, WatchCounts
from perfscale.results.model.client.health import Validity
from perfscale.search import (
    Circumstances,
    Expected,
    OpenedSearch,
    SearchDocument,
    SearchPlan,
    Step,
    Varied,
    Verdict,
    begin_search,
)
from perfscale.search.document import StepLatency, StepRate

THRESHOLD: Final = {"metric": "vmiReady", "quantile": "p99", "max": "5s"}
LIMIT: Final = 42.7


class KilledError(Exception):
    """The process is gone: nothing of it is written any more."""


def workload(folder: Path, replicas: int = 100, **keys: object) -> Path:
    """A workload file with a threshold."""
    spec = entry("templates/vmi-ephemeral.yaml", replicas, "load")
    return write_workload(folder, spec, **{"burst": 1, "thresholds": [THRESHOLD], **keys})


def begun(
    folder: Path, plan: SearchPlan | None = None, *, vary: str = "qps", expected: str | None = None
) -> OpenedSearch:
    """A search that has just begun, without pauses between its steps."""
    return begin_search(
        Varied(workload(folder), (), vary),
        plan or SearchPlan(5, 200),
        folder / "results",
        Circumstances(
            settle_s=0.0, expected=None if expected is None else Expected.parse(expected)
        ),
    )


def run(**known: Any) -> RunResult:
    """A run that has passed, but for what is known otherwise."""
    result = RunResult(
        info=INFO, finished_at=datetime(2026, 1, 2, 3, 5, 5, tzinfo=UTC), duration_s=60.0,
        outcome=RunOutcome.PASSED, exit_code=0, problems=(), error=None, remains=False,
        accounts=Accounts(), children=Accounts(), watch=WatchCounts(),
        namespaces=NamespaceCounts(), requests={},
    )  # fmt: skip
    return replace(result, **known)


def ended(step: Step, verdict: Verdict | None, *reasons: str) -> Step:
    """A step as its run leaves it."""
    outcome = {
        Verdict.HOLDS: RunOutcome.PASSED,
        Verdict.LOST: RunOutcome.FAILED,
        Verdict.NOT_COUNTED: RunOutcome.FAILED,
        None: RunOutcome.INTERRUPTED,
    }
    return msgspec.structs.replace(
        step,
        folder=f"steps/density-{step.run_id}",
        duration_seconds=10.0,
        verdict=verdict,
        reasons=reasons,
        outcome=outcome[verdict],
        generator=Validity.VALID,
        remains=False,
        rates=(
            StepRate(
                workload="density",
                offered_qps=step.value,
                sent_qps=step.value,
                achieved_qps=min(step.value, LIMIT),
            ),
        ),
        latencies=(
            StepLatency(
                workload="density",
                kind="VirtualMachineInstance",
                operation=None,
                measure="Ready",
                count=100,
                missing=0,
                p50=1.0,
                p99=None if verdict is Verdict.LOST else 2.0,
            ),
        ),
    )


class FakeSteps:
    """Runs steps by asking what their value comes to.

    Attributes:
        values: What was run, in this process.
        removed: The numbers of the steps that were cleaned up after.
        on_step: Called before each step comes to its end, with how many did.
    """

    def __init__(self, verdict_of: Callable[[float], Verdict] | None = None) -> None:
        self.values: list[float] = []
        self.removed: list[int] = []
        self.left: list[str] = []
        self.on_step: Callable[[int], None] = lambda _: None
        self.interrupted = False
        self._verdict_of = verdict_of or (
            lambda value: Verdict.HOLDS if value <= LIMIT else Verdict.LOST
        )

    async def run(self, step: Step, document: SearchDocument) -> tuple[Step, SearchDocument]:
        self.on_step(len(self.values))
        if self.interrupted:
            return ended(step, None), document
        self.values.append(step.value)
        verdict = self._verdict_of(step.value)
        reasons = () if verdict is Verdict.HOLDS else (f"{verdict} at {step.value:g}",)
        return ended(step, verdict, *reasons), document

    async def remove(self, step: Step) -> list[str]:
        self.removed.append(step.number)
        return self.left

    def interrupt(self, signum: int) -> None:
        assert signum
        self.interrupted = True

"""Whether a run passed, and the exit code that says so."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

from perfscale.config import counted
from perfscale.errors import PerfscaleError, RunFailedError, ThresholdError
from perfscale.results import Accounts, RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perfscale.config import Config
    from perfscale.results import NamespaceCounts, ThresholdVerdict, WorkloadResult

INTERNAL_ERROR = 70
"""``EX_SOFTWARE`` of sysexits.h."""


class Verdict(NamedTuple):
    """How a run ended."""

    outcome: RunOutcome
    exit_code: int
    problems: tuple[str, ...]


def judge(
    config: Config,
    workloads: Sequence[WorkloadResult],
    namespaces: NamespaceCounts,
    *,
    error: BaseException | None,
    interrupted_by: int | None,
    problems: Sequence[str] = (),
    thresholds: Sequence[ThresholdVerdict] = (),
) -> Verdict:
    """Look at everything that happened.

    Args:
        config: What was waited for.
        workloads: The accounts, in the order of ``config.workloads``.
        namespaces: Those made and left.
        error: What ended the run, if something did.
        interrupted_by: The signal that interrupted it, if one did.
        problems: What else went wrong.
        thresholds: Whether each was met.
    """
    missed = [threshold.text for threshold in thresholds if not threshold.passed]
    found = [*_iteration_problems(workloads), *_account_problems(config, workloads), *problems]
    waited = any(workload.iteration_deletion_wait for workload in config.workloads)
    if namespaces.leftover and waited and not found:
        found.append(f"{counted(namespaces.leftover, 'namespace')} still there")
    if error is not None:
        found.insert(0, str(error))
    if interrupted_by is not None:
        found.insert(0, f"interrupted by {signal.Signals(interrupted_by).name}")
        return Verdict(RunOutcome.INTERRUPTED, 128 + interrupted_by, (*found, *missed))
    if error is not None:
        code = error.exit_code if isinstance(error, PerfscaleError) else INTERNAL_ERROR
        if isinstance(error, ThresholdError) and (_some_failed(workloads) or problems):
            code = RunFailedError.exit_code
        return Verdict(RunOutcome.FAILED, code, (*found, *missed))
    if found:
        return Verdict(RunOutcome.FAILED, RunFailedError.exit_code, (*found, *missed))
    if missed:
        return Verdict(RunOutcome.FAILED, ThresholdError.exit_code, tuple(missed))
    return Verdict(RunOutcome.PASSED, 0, ())


def _some_failed(workloads: Sequence[WorkloadResult]) -> bool:
    """Whether objects failed or stayed; what a run that ended early left unready has not failed."""
    return any(each.accounts.failed or each.accounts.leftover for each in workloads)


def _iteration_problems(workloads: Sequence[WorkloadResult]) -> Iterator[str]:
    for workload in workloads:
        for iteration in workload.iterations:
            for problem in iteration.problems:
                yield f"{workload.name}, iteration {iteration.iteration}: {problem}"


def _account_problems(config: Config, workloads: Sequence[WorkloadResult]) -> Iterator[str]:
    """What the accounts say that no iteration has said: it happened after its end."""
    for settings, workload in zip(config.workloads, workloads, strict=True):
        explained = Accounts()
        for iteration in workload.iterations:
            if iteration.problems:
                explained += iteration.accounts
        if workload.accounts.failed > explained.failed:
            failed = counted(workload.accounts.failed - explained.failed, "object")
            yield f"{workload.name}: {failed} failed"
        if settings.waits_for_creation and workload.accounts.unready > explained.unready:
            unready = counted(workload.accounts.unready - explained.unready, "object")
            yield f"{workload.name}: {unready} not ready"
        deletes = settings.iteration_deletion_wait or settings.workload_cleanup
        if deletes and workload.accounts.leftover > explained.leftover:
            leftover = counted(workload.accounts.leftover - explained.leftover, "object")
            yield f"{workload.name}: {leftover} left over"

"""What else went wrong than in the run itself changes how the run ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from perfscale.results.model.run import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perfscale.results.model.audit import AuditRecord
    from perfscale.results.model.run import RunResult

LOST_RESULTS: Final = 1
"""Exit code of a run that passed and of which not everything could be written."""
_GRAVEST_FIRST: Final = (70, 4, 1, 3)
_INTERRUPTED: Final = 128
"""From here on an exit code says which signal ended the run."""


def with_problems(result: RunResult, exit_code: int, problems: Iterable[str]) -> RunResult:
    """A run's result, with something that came after the run taken into account.

    Args:
        result: What happened in the run.
        exit_code: What the rest amounts to; 0 changes no outcome.
        problems: What went wrong there, one sentence each.
    """
    failed = result.outcome is RunOutcome.PASSED and exit_code != 0
    return replace(
        result,
        outcome=RunOutcome.FAILED if failed else result.outcome,
        exit_code=graver(result.exit_code, exit_code),
        problems=(*result.problems, *problems),
    )


def with_lost_results(result: RunResult, error: OSError) -> RunResult:
    """A run's result, some of which could not be written: nobody may take it for complete."""
    text = f"the results could not all be written: {error.strerror or error}"
    return with_problems(result, LOST_RESULTS, [text])


def graver(first: int, second: int) -> int:
    """The one of two exit codes that stands: a signal's, else 70, 4, 1, 3, 0."""

    def rank(code: int) -> int:
        if code >= _INTERRUPTED:
            return -1
        return _GRAVEST_FIRST.index(code) if code in _GRAVEST_FIRST else len(_GRAVEST_FIRST)

    return min(first, second, key=rank)


def with_audit(result: RunResult, record: AuditRecord | None) -> RunResult:
    """A run's result, with its audit taken into account."""
    if record is None:
        return result
    return replace(with_problems(result, record.exit_code, record.problems), audit=record)

"""What became of a hook."""

from __future__ import annotations

import msgspec


class HookRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the run has called.

    Attributes:
        n: Its number among those of the run, counted from 1.
        when: The moment, as the workload file spells it.
        workload: For which workload; None for the run.
        iteration: For which of its iterations; None for all of it.
        command: The program and its arguments.
        began_s: When it began, in seconds since the run's start.
        background: Whether the run went on beside it.
        ended_s: When it ended; None if that is not known.
        exit_code: What it ended with, negative for a signal's number; None if it was ended.
        problem: Why it failed; None if it did not.
        output: Its file in the run's folder; None where there is no folder.
        left_out: Bytes that it printed and that are not in the file.
    """

    n: int
    when: str
    workload: str | None
    iteration: int | None
    command: tuple[str, ...]
    began_s: float
    background: bool = False
    ended_s: float | None = None
    exit_code: int | None = None
    problem: str | None = None
    output: str | None = None
    left_out: int = 0

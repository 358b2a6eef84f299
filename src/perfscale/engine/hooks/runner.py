"""The hooks of a run: which are due at a moment, and what becomes of each."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from typing import TYPE_CHECKING, Final

import msgspec

from perfscale.config import format_duration
from perfscale.config.sections.hooks import ABORT, MOMENTS
from perfscale.engine.events import HookFinished, HookStarted, Stage
from perfscale.engine.hooks.process import execute, signal_group
from perfscale.errors import HookError
from perfscale.results import FolderSink, HookEntry, HookOutput, HookRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.config import Workload
    from perfscale.config.sections.hooks import Hook
    from perfscale.engine.accounting.progress import ProgressPublisher
    from perfscale.engine.context import RunContext

_INNERMOST_FIRST: Final = frozenset(each for each in MOMENTS if each.startswith("after"))


class HookRunner:
    """Runs the hooks of a run."""

    def __init__(self, context: RunContext, progress: ProgressPublisher) -> None:
        self._context = context
        self._progress = progress
        self._background: set[asyncio.Task[None]] = set()
        self._groups: set[int] = set()
        self._records: list[HookRecord] = []

    @property
    def records(self) -> tuple[HookRecord, ...]:
        """Those that have begun, in their order."""
        return tuple(self._records)

    async def run(
        self, when: str, workload: Workload | None = None, iteration: int | None = None
    ) -> None:
        """Run the hooks of a moment, one after the other, or begin those in the background.

        Cancellation ends the one that goes on; none is left behind.

        Raises:
            HookError: One that is to abort the run has failed.
        """
        name = None if workload is None else workload.name
        for hook in self._due(when, workload):
            record = HookRecord(
                n=len(self._records) + 1,
                when=when,
                workload=name,
                iteration=iteration,
                command=hook.run,
                began_s=self._context.stopwatch.now(),
                background=hook.background,
            )
            self._records.append(record)
            self._journal(record)
            self._context.broadcast.send(
                HookStarted(record.n, when, hook.run, name, iteration, hook.background)
            )
            if hook.background:
                task = self._context.tasks.create_task(
                    self._guarded(hook, record), name=f"perfscale-hook-{record.n}"
                )
                self._background.add(task)
                task.add_done_callback(self._background.discard)
            else:
                self._progress.enter(Stage.RUNNING_HOOK, name, iteration, hook.timeout_s)
                await self._execute(hook, record)

    def stop(self) -> None:
        """End those in the background; the run's tasks are to be waited for."""
        for task in self._background:
            task.cancel()

    def kill(self) -> None:
        """Let none of them end in order: the run has to stop at once."""
        for group in self._groups:
            signal_group(group, signal.SIGKILL)

    def _due(self, when: str, workload: Workload | None) -> Iterator[Hook]:
        everywhere = self._context.config.global_config.hooks
        own = () if workload is None else workload.hooks
        hooks = (*own, *everywhere) if when in _INNERMOST_FIRST else (*everywhere, *own)
        return (hook for hook in hooks if hook.when == when)

    async def _guarded(self, hook: Hook, record: HookRecord) -> None:
        """In the background, where nobody waits for it."""
        try:
            await self._execute(hook, record)
        except Exception as error:  # noqa: BLE001 -- raised at the end of the run, after its cleanup
            self._context.abort(error)

    async def _execute(self, hook: Hook, record: HookRecord) -> None:
        problem, code = None, None
        with HookOutput(self._folder, record) as output:
            environment = self._environment(record)
            try:
                code = await execute(
                    hook.run,
                    environment,
                    output.write,
                    timeout_s=hook.timeout_s,
                    groups=self._groups,
                )
                if code:
                    problem = f"it ended with exit code {code}"
            except TimeoutError:
                problem = f"it was ended after {format_duration(hook.timeout_s or 0)}"
            except OSError as error:
                problem = f"it cannot be run: {error.strerror or error}"
            except asyncio.CancelledError:
                problem = None if hook.background else "it was ended with the run"
                raise
            finally:
                self._finish(record, output, code, problem)
        if problem is not None:
            self._fail(hook, record, problem, output.path)

    def _finish(
        self, record: HookRecord, output: HookOutput, code: int | None, problem: str | None
    ) -> None:
        ended = msgspec.structs.replace(
            record,
            ended_s=self._context.stopwatch.now(),
            exit_code=code,
            problem=problem,
            output=output.name,
            left_out=output.left_out,
        )
        self._records[record.n - 1] = ended
        self._journal(ended)
        took_s = (ended.ended_s or record.began_s) - record.began_s
        self._context.broadcast.send(HookFinished(record.n, record.when, took_s, code, problem))

    def _fail(self, hook: Hook, record: HookRecord, problem: str, output: Path | None) -> None:
        where = f" of {record.workload}" if record.workload else ""
        where += f", iteration {record.iteration}" if record.iteration else ""
        sentence = f"hook {hook.when}{where} ({shlex.join(hook.run)}): {problem}"
        hint = None if output is None else f"what it printed is in {output}"
        if hook.on_failure == ABORT:
            raise HookError(sentence, hint=hint)
        self._context.warn(sentence if hint is None else f"{sentence}; {hint}")

    def _journal(self, record: HookRecord) -> None:
        self._context.journal.append(HookEntry(record))

    @property
    def _folder(self) -> Path | None:
        sink: object = self._context.inputs.sink
        return sink.path if isinstance(sink, FolderSink) else None

    def _environment(self, record: HookRecord) -> dict[str, str]:
        """That of this process, with what a hook has to know of its run."""
        folder = self._folder
        known = {
            "PERFSCALE_RUN_ID": self._context.run_id,
            "PERFSCALE_RUN_FOLDER": None if folder is None else str(folder.absolute()),
            "PERFSCALE_HOOK": record.when,
            "PERFSCALE_WORKLOAD": record.workload,
            "PERFSCALE_ITERATION": None if record.iteration is None else str(record.iteration),
        }
        inherited = {key: value for key, value in os.environ.items() if key not in known}
        return inherited | {key: value for key, value in known.items() if value is not None}

"""A search: one run after the other, until the answer is known.

What to run next is decided elsewhere (`deciding`); here it is run, written down at once, and what
it left is removed, so that whatever ends the search, the next one can go on from its folder.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec.structs import replace

from perfscale.errors import RunFailedError, ThresholdError
from perfscale.search.deciding.decision import Try, decide
from perfscale.search.document import State, Step
from perfscale.search.wording import Expected, at, found_so_far

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.search.deciding.plan import SearchPlan
    from perfscale.search.document import SearchDocument
    from perfscale.search.folder import SearchFolder

_INTERRUPTED = 128


class StepRunner(Protocol):
    """Runs one step; another stands in for it in tests."""

    async def run(self, step: Step, document: SearchDocument) -> tuple[Step, SearchDocument]:
        """Run it, and remove what it made.

        Returns:
            The step with what it came to, and the search with what is known of the cluster.
            Without a verdict where it was interrupted.
        """

    async def remove(self, step: Step) -> list[str]:
        """Remove what a step may have left; returns what is still there, in sentences."""

    def interrupt(self, signum: int) -> None:
        """Let the step that goes on end early, and clean up."""


class SearchEvents(NamedTuple):
    """Whom to call when something happens; each gets the search as it is then."""

    step_began: Callable[[Step, SearchDocument], None] = lambda *_: None
    step_ended: Callable[[Step, SearchDocument], None] = lambda *_: None
    removing: Callable[[Step, SearchDocument], None] = lambda *_: None
    settling: Callable[[float], None] = lambda _: None


class LimitSearch:
    """Finds the highest value at which a workload keeps to its thresholds.

    Args:
        plan: What is searched.
        document: The search as it begins, or as it was when it ended early.
        folder: Where it is written.
        runner: What runs the steps.
        events: Whom to call when something happens.
    """

    def __init__(
        self,
        plan: SearchPlan,
        document: SearchDocument,
        folder: SearchFolder,
        runner: StepRunner,
        *,
        events: SearchEvents | None = None,
    ) -> None:
        self.document = document
        self._plan = plan
        self._folder = folder
        self._runner = runner
        self._events = events or SearchEvents()
        self._interrupted_by: int | None = None
        self._stopped = asyncio.Event()

    def interrupt(self, signum: int = signal.SIGINT) -> None:
        """Clean up the step that goes on, and let `run` return; the search can go on later."""
        if self._interrupted_by is None:
            self._interrupted_by = signum
        self._stopped.set()
        self._runner.interrupt(signum)

    async def run(self) -> int:
        """Run steps until the answer is known.

        Cancellation cleans up as that of a run does, and is then raised.

        Returns:
            The exit code: 0 with an answer that is as expected, 3 if it is not as expected, 1
            where the limit is not known, and 128 plus the signal's number after an interrupt.

        Raises:
            UsageError: Another process goes on with this search.
            RunFailedError: A step left something in the cluster that the next would meet.
            PerfscaleError: A step could not begin, or the search could not be written.
        """
        with self._folder.claimed():
            return await self._run()

    async def _run(self) -> int:
        try:
            await self._clean_up()
            while self._interrupted_by is None:
                decision = decide(self._plan, self.document.trials)
                if not isinstance(decision, Try):
                    self._finish()
                    break
                await self._settle()
                if self._interrupted_by is None:
                    await self._step(decision.value)
        finally:
            if self.document.state is State.RUNNING:
                self._write(state=State.INTERRUPTED, finished_at=_now())
        return self._exit_code()

    # -- steps ------------------------------------------------------------------------

    async def _clean_up(self) -> None:
        """Remove what steps have left that did not come to their end."""
        self._write(state=State.RUNNING, finished_at=None)
        for step in self.document.steps:
            if step.remains:
                self._events.removing(step, self.document)
                await self._remove(step)

    async def _step(self, value: float) -> None:
        step = Step(
            number=len(self.document.steps) + 1,
            value=value,
            run_id=str(uuid.uuid4()),
            began_at=_now(),
        )
        self._put(step)
        self._events.step_began(step, self.document)
        ended, document = await self._runner.run(step, self.document)
        self.document = document
        self._put(ended)
        self._events.step_ended(ended, self.document)
        if ended.remains:
            await self._remove(ended)

    async def _remove(self, step: Step) -> None:
        left = await self._runner.remove(step)
        if left:
            raise RunFailedError(
                f"step {step.number} ({at(self.document.plan, step.value)}) left something in the "
                f"cluster, which is not the same for the next one: {'; '.join(left)}",
                hint=f"remove it with perfscale cleanup --run-id {step.run_id} --results-dir "
                f"{shlex.quote(str(self._folder.steps))}, then go on with "
                f"perfscale search --resume {shlex.quote(str(self._folder.path))}",
            )
        self._put(replace(step, remains=False))

    async def _settle(self) -> None:
        """Let the cluster come to rest after a step."""
        settle_s = self.document.plan.settle_seconds
        if not self.document.steps or not settle_s:
            return
        self._events.settling(settle_s)
        try:
            async with asyncio.timeout(settle_s):
                await self._stopped.wait()
        except TimeoutError:
            return

    # -- what is written ------------------------------------------------------------------

    def _put(self, step: Step) -> None:
        """Write a step, in its place."""
        steps = [each for each in self.document.steps if each.number != step.number]
        self._write(steps=sorted([*steps, step], key=lambda each: each.number))

    def _write(self, **changes: object) -> None:
        self.document = replace(self.document, **changes)
        self.document = replace(self.document, answer=found_so_far(self.document))
        self._folder.write(self.document)

    def _finish(self) -> None:
        found, expectation = self.document.answer, self.document.expectation
        if expectation is not None and found is not None:
            met = Expected.parse(expectation.text).is_met(found)
            expectation = replace(expectation, met=met)
        self._write(state=State.FINISHED, finished_at=_now(), expectation=expectation)

    def _exit_code(self) -> int:
        if self._interrupted_by is not None and self.document.state is not State.FINISHED:
            return _INTERRUPTED + self._interrupted_by
        found, expectation = self.document.answer, self.document.expectation
        if expectation is not None:
            unmet = RunFailedError if expectation.met is None else ThresholdError
            return 0 if expectation.met else unmet.exit_code
        known = found is not None and found.not_judged_at is None
        return 0 if known else RunFailedError.exit_code


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

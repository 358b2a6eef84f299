"""What was last published of each workload of a run that goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from perfscale.config import format_duration

if TYPE_CHECKING:
    from perfscale.engine.events import Progress, StageStarted
    from perfscale.engine.snapshot import GeneratorState

_OVER_S: Final = 1.5
"""A workload is over of which nothing was published for so long while others go on: events of each
come twice a second."""


class Loads:
    """Takes the progress of workloads that may go on at the same time.

    Attributes:
        generators: Where each of several generators stands; none where there is only one.
    """

    def __init__(self) -> None:
        self._last: dict[str | None, Progress] = {}
        self._bounds: dict[str | None, str] = {}
        self.generators: tuple[GeneratorState, ...] = ()

    def enter(self, event: StageStarted) -> None:
        """A workload turns to something else; without one, all of the run does."""
        if event.workload is None:
            self._bounds.clear()
        bound = f", up to {format_duration(event.deadline_s)}" if event.deadline_s else ""
        self._bounds[event.workload] = bound

    def take(self, progress: Progress) -> None:
        """Take the next event."""
        since_s = progress.elapsed_s - _OVER_S
        whole = progress.workload is None
        self._last = {
            name: each
            for name, each in self._last.items()
            if each.elapsed_s >= since_s and (name is None) == whole
        }
        self._last[progress.workload] = progress

    def leave(self, workload: str) -> None:
        """An iteration of a workload is over; if it goes on, its next event says so."""
        self._last.pop(workload, None)

    @property
    def going_on(self) -> list[Progress]:
        """The last event of each workload that goes on; there is one at least."""
        return list(self._last.values())

    def title(self, progress: Progress) -> str:
        """What is done and how long it may take; for which workload, if there are several."""
        name = f"{progress.workload}: " if len(self._last) > 1 else ""
        churn = f"churn round {progress.round}, " if progress.round else ""
        return f"{name}{churn}{progress.stage.value}{self._bounds.get(progress.workload, '')}"

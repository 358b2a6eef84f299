"""Does something at a moment of a run that is counted in what happens, not in seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from perfscale.engine.accounting.progress import ProgressPublisher
from perfscale.engine.context import RunContext
from perfscale.engine.events import Stage
from perfscale.engine.tracking.rows import Transition, TransitionKind


@dataclass(frozen=True)
class Moment:
    """A point in a run: a stage that begins, or the Nth change of a kind.

    Counted in what happens and not in seconds, so that it is always reached.
    """

    stage: Stage | None = None
    iteration: int = 1
    change: TransitionKind | None = None
    count: int = 0


MOMENTS = {
    "before the namespaces": Moment(Stage.PREPARING),
    "before the first create": Moment(Stage.CREATING),
    "in the middle of the creates": Moment(change=TransitionKind.CREATED, count=6),
    "at the creation wait": Moment(Stage.WAITING_READY),
    "in the middle of the creation wait": Moment(change=TransitionKind.READY, count=4),
    "before the deletion": Moment(Stage.DELETING),
    "at the deletion wait": Moment(Stage.WAITING_GONE),
    "in the middle of the deletion wait": Moment(change=TransitionKind.DELETED, count=4),
    "in the second iteration": Moment(Stage.CREATING, 2),
    "in the second deletion wait": Moment(Stage.WAITING_GONE, 2),
}


class AtMoment:
    """Does something once, at a moment of a run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, moment: Moment, act: Callable[[], object]) -> None:
        pending = [act]
        counts: Counter[TransitionKind] = Counter()
        publish, enter = RunContext.publish, ProgressPublisher.enter

        def act_once() -> None:
            if pending:
                pending.pop()()

        def counting(context: RunContext, changes: Iterable[Transition]) -> None:
            known = list(changes)
            publish(context, known)
            counts.update(transition.kind for transition in known)
            if moment.change is not None and counts[moment.change] >= moment.count:
                act_once()

        def entering(
            progress: ProgressPublisher, stage: Stage, *details: Any, **bound: Any
        ) -> None:
            enter(progress, stage, *details, **bound)
            if stage is moment.stage and (not details or details[1] == moment.iteration):
                act_once()

        self._monkeypatch.setattr(RunContext, "publish", counting)
        self._monkeypatch.setattr(ProgressPublisher, "enter", entering)


@pytest.fixture
def at_moment(monkeypatch: pytest.MonkeyPatch) -> AtMoment:
    """Meddles with a run; a `conftest.py` has to import it."""
    return AtMoment(monkeypatch)

"""When the rounds of churn begin, and what is drawn in them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfscale.config.sections.churn import Churn


class Rounds:
    """The rounds of the churn of one workload; pure: it is given the time.

    Args:
        churn: What the workload file says of it.
        now: When it begins, in seconds.
    """

    def __init__(self, churn: Churn, now: float) -> None:
        self._churn = churn
        self._begun_s = now

    def pause_before(self, number: int, now: float) -> float | None:
        """How many seconds from now a round begins, which is counted from 1.

        Returns:
            None if there is no such round: there are no more, or it would begin too late.
        """
        churn = self._churn
        if churn.rounds is not None and number > churn.rounds:
            return None
        if number == 1:
            return 0.0
        if churn.duration is not None and now + churn.interval >= self._begun_s + churn.duration:
            return None
        return churn.interval


def chance_of(seed: int | None, workload: str) -> random.Random:
    """What draws for the churn of a workload; the same for the same seed, another for each run."""
    return random.Random(None if seed is None else f"{seed}/{workload}/churn")  # noqa: S311

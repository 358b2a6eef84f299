"""What churn came to: latencies of what it created and deleted, as a whole and round by round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfscale.config.sections.metrics import Latency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfscale.results.model.latency import LatencySummary


@dataclass(frozen=True, slots=True)
class ChurnRound:
    """One round of churn, or several in a row, where there are very many.

    Attributes:
        first: The number of the round, or of the first of several; counted from 1.
        last: Of the last of them.
        ready: Seconds from the create request until ready, of what was created.
        deletion: Seconds from the request to delete until seen gone, of what was deleted.
    """

    first: int
    last: int
    ready: LatencySummary
    deletion: LatencySummary


@dataclass(frozen=True, slots=True)
class ChurnResult:
    """What churn came to for one kind; percentiles are within one per cent.

    Attributes:
        phases: Seconds from the create request until each phase was first seen, and ``Ready``.
        creation: Seconds from the create request to its answer; None for children.
        deletion: Seconds from the request to delete until seen gone, of what churn deleted.
        rounds: The rounds, in their order.
    """

    phases: Mapping[str, LatencySummary]
    creation: LatencySummary | None
    deletion: LatencySummary
    rounds: tuple[ChurnRound, ...] = ()

    @property
    def latencies(self) -> dict[str, LatencySummary]:
        """All latencies: the creation, the phases, the deletion."""
        creation = {} if self.creation is None else {Latency.CREATION.value: self.creation}
        return {**creation, **self.phases, Latency.DELETION.value: self.deletion}

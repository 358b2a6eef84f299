"""What the parts of one run share of one iteration."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.results import IterationFacts, OperationTallies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perfscale.config import Workload
    from perfscale.engine.tracking.operations.tracked import TrackedOperation
    from perfscale.engine.tracking.rows import IterationScope
    from perfscale.kube.client import Client
    from perfscale.results import RequestMeter
    from perfscale.templates import ObjectFactory


@dataclass(slots=True, eq=False)
class IterationContext:
    """One iteration, for as long as anything may become known of it.

    It is handed to whatever is done for the iteration: several may go on at once.

    Attributes:
        workload: What the workload file says of its workload.
        factories: The workload's templates.
        requested: Objects asked for, by kind. Of a load that ends by its time it is the most that
            there can be, until its end.
        whole: What was asked of all generators of the run when it began, likewise.
        scope: The tracker's rows and counts.
        client: The way to the cluster; what is sent by it is counted for the iteration.
        meter: Where it is counted.
        labels: What everything of the iteration carries.
        started_s: Seconds since the run's start, and likewise below.
        finished_s: When it was over; None while it goes on.
        held_back_s: For how long creates waited for a place among the requests in flight
            although the rate would have let them go.
        in_flight: Create requests without an answer yet.
        ends: Whether its load ends by its time.
        churned: Objects, of those that were requested, that rounds of churn asked for, by kind.
        load_began_s: When its own load began; None before.
        begins_s: When its load begins everywhere, until it has; None: when it is this one's turn.
        load_is_over: Whether nothing more is due of its own load.
        missed: Objects that were due when its load was over, and had not been sent, by kind.
        problems: What went wrong, one sentence each.
        creates: Whether it creates objects, and does not do something to some.
        attempted: Operations whose turn has come, by kind.
        open_operations: Those that are neither done nor have failed.
        decided_operations: The others, until they are recorded.
        operations: What was counted of those that have been recorded.
    """

    workload: Workload
    factories: Sequence[ObjectFactory]
    requested: Mapping[str, int]
    whole: Mapping[str, int]
    scope: IterationScope
    client: Client
    meter: RequestMeter
    labels: Mapping[str, str]
    started_s: float
    finished_s: float | None = None
    held_back_s: float = 0.0
    in_flight: int = 0
    ends: bool = False
    churned: Counter[str] = field(default_factory=Counter)
    load_began_s: float | None = None
    begins_s: float | None = None
    load_is_over: bool = False
    missed: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    creates: bool = True
    attempted: Counter[str] = field(default_factory=Counter)
    open_operations: set[TrackedOperation] = field(default_factory=set)
    decided_operations: list[TrackedOperation] = field(default_factory=list)
    operations: OperationTallies = field(default_factory=OperationTallies)

    @property
    def number(self) -> int:
        """Which iteration of its workload it is, counted from 1."""
        return self.scope.iteration

    def miss(self, kind_name: str) -> None:
        """One of a kind was due before the load was over, and is not sent any more."""
        self.missed[kind_name] += 1

    def end_load(self) -> None:
        """Nothing more is due: of a load that ends, what was not due was never requested."""
        if self.ends and not self.load_is_over:
            kinds = Counter(row.resource.kind_name for row in self.scope.objects)
            self.requested = kinds + self.attempted + self.missed
            self.scope.limit(self.requested.total())
            self.scope.undecided -= self.missed.total()  # nothing will ever be heard of them
        self.load_is_over = True

    def extend(self, objects: Counter[str]) -> None:
        """A round of churn asks for so many more, by kind."""
        self.requested = Counter(self.requested) + objects
        self.churned += objects
        self.scope.extend(objects.total())

    @property
    def nothing_left(self) -> bool:
        """Whether it is over, and everything of it is gone."""
        scope = self.scope
        return (
            self.finished_s is not None
            and (scope.deletion_requested or not self.creates)
            and not self.open_operations
            and not scope.present
            and not scope.present_children
        )

    def facts(self, now: float) -> IterationFacts:
        """What is known beside its objects; ``now`` is its end if it has none yet."""
        return IterationFacts(
            workload=self.scope.workload,
            iteration=self.scope.iteration,
            requested=self.requested,
            started_s=self.started_s,
            finished_s=now if self.finished_s is None else self.finished_s,
            held_back_s=round(self.held_back_s, 6),
            problems=tuple(self.problems),
            ends=self.ends,
            churned=self.churned,
        )

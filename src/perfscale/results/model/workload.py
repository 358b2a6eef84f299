"""What became of a workload: accounts, latencies and rates, as a whole and by iteration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfscale.config.sections.metrics import Latency
from perfscale.config.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from perfscale.results.model.accounts import Accounts
    from perfscale.results.model.churn import ChurnResult
    from perfscale.results.model.client.calls import CallResult
    from perfscale.results.model.client.clocks import PhaseClock
    from perfscale.results.model.latency import LatencySummary, PhaseStep, WatchDelay
    from perfscale.results.model.operations import OperationResult


@dataclass(frozen=True, slots=True)
class KindResult:
    """One kind's accounts and latencies.

    Attributes:
        accounts: The counts.
        phases: Seconds from the create request until each phase was first
            seen; ``Ready`` is readiness itself, in every kind.
        deletion: Seconds from the request to delete until seen gone.
        path: Those of the phases that lead to readiness, in their order.
        creation: Seconds from the create request to its answer; None for children.
        transitions: From each phase to the next.
        server_phases: Seconds from the API server's timestamp of the creation to
            the controllers' of each phase, both in whole seconds; empty for
            kinds in which they keep none.
        phase_clock: How far the clocks of the two are apart; None where it is
            not known.
        watch_delay: How late the watches reported objects; None where it is not known.
        api_version: Of the kind; empty if it is not known.
        churn: Latencies of what churn created and deleted, which the others leave out; None
            without churn, and in an iteration.
        made_by: Of children, how many their owners' creation did not make, by what did, as in
            `ObjectRecord`: of these there are the counts, and the deletion.
    """

    accounts: Accounts
    phases: Mapping[str, LatencySummary]
    deletion: LatencySummary
    path: tuple[str, ...] = ()
    creation: LatencySummary | None = None
    transitions: tuple[PhaseStep, ...] = ()
    server_phases: Mapping[str, LatencySummary] = field(default_factory=dict)
    watch_delay: WatchDelay | None = None
    api_version: str = ""
    phase_clock: PhaseClock | None = None
    churn: ChurnResult | None = None
    made_by: Mapping[str, int] = field(default_factory=dict)

    @property
    def latencies(self) -> dict[str, LatencySummary]:
        """All latencies by the client's clock: the creation, the phases, the deletion."""
        creation = {} if self.creation is None else {Latency.CREATION.value: self.creation}
        return {**creation, **self.phases, Latency.DELETION.value: self.deletion}


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate of creates, or of another operation's requests, a second.

    Each rate counts those after the first burst, from when that was due;
    None with too few. See docs/measurements.md.

    Attributes:
        target: The limit of the workload; None without one.
        achieved: Those that the server accepted, until the last answer.
        held_back_s: Seconds that creates which the rate would have let go
            waited for a place among the requests in flight.
        share: The time that as many as were accepted should have taken, divided
            by the time that they took; None with too few, or without a limit.
        seconds: How long the creates took of which ``achieved`` is the rate.
        offered: Those that were due, until the last was; None without a limit.
        sent: Those that were sent, until the last was.
        sent_share: As ``share``, of those that were sent.
        sent_seconds: As ``seconds``, of ``sent``.
        creates: How many were sent, those of the first burst included.
        burst: How many may go at once.
    """

    target: float | None
    achieved: float | None
    held_back_s: float
    share: float | None = None
    seconds: float = 0.0
    offered: float | None = None
    sent: float | None = None
    sent_share: float | None = None
    sent_seconds: float = 0.0
    creates: int = 0
    burst: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was counted and measured of an iteration, of a workload, or of all of a run.

    Attributes:
        accounts: Of the objects.
        children: Of what controllers made for them.
        rate: How fast objects were created, or the operations were sent.
        kinds: Accounts and latencies of the objects, by kind.
        child_kinds: The same of the children.
        calls: How the API server answered meanwhile, by verb and resource.
        operations: What became of those that create nothing, by operation and kind.
    """

    accounts: Accounts
    children: Accounts
    rate: Rate
    kinds: Mapping[str, KindResult]
    child_kinds: Mapping[str, KindResult]
    calls: tuple[CallResult, ...] = ()
    operations: tuple[OperationResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IterationResult(Measured):
    """One iteration, from its namespaces to its cleanup.

    ``started_s`` and ``finished_s`` are seconds since the run's start;
    ``problems`` says what went wrong, one sentence each.
    """

    iteration: int
    started_s: float
    finished_s: float
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadResult(Measured):
    """One workload: its iterations, and all of them together.

    ``operation`` is what it did; ``waits`` whether it was to wait for its objects to be ready;
    ``background`` whether others went on beside it;
    ``max_in_flight`` is its own bound on requests in flight, if it has one;
    ``selects`` which objects its operation is for, in a few words, if there have to be some.
    """

    name: str
    iteration_count: int
    iterations: tuple[IterationResult, ...]
    waits: bool = True
    operation: str = "create"
    background: bool = False
    max_in_flight: int | None = None
    selects: str = ""

    @property
    def matched_nothing(self) -> str | None:
        """That there was no object for its operation; else None."""
        if not self.selects or not self.iterations:
            return None
        if any(each.accounts.requested for each in self.operations):
            return None
        return f"no object matched its selector ({self.selects}): there was nothing to do"

    @property
    def sends(self) -> str:
        """What its rate counts, for a person."""
        return "creates" if self.operation == "create" else f"{self.operation} requests"

    @property
    def not_waited_for(self) -> str | None:
        """That nothing waited for the objects that are unready, and how to wait; else None."""
        count = self.accounts.unready
        if self.waits or not count:
            return None
        return (
            f"{count} unready object{'s were' if count > 1 else ' was'} not waited for: "
            "with iterationCreationWait: true, an iteration waits until its objects are ready"
        )


def say_iterations(numbers: Collection[int], wanted: int) -> str:
    """How many iterations there were of those that the file asks for, for a person.

    Those that churn put in the place of others have higher numbers than ``wanted``.
    """
    replaced = sum(number > wanted for number in numbers)
    first = len(numbers) - replaced
    said = counted(first, "iteration") if first == wanted else f"{first} of {wanted} iterations"
    return f"{said}, and {replaced} that churn put in their place" if replaced else said

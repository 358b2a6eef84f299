"""What ``search.json`` holds: its types, of which its JSON Schema is made."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from perfscale.results.model.client.health import Validity
from perfscale.results.model.document.measured import Count, Part, Seconds
from perfscale.results.model.document.summary import Cluster, document_schema
from perfscale.results.model.run import RunOutcome
from perfscale.search.deciding.plan import Strategy
from perfscale.search.deciding.trials import Trial, Verdict

SCHEMA_VERSION: Final = 1
"""Raised whenever a reader of ``search.json`` would have to change."""


class State(StrEnum):
    """How far a search is."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"


class StepRate(Part, frozen=True):
    """Requests of one workload a second, after its first burst."""

    workload: str
    offered_qps: Annotated[float | None, Meta(description="due by the schedule")]
    sent_qps: float | None
    achieved_qps: Annotated[float | None, Meta(description="accepted by the server")]


class StepLatency(Part, frozen=True):
    """What a person looks at first: readiness of a kind, or the effect of an operation."""

    workload: str
    kind: str
    operation: Annotated[str | None, Meta(description="null: it is of objects")]
    measure: Annotated[
        str, Meta(description="Ready or effect; where there is none, creation or response")
    ]
    count: Count
    missing: Count
    p50: Seconds
    p99: Seconds


class Step(Part, frozen=True):
    """One run at one value."""

    number: Count
    value: float
    run_id: str
    began_at: str
    folder: Annotated[str | None, Meta(description="of the run, from here; null: none yet")] = None
    duration_seconds: float | None = None
    verdict: Annotated[
        Verdict | None, Meta(description="null: it goes on, or did not come to its end")
    ] = None
    reasons: Annotated[
        tuple[str, ...], Meta(description="what was lost, or why it is not counted")
    ] = ()
    outcome: Annotated[RunOutcome | None, Meta(description="null: it did not end")] = None
    generator: Annotated[Validity | None, Meta(description="the run's own verdict on itself")] = (
        None
    )
    remains: Annotated[
        bool, Meta(description="whether anything of it may be in the cluster still")
    ] = True
    rates: tuple[StepRate, ...] = ()
    latencies: tuple[StepLatency, ...] = ()


class Plan(Part, frozen=True):
    """What is searched; the keys are the options of the command."""

    vary: str
    path: Annotated[str, Meta(description="the key of the workload file, as --set takes it")]
    unit: Annotated[str, Meta(description="what comes after a value in a sentence")]
    start: float = msgspec.field(name="from")
    end: Annotated[float | None, Meta(description="null: doubled until lost")] = msgspec.field(
        name="to"
    )
    tolerance: Annotated[float, Meta(description="as a share")]
    repeat: Count
    whole: Annotated[bool, Meta(description="whether only whole numbers make sense")]
    strategy: Strategy
    steps: Count
    settle_seconds: float


class End(Part, frozen=True):
    """One end of the answer."""

    value: float
    held: Annotated[Count, Meta(description="of its runs")]
    runs: Annotated[Count, Meta(description="that were counted")]
    reasons: Annotated[list[str], Meta(description="of the last run that did not hold")]


class Found(Part, frozen=True):
    """The answer, or what is known so far."""

    text: str
    holds_at: Annotated[End | None, Meta(description="null: nothing was seen to hold")]
    lost_at: Annotated[End | None, Meta(description="null: nothing was lost")]
    not_judged_at: Annotated[End | None, Meta(description="from where on nothing can be judged")]


class Expectation(Part, frozen=True):
    """What the limit was expected to be."""

    text: str
    met: Annotated[bool | None, Meta(description="null: nobody knows")]


class SearchDocument(Part, frozen=True):
    """A search for the limit: every step, and what they say together."""

    schema_version: Count
    search_id: str
    state: State
    started_at: str
    finished_at: str | None
    file: Annotated[str, Meta(description="the workload file, as it was named")]
    overrides: list[str]
    simulated: bool
    command: list[str]
    plan: Plan
    cluster: Annotated[Cluster | None, Meta(description="null: no step has begun")]
    steps: list[Step]
    answer: Annotated[Found | None, Meta(description="null: nothing is known yet")]
    expectation: Annotated[Expectation | None, Meta(description="null: none was given")]
    notes: Annotated[
        tuple[str, ...], Meta(description="on which workloads a value has no effect, and why")
    ] = ()

    @property
    def trials(self) -> list[Trial]:
        """The steps that came to their end, in their order."""
        return [Trial(each.value, each.verdict) for each in self.steps if each.verdict is not None]


def search_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``search.json``."""
    return document_schema(SearchDocument, "perfscale search.json")

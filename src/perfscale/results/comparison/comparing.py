"""A run against another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perfscale.config.sections.metrics import Latency
from perfscale.errors import ResultsError
from perfscale.results.comparison.latencies import LatencyPair
from perfscale.results.comparison.operations import operation_key, operation_rows
from perfscale.results.comparison.rows import Limits, Row, Subject, Verdict, worst
from perfscale.results.comparison.settings import different_settings
from perfscale.results.comparison.slow import slow_rows
from perfscale.results.folder.reading import RunFiles, read_run_files
from perfscale.results.measure.operations.latencies import SamplesOfOperations
from perfscale.results.measure.samples import Samples
from perfscale.results.model.client.health import Validity
from perfscale.results.model.run import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.results.measure.samples import LifeSamples
    from perfscale.results.measure.statistics.percentiles import LatencySamples
    from perfscale.results.model.document import Counts, Kind, Workload

_JUDGED: Final = frozenset({Latency.READY, Latency.DELETION})


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run with all its samples."""

    files: RunFiles
    samples: Samples
    operations: SamplesOfOperations

    def as_json(self) -> dict[str, Any]:
        """Which run it is."""
        return {
            "folder": str(self.files.folder),
            "runId": self.files.summary.run_id,
            "outcome": self.files.summary.outcome.value,
        }


def read_compared(folder: Path) -> ComparedRun:
    """Read a run's folder.

    Raises:
        ResultsError: It is not one, or a file in it cannot be read.
    """
    files = read_run_files(folder)
    samples = Samples(files.paths, children=files.has_children)
    for record in files.records():
        samples.add(record)
    operations = SamplesOfOperations()
    for operation in files.operations():
        operations.add(operation)
    return ComparedRun(files, samples, operations)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against another one.

    Attributes:
        rows: Every number that both have.
        notes: What else a person should know, one sentence each.
        failed: Whether the new run did not pass, and the other did.
    """

    base: ComparedRun
    new: ComparedRun
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    failed: bool

    @property
    def verdict(self) -> Verdict:
        """The worst of all rows; one that failed where the other passed is a regression."""
        return Verdict.WORSE if self.failed else worst(row.verdict for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **self.new.as_json(),
            "verdict": self.verdict.value,
            "notes": list(self.notes),
            "rows": [row.as_json() for row in self.rows],
        }


def compare(base: ComparedRun, new: ComparedRun, limits: Limits) -> Comparison:
    """Put every number that both runs have side by side, and judge those that matter.

    Judged are how many objects did not become ready and how many operations were not done, the
    rates, and the latencies of readiness, deletion and the effects of operations. The phases on
    the way show where the time went, and have no verdict of their own.

    Raises:
        ResultsError: They have no workload in common.
    """
    before, now = _workloads(base.files), _workloads(new.files)
    common = [name for name in before if name in now]
    if not common:
        raise ResultsError(
            f"{new.files.folder}: it has no workload in common with {base.files.folder}: "
            f"{', '.join(now) or 'none'} here, {', '.join(before) or 'none'} there",
            hint="workloads are told apart by their names",
        )
    rows: list[Row] = []
    for name in common:
        rows += _workload_rows(Subject(name), before[name], now[name], limits)
        for children in (False, True):
            rows += _kind_rows(name, (base, new), limits, children=children)
        rows += _operation_rows(name, (base, new), limits)
    outcomes = base.files.summary.outcome, new.files.summary.outcome
    return Comparison(
        base=base,
        new=new,
        rows=tuple(rows),
        notes=tuple(_notes(base.files, new.files)),
        failed=outcomes[0] is RunOutcome.PASSED is not outcomes[1],
    )


def _workloads(run: RunFiles) -> dict[str, Workload]:
    return {workload.name: workload for workload in run.summary.workloads}


def _notes(base: RunFiles, new: RunFiles) -> Iterator[str]:
    for word, run in (("before", base), ("now", new)):
        if run.summary.outcome is not RunOutcome.PASSED:
            yield f"the run {word} {_ended(run.summary.outcome)}"
        generator = run.summary.generator
        verdict = Validity.VALID if generator is None else generator.verdict
        if verdict is Validity.UNCERTAIN:
            yield f"percentiles of the run {word} are uncertain: it did not see everything in time"
        elif verdict is Validity.GENERATOR_LOST:
            yield f"the run {word} lost a generator: its load was not the one that was asked for"
        elif verdict is not Validity.VALID:
            yield f"the generator was the limit of the run {word}, which says less of the cluster"
        if _sent_alone(run):
            yield (
                f"the run {word} is of an earlier perfscale, which counted what was sent: its rate "
                f"of creates accepted is not known; perfscale report {run.folder} counts it"
            )
        if not run.has_records:
            yield f"the run {word} has no records of single objects: no test for chance is made"
    before, now = _workloads(base), _workloads(new)
    for name in dict.fromkeys((*before, *now)):
        if name not in now or name not in before:
            yield f"the workload {name} was run {'before' if name in before else 'now'} only"
    yield from different_settings(base, new)


def _sent_alone(run: RunFiles) -> bool:
    rates = [workload.rate for workload in run.summary.workloads]
    return any(rate.sent_qps is not None and rate.achieved_qps is None for rate in rates)


def _ended(outcome: RunOutcome) -> str:
    return "failed" if outcome is RunOutcome.FAILED else f"was {outcome}"


def _workload_rows(
    subject: Subject, base: Workload, new: Workload, limits: Limits
) -> Iterator[Row]:
    if base.objects.requested or new.objects.requested:
        before, now = _not_ready(base.objects), _not_ready(new.objects)
        verdict = Verdict.SAME
        if before != now:
            verdict = Verdict.WORSE if now > before else Verdict.BETTER
        yield Row(subject, "% not ready", "", before, now, verdict=verdict)
    if base.operation == new.operation:
        yield from _rate_rows(subject, base, new, limits)


_RATES: Final = (
    ("achieved_qps", "", True),
    ("offered_qps", "offered", False),
    ("sent_qps", "sent", False),
)
"""Each rate: the attribute of the summary's, what the table calls it, and whether it is judged."""


def _rate_rows(subject: Subject, base: Workload, new: Workload, limits: Limits) -> Iterator[Row]:
    """What the server accepted is judged; what was offered and sent shows why."""
    same_target = base.rate.target_qps == new.rate.target_qps
    measure = f"{base.sends} a second"
    for key, statistic, is_judged in _RATES:
        before, now = getattr(base.rate, key), getattr(new.rate, key)
        if before is None or now is None:
            continue
        verdict = Verdict.SAME if same_target and is_judged else Verdict.NONE
        if (
            verdict is Verdict.SAME
            and abs(now - before) >= limits.threshold * before
            and now != before
        ):
            verdict = Verdict.WORSE if now < before else Verdict.BETTER
        yield Row(subject, measure, statistic, before, now, verdict=verdict)


def _not_ready(counts: Counts) -> float:
    """The share of objects that did not become ready, of those that were attempted."""
    attempted = counts.requested - counts.not_attempted
    return round(100 * (attempted - counts.ready) / attempted, 3) if attempted else 0.0


def _kind_rows(
    workload: str, runs: tuple[ComparedRun, ComparedRun], limits: Limits, *, children: bool
) -> Iterator[Row]:
    workloads = [_workloads(run.files)[workload] for run in runs]
    before, now = (each.child_kinds if children else each.kinds for each in workloads)
    for kind in (kind for kind in before if kind in now):
        subject = Subject(workload, kind, children)
        base = runs[0].files.latencies(kind, before[kind])
        new = runs[1].files.latencies(kind, now[kind])
        tallies = tuple(run.samples.of(workload, children=children).get(kind) for run in runs)
        pairs = [
            LatencyPair(name, base[name], new[name], _both(tallies, name))
            for name in base
            if name in new
        ]
        for pair in (pair for pair in pairs if pair.name in _JUDGED):
            yield from pair.judged(subject, limits)
        for pair in _churn_pairs(before[kind], now[kind]):
            yield from pair.judged(subject, limits)
        for pair in (pair for pair in pairs if pair.name not in _JUDGED):
            yield from pair.shown(subject)
        if not children:
            yield from slow_rows(subject, runs[0].files.summary, runs[1].files.summary)


def _churn_pairs(before: Kind, now: Kind) -> Iterator[LatencyPair]:
    """What churn created and deleted in both runs, of which there are no samples."""
    if before.churn is None or now.churn is None:
        return
    base, new = before.churn.latencies, now.churn.latencies
    for name in (Latency.READY, Latency.DELETION):
        if name in base and name in new:
            yield LatencyPair(f"churn {name}", base[name], new[name], None)


def _operation_rows(
    workload: str, runs: tuple[ComparedRun, ComparedRun], limits: Limits
) -> Iterator[Row]:
    base, new = (_workloads(run.files)[workload] for run in runs)
    for operation in base.operations:
        key = operation_key(operation)
        samples = tuple(run.operations.of(workload, *key) for run in runs)
        yield from operation_rows(workload, (base, new), samples, operation, limits)


def _both(
    tallies: tuple[LifeSamples | None, ...], name: str
) -> tuple[LatencySamples, LatencySamples] | None:
    found = [None if tally is None else tally.latency(name) for tally in tallies]
    match found:
        case [base, new] if base is not None and new is not None:
            return base, new
    return None

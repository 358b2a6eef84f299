"""From a run's journal to its records and its summary, as the run would have made them itself."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perfscale.config import counted, load_config
from perfscale.config.reading.regular import read_regular
from perfscale.errors import ConfigError, ResultsError
from perfscale.results.export.junit import junit
from perfscale.results.files import (
    JOURNAL_FILE,
    JUNIT_FILE,
    SUMMARY_FILE,
    WORKLOAD_FILE,
    write_file,
)
from perfscale.results.folder.evidence import write_evidence
from perfscale.results.folder.records import RecordFiles
from perfscale.results.folder.runfile import KnownRun, read_audit, read_run
from perfscale.results.folder.summary import summarize
from perfscale.results.journal.journal import open_journal
from perfscale.results.journal.replay import Replay
from perfscale.results.measure.timeseries import TimeSeries, write_timeseries
from perfscale.results.model.operations import OperationAccounts
from perfscale.results.model.outcome import with_audit
from perfscale.results.model.run import RunOutcome
from perfscale.results.verdicts.conclusion import Course, Ending, conclude
from perfscale.results.verdicts.thresholds import judge_thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perfscale.results.journal.entries import AnyEntry, StageEntry
    from perfscale.results.measure.tallies.run import RunSum
    from perfscale.results.model.run import RunResult, ThresholdVerdict


KILLED: Final = 137
"""128 and the number of SIGKILL, as a shell says it."""


class Rebuilt(NamedTuple):
    """A run's result, and the command that removes what is left; None if its cluster is gone."""

    result: RunResult
    cleanup: str | None


def rebuild_results(folder: Path) -> Rebuilt:
    """Make the records, ``timeseries.ndjson``, ``junit.xml`` and ``summary.json`` from the journal.

    Each file is written whole or not at all, the summary last. A summary that
    a run wrote itself is never replaced by one of an incomplete journal.

    Returns:
        What happened. Where the journal does not say how the run ended, the
        outcome is ``killed`` and everything is as of the journal's end.

    Raises:
        ResultsError: The folder or its journal cannot be read, with file and
            line; or the files cannot be written.
    """
    path = folder / JOURNAL_FILE
    begin, entries = open_journal(path)
    run = read_run(folder, begin)
    series = TimeSeries()
    try:
        with RecordFiles(folder) as files:
            replay = Replay(begin, files, series)
            play(replay, entries, path)
            result = with_audit(_result(folder, run, replay), read_audit(folder))
            if result.outcome is RunOutcome.KILLED or replay.course.lost:
                _refuse_to_replace(folder)
            files.publish()
        write_timeseries(folder, series, result.duration_s)
        write_result(folder, result)
    except OSError as error:
        raise ResultsError(
            f"{folder}: the report cannot be written: {error.strerror or error}"
        ) from error
    return Rebuilt(result, run.cleanup)


def write_result(folder: Path, result: RunResult) -> None:
    """Write what needs no journal: ``junit.xml``, and ``summary.json`` after it.

    Raises:
        OSError: They cannot be written.
    """
    write_file(folder / JUNIT_FILE, junit(result))
    write_evidence(folder, result.attribution)
    write_file(folder / SUMMARY_FILE, dump(summarize(result)))


def play(replay: Replay, entries: Iterator[AnyEntry], path: Path) -> None:
    """Play a journal from its second line to its end.

    Raises:
        ResultsError: A line is about something that no earlier line has introduced.
    """
    for number, entry in enumerate(entries, start=2):
        try:
            replay.take(entry)
        except LookupError as error:
            if replay.course.lost:
                continue  # what it is about was introduced in a line that is lost
            raise ResultsError(
                f"{path}:{number}: it tells of something that no earlier line has told of: {error}"
            ) from error
    replay.close(is_cut=replay.course.is_cut)


def dump(document: dict[str, Any]) -> str:
    """A document as the folder holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _result(folder: Path, run: KnownRun, replay: Replay) -> RunResult:
    course = replay.course
    run_sum = replay.run_tally.close(is_cut=course.is_cut)
    workloads = run_sum.workloads
    ending = _ending(run, replay)
    problems = ending.problems
    if course.end is None:
        problems += tuple(
            f"{workload.name}, iteration {iteration.iteration}: {problem}"
            for workload in workloads
            for iteration in workload.iterations
            for problem in iteration.problems
        )
        thresholds, unmet = _judged(folder / WORKLOAD_FILE, run_sum)
        problems += unmet
    else:
        thresholds = course.end.thresholds
    problems += tuple(_unknown(run_sum))
    if course.lost:
        problems += (
            f"lost of the journal: {counted(course.lost, 'entry')}; not everything is counted",
        )
    return conclude(
        run.info,
        ending._replace(problems=problems, remains=ending.remains and run.cleanup is not None),
        run_sum,
        course.totals,
        thresholds=thresholds,
        course=Course(
            course.outages,
            course.blind,
            course.hooks,
            course.stage_log,
            course.attribution,
        ),
        generators=course.generators,
    )


def _unknown(run_sum: RunSum) -> Iterator[str]:
    objects = run_sum.accounts
    operations = sum((each.accounts for each in run_sum.operations), OperationAccounts())
    why = "the journal ends, or has a gap, before it says so"
    for accounts, what, happened, where in (
        (objects, "objects", "created", "as failed, or as not attempted"),
        (operations, "operations", "sent", "as not attempted"),
    ):
        if accounts.unknown:
            of = f"{accounts.unknown} of {accounts.requested} {what}"
            yield f"whether {of} were {happened} is unknown: {why}; they count {where}"


def _judged(
    workload_file: Path, run_sum: RunSum
) -> tuple[tuple[ThresholdVerdict, ...], tuple[str, ...]]:
    """What a run's thresholds come to that did not live to judge them, and what to say of it."""
    try:
        config = load_config(workload_file)
    except ConfigError as error:
        found = "; ".join(map(str, error.problems))
        return (), (f"the thresholds are not judged: {found}",)
    if [each.name for each in config.workloads] != [each.name for each in run_sum.workloads]:
        return (), (f"the thresholds are not judged: {workload_file}: it is of another run",)
    thresholds = judge_thresholds(config, run_sum)
    return thresholds, tuple(each.text for each in thresholds if not each.passed)


def _ending(run: KnownRun, replay: Replay) -> Ending:
    end = replay.course.end
    if end is not None:
        return Ending(
            datetime.fromisoformat(end.finished_at),
            end.duration_s,
            RunOutcome(end.outcome),
            end.exit_code,
            tuple(end.problems),
            end.remains,
        )
    return Ending(
        run.info.started_at + timedelta(seconds=replay.course.last_s),
        replay.course.last_s,
        RunOutcome.KILLED,
        KILLED,
        (_killed(replay), _left(run, replay)),
        remains=True,  # more may have come after the journal's end
    )


def _killed(replay: Replay) -> str:
    doing = " and ".join(map(_describe_stage, replay.course.stages.values()))
    return (
        f"the run was killed, is still going on, or had no room on its disk: its journal ends "
        f"{replay.course.last_s:.1f} s after the start{doing and f', while {doing}'}"
    )


def _describe_stage(entry: StageEntry) -> str:
    where = f" in {entry.workload}" if entry.workload else ""
    where += f", iteration {entry.iteration}" if entry.iteration else ""
    return f"{entry.stage}{where}"


def _left(run: KnownRun, replay: Replay) -> str:
    """What was in the cluster when the journal ends."""
    if run.cleanup is None:
        return "its simulated cluster went with it, so nothing is left"
    namespaces = replay.course.totals.namespaces
    counts = {**replay.records.present, "Namespace": namespaces.created - namespaces.deleted}
    there = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count > 0)
    text = f"in the cluster then: {there or 'nothing of it'}"
    if replay.records.unanswered:
        text += f"; creates without an answer: {replay.records.unanswered}"
    return f"{text}; what happened within the last second may be missing here"


def _refuse_to_replace(folder: Path) -> None:
    """Keep a summary that knows more than the journal."""
    path = folder / SUMMARY_FILE
    try:
        outcome = json.loads(read_regular(path)).get("outcome")
    except FileNotFoundError:
        return
    except (ValueError, AttributeError):
        return  # nothing worth keeping
    if outcome != RunOutcome.KILLED.value:
        raise ResultsError(
            f"{path}: the run wrote this summary itself and its journal is incomplete, "
            "so it stays as it is",
            hint="to see what the journal holds all the same, move the summary away",
        )

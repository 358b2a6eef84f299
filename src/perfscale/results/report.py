"""From a run's journal to its records and its summary.

A run that ends makes its files in this way, and so does the report on one that
was killed.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from perfscale.errors import ResultsError
from perfscale.results.accounts import Accounts
from perfscale.results.entries import Begin
from perfscale.results.files import RecordFiles, write_file
from perfscale.results.journal import JOURNAL_FILE, read_journal
from perfscale.results.records import ClusterInfo, RunInfo, RunOutcome, RunResult
from perfscale.results.replay import Replay
from perfscale.results.summary import SCHEMA_VERSION, summarize

if TYPE_CHECKING:
    from pathlib import Path

RUN_FILE: Final = "run.json"
WORKLOAD_FILE: Final = "workload.yaml"
SUMMARY_FILE: Final = "summary.json"

KILLED: Final = 137
"""128 and the number of SIGKILL, as a shell says it."""


def write_report(folder: Path) -> RunResult:
    """Make ``objects.ndjson``, ``children.ndjson`` and ``summary.json`` from the journal.

    Each file is written whole or not at all, the summary last. A summary that
    a run wrote itself is never replaced by one of an incomplete journal.

    Returns:
        What happened. Where the journal does not say how the run ended, the
        outcome is ``killed`` and everything is as of the journal's end.

    Raises:
        ResultsError: The folder or its journal cannot be read, with file and
            line; or the files cannot be written.
    """
    entries = read_journal(folder / JOURNAL_FILE)
    begin = next(entries, None)
    if not isinstance(begin, Begin):
        raise ResultsError(f"{folder / JOURNAL_FILE}: the run was killed as its journal began")
    info = _read_info(folder, begin)
    try:
        with RecordFiles(folder) as files:
            replay = Replay(begin, files)
            for number, entry in enumerate(entries, start=2):
                try:
                    replay.take(entry)
                except LookupError as error:
                    raise ResultsError(
                        f"{folder / JOURNAL_FILE}:{number}: it tells of something that no "
                        f"earlier line has told of: {error}"
                    ) from error
            replay.close()
            result = _result(info, replay)
            if result.outcome is RunOutcome.KILLED or replay.lost:
                _refuse_to_replace(folder)
        write_file(folder / SUMMARY_FILE, dump(summarize(result)))
    except OSError as error:
        raise ResultsError(
            f"{folder}: the report cannot be written: {error.strerror or error}"
        ) from error
    return result


def dump(document: dict[str, Any]) -> str:
    """A document as the folder holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def describe_run(info: RunInfo) -> dict[str, Any]:
    """``run.json``."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "runId": info.run_id,
        "source": info.source,
        "startedAt": info.started_at.isoformat(),
        "cluster": {
            "context": info.cluster.context,
            "server": info.cluster.server,
            "version": info.cluster.version,
        },
        "kinds": [{"apiVersion": api_version, "kind": kind} for api_version, kind in info.kinds],
        "namespaces": list(info.namespaces),
        "command": list(info.command),
    }


def _read_info(folder: Path, begin: Begin) -> RunInfo:
    path = folder / RUN_FILE
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        cluster = run["cluster"]
        return RunInfo(
            run_id=run["runId"],
            source=run["source"],
            started_at=datetime.fromisoformat(run["startedAt"]),
            cluster=ClusterInfo(cluster["context"], cluster["server"], cluster["version"]),
            kinds=tuple((each["apiVersion"], each["kind"]) for each in run["kinds"]),
            namespaces=tuple(run["namespaces"]),
            command=tuple(run["command"]),
            workload_yaml=(folder / WORKLOAD_FILE).read_text(encoding="utf-8"),
            workloads=begin.workloads,
            paths=begin.paths,
        )
    except OSError as error:
        raise ResultsError(f"{error.filename}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ResultsError(f"{path}: it does not describe a run: {error}") from error


def _result(info: RunInfo, replay: Replay) -> RunResult:
    workloads = replay.books.close()
    end, totals = replay.end, replay.totals
    if end is None:
        namespaces = totals.namespaces
        remains = replay.remains or namespaces.created > namespaces.deleted
        outcome, exit_code, duration_s = RunOutcome.KILLED, KILLED, replay.last_s
        finished_at = info.started_at + timedelta(seconds=duration_s)
        problems = (
            _killed(replay),
            *(
                f"{workload.name}, iteration {iteration.iteration}: {problem}"
                for workload in workloads
                for iteration in workload.iterations
                for problem in iteration.problems
            ),
        )
    else:
        remains, duration_s = end.remains, end.duration_s
        outcome, exit_code = RunOutcome(end.outcome), end.exit_code
        finished_at = datetime.fromisoformat(end.finished_at)
        problems = tuple(end.problems)
    if replay.lost:
        problems += (f"{replay.lost} entries of the journal are lost: not everything is counted",)
    return RunResult(
        info=info,
        finished_at=finished_at,
        duration_s=duration_s,
        outcome=outcome,
        exit_code=exit_code,
        problems=problems,
        error=None,
        remains=remains,
        accounts=sum((workload.accounts for workload in workloads), Accounts()),
        children=sum((workload.children for workload in workloads), Accounts()),
        watch=totals.watch,
        namespaces=totals.namespaces,
        requests=totals.requests,
        workloads=workloads,
    )


def _killed(replay: Replay) -> str:
    stage = replay.stage
    doing = ""
    if stage is not None:
        where = f" in {stage.workload}" if stage.workload else ""
        where += f", iteration {stage.iteration}" if stage.iteration else ""
        doing = f", while {stage.stage}{where}"
    return (
        f"the run was killed, or is still going on: its journal ends {replay.last_s:.1f} s "
        f"after the start{doing}"
    )


def _refuse_to_replace(folder: Path) -> None:
    """Keep a summary that knows more than the journal."""
    path = folder / SUMMARY_FILE
    try:
        outcome = json.loads(path.read_text(encoding="utf-8")).get("outcome")
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

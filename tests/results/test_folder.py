import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from journals import INFO

from perfscale.errors import ResultsError
from perfscale.results import (
    Accounts,
    Books,
    KindResult,
    LatencySamples,
    NamespaceCounts,
    RunFolder,
    RunOutcome,
    RunResult,
    WatchCounts,
    locate_run,
    summarize,
)

BALANCE: Final = Books(INFO.workloads, {}).close()
RESULT: Final = RunResult(
    info=INFO,
    finished_at=datetime(2026, 1, 2, 3, 5, 5, tzinfo=UTC),
    duration_s=60.0,
    outcome=RunOutcome.PASSED,
    exit_code=0,
    problems=(),
    error=None,
    remains=False,
    accounts=Accounts(requested=6, not_attempted=6),
    children=Accounts(),
    watch=WatchCounts(reconnects=2, relists=1),
    namespaces=NamespaceCounts(),
    requests={"sent": 3},
    workloads=BALANCE.workloads,
    kinds=BALANCE.kinds,
)

NOTHING: Final = LatencySamples().summarize()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """The folder of a run that has begun, and of which the journal tells nothing more."""
    folder = RunFolder(tmp_path / "results")
    folder.begin(INFO)
    yield folder
    with suppress(OSError):
        folder.finish(RESULT)


def path_of(folder: RunFolder) -> Path:
    assert folder.path is not None
    return folder.path


def summary(folder: RunFolder) -> Any:
    return json.loads((path_of(folder) / "summary.json").read_text())


def test_the_folder_is_named_after_the_file_the_time_and_the_run(
    folder: RunFolder, tmp_path: Path
) -> None:
    assert folder.path == tmp_path / "results" / "density-20260102T030405Z-1234"


def test_what_a_cleanup_needs_is_written_before_the_first_create(
    folder: RunFolder, tmp_path: Path
) -> None:
    run = locate_run(path_of(folder).parent, "1234")
    assert run is not None
    assert run["kinds"] == [{"apiVersion": "v1", "kind": "ConfigMap"}]
    assert run["namespaces"] == ["density-1"]
    assert run["command"] == ["perfscale", "run"]
    assert run["cleanup"] == "perfscale cleanup --run-id 1234 --context staging"
    assert locate_run(tmp_path, "other") is None


def test_the_summary_is_written_whole(folder: RunFolder) -> None:
    folder.finish(RESULT)
    document = summary(folder)
    assert document == summarize(RESULT)
    assert document["objects"]["notAttempted"] == 6
    assert document["watch"] == {"reconnects": 2, "relists": 1}
    assert not [path for path in path_of(folder).iterdir() if path.name.startswith(".")]


def test_what_the_run_has_counted_stands_against_a_journal_that_tells_otherwise(
    folder: RunFolder,
) -> None:
    counted = replace(RESULT, accounts=Accounts(requested=6, created=6, ready=6))
    with pytest.raises(OSError, match="does not tell what the run has counted"):
        folder.finish(counted)
    assert summary(folder) == summarize(counted)


def test_a_journal_that_somebody_removed_costs_the_records_and_not_the_summary(
    folder: RunFolder,
) -> None:
    (path_of(folder) / "journal.ndjson").unlink()
    with pytest.raises(OSError, match="journal cannot be read"):
        folder.finish(RESULT)
    assert summary(folder) == summarize(RESULT)


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError) as caught:
        RunFolder(tmp_path / "file").begin(INFO)
    assert caught.value.exit_code == 2
    assert "--results-dir" in (caught.value.hint or "")


def test_a_percentile_that_was_not_reached_is_null_and_times_are_told_to_microseconds() -> None:
    samples = LatencySamples()
    samples.add(1.23456789)
    samples.add_missing()
    kind = KindResult(Accounts(), phases={"Ready": samples.summarize()}, deletion=NOTHING)
    document = summarize(replace(RESULT, kinds={"ConfigMap": kind}))
    ready = document["kinds"]["ConfigMap"]["phases"]["Ready"]
    assert (ready["min"], ready["p99"]) == (1.234568, None)
    assert list(ready) == [
        "count", "missing", "min", "p50", "p90", "p95", "p99", "p99.9", "max", "mean",
    ]  # fmt: skip

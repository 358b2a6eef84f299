import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from journals import INFO, begins, passed

from perfscale.errors import ResultsError
from perfscale.results import (
    Accounts,
    KindResult,
    LatencySamples,
    ObjectRecord,
    Outcome,
    RunFolder,
    RunTally,
    WatchCounts,
    locate_run,
    summarize,
    with_lost_results,
)

RESULT: Final = replace(
    passed(INFO, RunTally(INFO.workloads, {}).close()),
    watch=WatchCounts(reconnects=2, relists=1),
    requests={"sent": 3},
)

NOTHING: Final = LatencySamples().summarize()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    """The folder of a run that has begun, and of which the journal tells nothing more."""
    folder = RunFolder(tmp_path / "results")
    folder.begin(INFO)
    yield folder
    if folder.path is not None and not (folder.path / "summary.json").exists():
        folder.finish(RESULT)


def path_of(folder: RunFolder) -> Path:
    assert folder.path is not None
    return folder.path


def record(replica: int | None = 1) -> ObjectRecord:
    return ObjectRecord(
        kind="ConfigMap", namespace="density-1", name="map-1", uid="uid-1", workload="density",
        iteration=1, replica=replica, outcome=Outcome.READY, error=None, scheduled_s=0.1,
        admitted_s=0.1, sent_s=0.1, created_s=0.2, phases_s={}, ready_s=0.2,
        delete_requested_s=None, deleted_s=None, server={},
    )  # fmt: skip


def objects_of(folder: RunFolder) -> list[str]:
    return (path_of(folder) / "objects.ndjson").read_text().splitlines()


def summary(folder: RunFolder) -> Any:
    return json.loads((path_of(folder) / "summary.json").read_text())


def test_the_folder_is_named_after_the_file_the_time_and_the_run(
    folder: RunFolder, tmp_path: Path
) -> None:
    assert folder.path == tmp_path / "results" / "density-20260102T030405Z-1234"


def test_what_a_cleanup_needs_is_written_before_the_first_create(
    folder: RunFolder, tmp_path: Path
) -> None:
    run = json.loads((path_of(folder) / "run.json").read_text())
    assert run["kinds"] == [{"apiVersion": "v1", "kind": "ConfigMap"}]
    assert run["namespaces"] == ["density-1"]
    assert run["command"] == ["perfscale", "run"]
    assert run["cleanup"] == "perfscale cleanup --run-id 1234 --context staging"
    located = locate_run(path_of(folder).parent, "1234")
    assert located is not None
    assert [(each.api_version, each.kind) for each in located.run.kinds] == [("v1", "ConfigMap")]
    assert located.run.namespaces == ("density-1",)
    assert locate_run(tmp_path, "other") is None


@pytest.mark.parametrize(
    "content",
    ["", "null", "[]", '{"runId": "1234"}', '{"runId": "5", "kinds": [], "namespaces": []}',
     '{"runId": "1234", "kinds": ["Pod"], "namespaces": []}', "[" * 100_000, "\udcff"],
)  # fmt: skip
def test_a_damaged_description_of_a_run_is_named(content: str, folder: RunFolder) -> None:
    path = path_of(folder) / "run.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ResultsError, match=re.escape(str(path))):
        locate_run(path_of(folder).parent, "1234")


def test_the_summary_is_written_whole(folder: RunFolder) -> None:
    folder.finish(RESULT)
    document = summary(folder)
    assert document == summarize(RESULT)
    assert document["objects"]["notAttempted"] == 6
    assert document["watch"] == {"reconnects": 2, "relists": 1}
    assert not [path for path in path_of(folder).iterdir() if path.name.startswith(".")]


def test_records_take_their_place_when_the_run_has_ended(folder: RunFolder) -> None:
    folder.record([record()])
    folder.record([record(replica=None)], children=True)
    before = {path.name for path in path_of(folder).iterdir()}
    assert before == {"run.json", "workload.yaml", "journal.ndjson"}
    folder.finish(RESULT)
    for name, replica in (("objects.ndjson", 1), ("children.ndjson", None)):
        (line,) = (path_of(folder) / name).read_text().splitlines()
        assert json.loads(line)["replica"] == replica
    assert not [path for path in path_of(folder).iterdir() if path.name.startswith(".")]


def no_space(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_records_that_could_not_be_written_are_made_from_the_journal(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for entry in begins():
        folder.note(entry)
    with monkeypatch.context() as full:
        full.setattr("tempfile.TemporaryFile", no_space)
        with pytest.raises(OSError, match="No space"):
            folder.record([record()])
    folder.finish(RESULT)
    names = [json.loads(line)["name"] for line in objects_of(folder)]
    assert names == ["map-1", "map-2"]
    assert summary(folder) == summarize(RESULT)


def test_without_records_and_journal_there_still_is_a_summary(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", no_space)
    with pytest.raises(OSError, match="No space"):
        folder.record([record()])
    (path_of(folder) / "journal.ndjson").unlink()
    with pytest.raises(OSError, match="journal cannot be read") as caught:
        folder.finish(RESULT)
    assert not (path_of(folder) / "objects.ndjson").exists()
    assert summary(folder) == summarize(with_lost_results(RESULT, caught.value))


def test_a_summary_of_lost_records_does_not_say_that_the_run_passed(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.record([record()])
    monkeypatch.setattr("shutil.copyfileobj", no_space)
    with pytest.raises(OSError, match=r"density-.*: No space left on device"):
        folder.finish(RESULT)
    told = summary(folder)
    assert (told["outcome"], told["exitCode"]) == ("failed", 1)
    (problem,) = told["problems"]
    assert problem.startswith(f"the results could not all be written: {path_of(folder)}: No space")


def test_results_whose_folder_is_gone_go_to_a_temporary_one(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder.record([record()])
    shutil.rmtree(path_of(folder))
    with pytest.raises(OSError, match="No such file"):
        folder.finish(RESULT)
    assert path_of(folder).parent == tmp_path
    assert path_of(folder).name.startswith("perfscale-results-")
    assert summary(folder)["exitCode"] == 1
    assert len(objects_of(folder)) == 1
    assert locate_run(tmp_path, "1234") is None


def test_results_that_can_be_written_nowhere_have_no_folder(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    shutil.rmtree(path_of(folder))
    with pytest.raises(OSError, match="No such file"):
        folder.finish(RESULT)
    assert folder.path is None


def test_the_folder_of_a_run_is_for_its_owner_alone(folder: RunFolder) -> None:
    folder.record([record()])
    folder.finish(RESULT)
    assert path_of(folder).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in path_of(folder).iterdir()} == {0}


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

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perfscale.errors import ResultsError
from perfscale.results import (
    Accounts,
    ClusterInfo,
    NamespaceCounts,
    ObjectRecord,
    Outcome,
    RunFolder,
    RunInfo,
    RunOutcome,
    RunResult,
    WatchCounts,
    locate_run,
    summarize,
)

INFO = RunInfo(
    run_id="1234",
    source="loads/density.yaml",
    started_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    cluster=ClusterInfo("staging", "https://127.0.0.1:6443", "v1.32.0"),
    kinds=(("kubevirt.io/v1", "VirtualMachineInstance"),),
    namespaces=("density-1",),
    command=("perfscale", "run"),
    workload_yaml="workloads: []\n",
)
RECORD = ObjectRecord(
    kind="ConfigMap",
    namespace="density-1",
    name="map-1",
    uid="uid",
    workload="density",
    iteration=1,
    replica=1,
    outcome=Outcome.READY,
    error=None,
    scheduled_s=0.0,
    admitted_s=0.0,
    sent_s=0.1,
    created_s=0.2,
    phases_s={},
    ready_s=0.2,
    delete_requested_s=None,
    deleted_s=None,
    server={},
)
RESULT = RunResult(
    info=INFO,
    finished_at=datetime(2026, 1, 2, 3, 5, 5, tzinfo=UTC),
    duration_s=60.0,
    outcome=RunOutcome.PASSED,
    exit_code=0,
    problems=(),
    error=None,
    remains=False,
    accounts=Accounts(requested=1, created=1, ready=1),
    children=Accounts(),
    watch=WatchCounts(reconnects=2, relists=1),
    namespaces=NamespaceCounts(),
    requests={"sent": 3},
)


def test_the_folder_is_named_after_the_file_the_time_and_the_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "results")
    folder.begin(INFO)
    assert folder.path == tmp_path / "results" / "density-20260102T030405Z-1234"


def test_what_a_cleanup_needs_is_written_before_the_first_create(tmp_path: Path) -> None:
    RunFolder(tmp_path).begin(INFO)
    run = locate_run(tmp_path, "1234")
    assert run is not None
    assert run["kinds"] == [{"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance"}]
    assert run["namespaces"] == ["density-1"]
    assert run["command"] == ["perfscale", "run"]
    assert locate_run(tmp_path, "other") is None


def test_the_summary_is_written_whole(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.begin(INFO)
    folder.finish(RESULT)
    assert folder.path is not None
    document = json.loads((folder.path / "summary.json").read_text())
    assert document == summarize(RESULT)
    assert document["objects"]["notAttempted"] == 0
    assert document["watch"] == {"reconnects": 2, "relists": 1}
    assert not [path for path in folder.path.iterdir() if path.name.startswith(".")]


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError) as caught:
        RunFolder(tmp_path / "file").begin(INFO)
    assert caught.value.exit_code == 2
    assert "--results-dir" in (caught.value.hint or "")

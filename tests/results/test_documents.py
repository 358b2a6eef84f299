"""A run as kube-burner would have written it down: its names, its units, and no made-up numbers."""

import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from run_folders import finished_run

from perfscale.errors import ResultsError
from perfscale.results import ObjectRecord, OperationOutcome, OperationRecord, Outcome
from perfscale.results.documents import read_documents, write_documents

VMI = "VirtualMachineInstance"
VM = "VirtualMachine"
PHASES = {"Pending": 1.25, "Scheduling": 1.5, "Scheduled": 5.0, "Running": 7.0}
GROUPS = {
    "Pod": "v1",
    "PersistentVolumeClaim": "v1",
    "ConfigMap": "v1",
    "Job": "batch/v1",
    "DataVolume": "cdi.kubevirt.io/v1beta1",
    "VolumeSnapshot": "snapshot.storage.k8s.io/v1",
}
COMMON = {"uuid": "1234", "metadata": {"k8sVersion": "v1.32.0"}, "jobName": "density"}


def record(name: str, kind: str = VMI, **known: Any) -> ObjectRecord:
    """One that was asked for a second after the run began, and ready at its seventh."""
    fields: dict[str, Any] = {
        "kind": kind, "namespace": "density-1", "name": name, "uid": f"uid-{name}",
        "workload": "density", "iteration": 2, "replica": 3, "outcome": Outcome.READY,
        "error": None, "scheduled_s": 0.5, "admitted_s": 0.75, "sent_s": 1.0, "created_s": 1.125,
        "ready_s": 7.0, "delete_requested_s": None, "deleted_s": None, "server": {},
        "api_version": GROUPS.get(kind, "kubevirt.io/v1"),
        "phases_s": PHASES if kind == VMI else {}, **known,
    }  # fmt: skip
    return ObjectRecord(**fields)


def child(name: str, owner: str, kind: str = VMI, **known: Any) -> ObjectRecord:
    known = {"created_s": 2.0, **known}
    return record(name, kind, sent_s=None, replica=None, owner_uid=f"uid-{owner}", **known)


def migration(name: str, **known: Any) -> OperationRecord:
    fields: dict[str, Any] = {
        "workload": "density", "iteration": 1, "operation": "migrate", "kind": VM,
        "api_version": "kubevirt.io/v1", "namespace": "density-1", "name": name, "uid": name,
        "outcome": OperationOutcome.DONE, "error": None, "scheduled_s": 3.0, "admitted_s": 3.0,
        "sent_s": 3.0, "answered_s": 3.1, "done_s": 9.0, "counts": {},
        "milestones": {"Pending": 3.25, "Running": 5.0, "Succeeded": 9.0}, **known,
    }  # fmt: skip
    return OperationRecord(**fields)


def run(
    folder: Path,
    objects: Iterable[ObjectRecord],
    children: Iterable[ObjectRecord] = (),
    operations: Iterable[OperationRecord] = (),
    **more: Any,
) -> Path:
    path = finished_run(folder / "run", [], requested=0, **more)
    encoder = msgspec.json.Encoder()
    for name, records in (
        ("objects", objects), ("children", children), ("operations", operations),
    ):  # fmt: skip
        if lines := [*records]:
            (path / f"{name}.ndjson").write_bytes(encoder.encode_lines(lines))
    return path


def exported(folder: Path) -> dict[str, list[Any]]:
    """The documents by file."""
    written = write_documents(folder)
    assert written == folder / "collected-metrics-1234"
    assert not [path for path in written.iterdir() if path.name.startswith(".")]
    return {path.stem: json.loads(path.read_text()) for path in written.iterdir()}


def quantiles(found: dict[str, list[Any]], measurement: str = "vmiLatency") -> dict[str, Any]:
    documents = found[f"{measurement}QuantilesMeasurement-density"]
    return {each["quantileName"]: each for each in documents}


def test_an_instance_has_a_document_with_its_latencies_in_milliseconds(tmp_path: Path) -> None:
    found = exported(run(tmp_path, [record("a")]))
    assert found["vmiLatencyMeasurement-density"] == [
        {
            "timestamp": "2026-01-02T03:04:06.000Z",
            "metricName": "vmiLatencyMeasurement",
            "vmiCreatedLatency": 125,
            "vmiPendingLatency": 250,
            "vmiSchedulingLatency": 500,
            "vmiScheduledLatency": 4000,
            "vmiRunningLatency": 6000,
            "vmiName": "a",
            "namespace": "density-1",
            "jobIteration": 1,
            "replica": 3,
            **COMMON,
        }
    ]
    assert quantiles(found)["VMIRunning"] == {
        "quantileName": "VMIRunning",
        "P99": 6000, "P95": 6000, "P50": 6000, "min": 6000, "max": 6000, "avg": 6000,
        "timestamp": "2026-01-02T03:04:35.000Z",
        "metricName": "vmiLatencyQuantilesMeasurement",
        **COMMON,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "known", "measurement", "expected", "names"),
    [
        (
            "Pod",
            {"phases_s": {"PodScheduled": 1.25, "Initialized": 1.5, "ContainersReady": 7.0}},
            "podLatency",
            {
                "podName": "a",
                "schedulingLatency": 250,
                "initializedLatency": 500,
                "containersReadyLatency": 6000,
                "podReadyLatency": 6000,
            },
            {"PodScheduled", "Initialized", "ContainersReady", "Ready"},
        ),
        ("Job", {}, "jobLatency", {"k8sJobName": "a", "completionLatency": 6000}, {"Complete"}),
        (
            "PersistentVolumeClaim",
            {"phases_s": {"Pending": 1.5, "Bound": 7.0}},
            "pvcLatency",
            {"pvcName": "a", "pendingLatency": 500, "bindingLatency": 6000},
            {"Pending", "Bound"},
        ),
        ("DataVolume", {}, "dvLatency", {"dvName": "a", "dvReadyLatency": 6000}, {"Ready"}),
        (
            "VolumeSnapshot",
            {},
            "volumeSnapshotLatency",
            {"vsName": "a", "vsReadyLatency": 6000},
            {"Ready"},
        ),
        (
            "VirtualMachineInstanceMigration",
            {"phases_s": {"Pending": 1.5, "Succeeded": 7.0}},
            "vmimLatency",
            {"vmimName": "a", "pendingLatency": 500, "succeededLatency": 6000},
            {"Pending", "Succeeded"},
        ),
    ],
)
def test_each_kind_that_kube_burner_measures_has_the_names_that_it_has_there(
    kind: str, known: Any, measurement: str, expected: Any, names: set[str], tmp_path: Path
) -> None:
    found = exported(run(tmp_path, [record("a", kind, **known)]))
    (document,) = found[f"{measurement}Measurement-density"]
    assert document == expected | {
        "timestamp": "2026-01-02T03:04:06.000Z",
        "metricName": f"{measurement}Measurement",
        "namespace": "density-1",
        "jobIteration": 1,
        "replica": 3,
        **COMMON,
    }
    assert quantiles(found, measurement).keys() == names


def test_a_kind_of_the_same_name_in_another_group_is_another(tmp_path: Path) -> None:
    other = record("a", "Job", api_version="batch.example/v1")
    assert exported(run(tmp_path, [other])).keys() == {"jobSummary"}


def test_a_pod_that_only_ever_succeeded_was_not_ready(tmp_path: Path) -> None:
    ended = record("a", "Pod", phases_s={"Succeeded": 7.0})
    found = exported(run(tmp_path, [ended]))
    assert "podReadyLatency" not in found["podLatencyMeasurement-density"][0]
    assert "podLatencyQuantilesMeasurement-density" not in found


def test_the_instance_of_a_virtual_machine_counts_from_when_the_machine_was_asked_for(
    tmp_path: Path,
) -> None:
    machine = record("vm", VM, ready_s=9.0)
    found = exported(run(tmp_path, [machine], [child("instance", "vm")]))
    (document,) = found["vmiLatencyMeasurement-density"]
    assert (document["vmName"], document["vmiName"]) == ("vm", "instance")
    assert (document["vmReadyLatency"], document["vmiCreatedLatency"]) == (8000, 1000)
    assert document["replica"] == 3
    assert quantiles(found)["VMReady"]["P99"] == 8000


def test_other_children_count_from_when_they_were_first_seen(tmp_path: Path) -> None:
    owner = record("deployment", "Deployment", api_version="apps/v1")
    found = exported(run(tmp_path, [owner], [child("pod", "deployment", "Pod")]))
    (document,) = found["podLatencyMeasurement-density"]
    assert (document["podReadyLatency"], document["replica"]) == (5000, 3)
    assert document["timestamp"] == "2026-01-02T03:04:07.000Z"


def test_a_migration_that_the_run_asked_for_is_one_of_its_documents(tmp_path: Path) -> None:
    found = exported(run(tmp_path, [], operations=[migration("vm-1")]))
    assert found["vmimLatencyMeasurement-density"] == [
        {
            "timestamp": "2026-01-02T03:04:08.000Z",
            "metricName": "vmimLatencyMeasurement",
            "pendingLatency": 250,
            "runningLatency": 2000,
            "succeededLatency": 6000,
            "vmiName": "vm-1",
            "namespace": "density-1",
            "jobIteration": 0,
            **COMMON,
        }
    ]
    assert quantiles(found, "vmimLatency").keys() == {"Pending", "Running", "Succeeded"}


def test_operations_that_kube_burner_does_not_measure_have_no_documents(tmp_path: Path) -> None:
    restart = migration("vm-1", operation="restart", milestones={"Gone": 4.0})
    never = migration("vm-2", sent_s=None, outcome=OperationOutcome.NOT_ATTEMPTED)
    assert exported(run(tmp_path, [], operations=[restart, never])).keys() == {"jobSummary"}


def test_what_was_not_reached_is_left_out_and_not_a_number(tmp_path: Path) -> None:
    stuck = record("b", outcome=Outcome.UNREADY, ready_s=None, phases_s={"Pending": 1.5})
    found = exported(run(tmp_path, [record("a"), stuck]))
    documents = found["vmiLatencyMeasurement-density"]
    assert "vmiRunningLatency" not in documents[1]
    assert documents[1]["vmiPendingLatency"] == 500
    assert quantiles(found)["VMIPending"]["max"] == 500
    assert quantiles(found)["VMIRunning"]["min"] == 6000
    assert not quantiles(found)["VMIRunning"].keys() & {"P50", "P95", "P99", "max", "avg"}


def test_what_the_server_never_accepted_has_no_document(tmp_path: Path) -> None:
    refused = record("b", uid=None, outcome=Outcome.FAILED, phases_s={}, ready_s=None)
    documents = exported(run(tmp_path, [record("a"), refused]))["vmiLatencyMeasurement-density"]
    assert [document["vmiName"] for document in documents] == ["a"]


def test_what_churn_created_is_marked_and_the_job_says_when_it_churned(tmp_path: Path) -> None:
    first = record("a", delete_requested_s=8.0, replaced_in=1)
    second = record("b", sent_s=8.5, created_s=8.6, ready_s=12.0, round=1)
    found = exported(run(tmp_path, [first, second]))
    marks = [each.get("churnMetric") for each in found["vmiLatencyMeasurement-density"]]
    assert marks == [None, True]
    (summary,) = found["jobSummary"]
    assert summary["churnStartTimestamp"] == "2026-01-02T03:04:13.000Z"
    assert summary["churnEndTimestamp"] == "2026-01-02T03:04:17.000Z"


def test_a_job_summary_says_what_the_workload_was_and_that_it_passed(tmp_path: Path) -> None:
    folder = run(tmp_path, [])
    described = json.loads((folder / "run.json").read_text())
    described["tags"] = {"build": "123", "passed": "no"}
    (folder / "run.json").write_text(json.dumps(described))
    (folder / "workload.yaml").write_text(
        "workloads: [{name: density, workloadCreationWait: true, qps: 20, burst: 5,"
        " maxWaitTimeout: 1m, workloadCleanup: true,"
        " churn: {share: 10%, interval: 2s, rounds: 3, of: objects}}]"
    )
    (summary,) = exported(folder)["jobSummary"]
    assert summary.pop("version").startswith("perfscale ")
    assert summary == {
        "timestamp": "2026-01-02T03:04:05.000Z",
        "endTimestamp": "2026-01-02T03:04:35.000Z",
        "elapsedTime": 30,
        "uuid": "1234",
        "metricName": "jobSummary",
        "passed": True,
        "k8sVersion": "v1.32.0",
        "build": "123",
        "jobConfig": {
            "name": "density", "jobType": "create", "jobIterations": 1, "qps": 20, "burst": 5,
            "maxWaitTimeout": 60_000_000_000, "gc": True, "waitWhenFinished": True,
            "churnConfig": {"cycles": 3, "percent": 10, "delay": 2_000_000_000, "mode": "objects"},
        },
    }  # fmt: skip


def test_workloads_that_were_made_from_one_job_are_that_job(tmp_path: Path) -> None:
    folder = run(tmp_path, [record("a"), record("b", workload="density-2", iteration=1)])
    (folder / "workload.yaml").write_text(
        "workloads:\n- {name: density, qps: 5, kubeBurner: {job: big, firstIteration: 0}}\n"
        "- {name: density-2, kubeBurner: {job: big, firstIteration: 7}}"
    )
    found = exported(folder)
    assert found.keys() == {
        "vmiLatencyMeasurement-big", "vmiLatencyQuantilesMeasurement-big", "jobSummary",
    }  # fmt: skip
    numbers = [each["jobIteration"] for each in found["vmiLatencyMeasurement-big"]]
    assert numbers == [1, 7]
    (summary,) = found["jobSummary"]
    assert summary["jobConfig"] == {
        "name": "big",
        "jobType": "create",
        "jobIterations": 1,
        "qps": 5,
    }


def test_a_job_that_a_run_broke_off_has_not_passed(tmp_path: Path) -> None:
    folder = finished_run(
        tmp_path / "run", [], requested=3, outcome="interrupted", problems=["interrupted: SIGINT"]
    )
    (folder / "objects.ndjson").write_bytes(b"")
    (summary,) = exported(folder)["jobSummary"]
    assert (summary["passed"], summary["executionErrors"]) == (False, "interrupted: SIGINT")


def test_the_tarball_and_the_folder_hold_what_is_read_from_the_run_itself(tmp_path: Path) -> None:
    folder = run(tmp_path, [record("a"), record("é", "Pod")])
    names = exported(folder).keys()
    with tarfile.open(folder / "kube-burner-metrics.tgz") as archive:
        assert {name.removesuffix(".json") for name in archive.getnames()} == names

    def lines(path: Path) -> list[str]:
        return sorted(json.dumps(each, sort_keys=True) for each in read_documents(path))

    own = lines(folder)
    assert len(own) == 9
    assert lines(folder / "collected-metrics-1234") == own
    assert lines(folder / "kube-burner-metrics.tgz") == own
    assert lines(folder / "summary.json") == own


def test_kube_burners_own_files_are_read_however_they_are_laid_out(tmp_path: Path) -> None:
    documents = [
        {"metricName": "x", "value": number, "text": "a," * number} for number in range(99)
    ]
    (tmp_path / "one-line.json").write_text(json.dumps(documents))
    (tmp_path / "nested").mkdir()
    (tmp_path / "nested" / "indented.json").write_text(json.dumps(documents, indent=4))
    (tmp_path / "nested" / "empty.json").write_text(" [ ] ")
    assert list(read_documents(tmp_path)) == documents * 2


def test_a_document_that_is_larger_than_what_is_read_at_once_is_whole(tmp_path: Path) -> None:
    documents = [{"text": "ü" * 3_000_000}, {"text": "b"}]
    (tmp_path / "large.json").write_text(json.dumps(documents, ensure_ascii=False))
    assert list(read_documents(tmp_path)) == documents


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1}', "it is not a JSON array"),
        ('[{"a": 1}, 3]', "the document after 1 others is not a JSON object"),
        ('[{"a": 1}, {"a": ', "after 1 documents"),
        ('[{"a": NaN}]', "NaN is no JSON"),
        ("[" + '{"a":' * 100_000, "after 0 documents"),
    ],
)
def test_a_file_that_holds_no_documents_is_refused_by_name(
    text: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ResultsError, match=rf"broken\.json: {reason}"):
        list(read_documents(tmp_path))


@pytest.mark.parametrize("name", ["not-there", "empty", "text"])
def test_what_has_no_documents_is_refused_with_what_would(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no tarball")
    with pytest.raises(ResultsError) as caught:
        list(read_documents(tmp_path / name))
    assert str(tmp_path / name) in str(caught.value)
    assert "name the folder of a run" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("objects.ndjson", "it has no records of objects"), ("summary.json", "it has no summary")],
)
def test_a_folder_without_its_files_is_refused_by_name(
    missing: str, reason: str, tmp_path: Path
) -> None:
    folder = run(tmp_path, [record("a")])
    (folder / missing).unlink()
    with pytest.raises(ResultsError, match=reason):
        write_documents(folder)


def test_records_that_are_none_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    folder = run(tmp_path, [record("a")])
    (folder / "objects.ndjson").write_text('{"kind": 3}\n')
    with pytest.raises(ResultsError, match=r"objects\.ndjson:1: it cannot be understood"):
        write_documents(folder)
    assert not list((folder / "collected-metrics-1234").iterdir())


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_a_broken_tarball_is_refused_by_name(tmp_path: Path, compression: str) -> None:
    documents, path = tmp_path / "a.json", tmp_path / f"broken.{compression}"
    documents.write_text(json.dumps([{"number": f"{number:x}" * 3} for number in range(50_000)]))
    with tarfile.open(path, f"w:{compression}") as archive:  # type: ignore[call-overload] # any
        archive.add(documents, arcname=documents.name)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(each ^ 0xFF for each in content[middle : middle + 200])
    path.write_bytes(content)
    with pytest.raises(ResultsError, match=path.name):
        list(read_documents(path))


def test_a_time_that_is_none_is_an_error_of_the_file(tmp_path: Path) -> None:
    folder = run(tmp_path, [record("a")])
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(json.dumps(summary | {"startedAt": "yesterday"}))
    with pytest.raises(ResultsError, match="'yesterday' where a time should be"):
        list(read_documents(folder))

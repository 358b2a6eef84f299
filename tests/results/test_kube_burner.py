"""A run as kube-burner would have written it down: its names, its units, and no made-up numbers."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journals import INFO

from perfscale.errors import ResultsError
from perfscale.results import ObjectRecord, Outcome, export_kube_burner
from perfscale.results.folder.runfile import describe_run

VMI = "VirtualMachineInstance"
VM = "VirtualMachine"
PHASES = {"Pending": 1.25, "Scheduling": 1.5, "Scheduled": 5.0, "Running": 7.0}


def record(name: str, kind: str = VMI, **known: Any) -> ObjectRecord:
    """One that was asked for a second after the run began, and ready at its seventh."""
    fields: dict[str, Any] = {
        "kind": kind, "namespace": "density-1", "name": name, "uid": f"uid-{name}",
        "workload": "density", "iteration": 2, "replica": 3, "outcome": Outcome.READY,
        "error": None, "scheduled_s": 0.5, "admitted_s": 0.75, "sent_s": 1.0, "created_s": 1.125,
        "ready_s": 7.0, "delete_requested_s": None, "deleted_s": None, "server": {},
        "phases_s": PHASES if kind == VMI else {}, **known,
    }  # fmt: skip
    return ObjectRecord(**fields)


def child(name: str, owner: str, **known: Any) -> ObjectRecord:
    known = {"created_s": 2.0, **known}
    return record(name, sent_s=None, replica=None, owner_uid=f"uid-{owner}", **known)


def run(
    folder: Path, objects: Iterable[ObjectRecord], children: Iterable[ObjectRecord] = ()
) -> Path:
    (folder / "run.json").write_text(json.dumps(describe_run(INFO, None)))
    encoder = msgspec.json.Encoder()
    (folder / "objects.ndjson").write_bytes(encoder.encode_lines(list(objects)))
    if children:
        (folder / "children.ndjson").write_bytes(encoder.encode_lines(list(children)))
    return folder


def exported(folder: Path, workload: str = "density") -> tuple[list[Any], dict[str, Any]]:
    """The documents of the instances, and those of the quantiles by their names."""
    files = export_kube_burner(folder)
    assert not [path for path in files[0].parent.iterdir() if path.name.startswith(".")]
    documents, quantiles = (
        json.loads((folder / "kube-burner" / f"{name}-{workload}.json").read_text())
        for name in ("vmiLatencyMeasurement", "vmiLatencyQuantilesMeasurement")
    )
    assert {each["metricName"] for each in quantiles} <= {"vmiLatencyQuantilesMeasurement"}
    return documents, {each["quantileName"]: each for each in quantiles}


def test_an_instance_has_a_document_with_its_latencies_in_milliseconds(tmp_path: Path) -> None:
    documents, quantiles = exported(run(tmp_path, [record("a")]))
    assert documents == [
        {
            "timestamp": "2026-01-02T03:04:06.000Z",
            "metricName": "vmiLatencyMeasurement",
            "vmiCreatedLatency": 125,
            "vmiPendingLatency": 250,
            "vmiSchedulingLatency": 500,
            "vmiScheduledLatency": 4000,
            "vmiRunningLatency": 6000,
            "vmiReadyLatency": 6000,
            "vmiName": "a",
            "namespace": "density-1",
            "jobIteration": 2,
            "replica": 3,
            "uuid": "1234",
            "jobName": "density",
        }
    ]
    assert quantiles["VMIRunning"] == {
        "quantileName": "VMIRunning",
        "P99": 6000, "P95": 6000, "P50": 6000, "min": 6000, "max": 6000, "avg": 6000,
        "timestamp": "2026-01-02T03:04:05.000Z",
        "metricName": "vmiLatencyQuantilesMeasurement",
        "uuid": "1234",
        "jobName": "density",
    }  # fmt: skip


def test_the_instance_of_a_virtual_machine_counts_from_when_the_machine_was_asked_for(
    tmp_path: Path,
) -> None:
    machine = record("vm", VM, ready_s=9.0)
    documents, quantiles = exported(run(tmp_path, [machine], [child("instance", "vm")]))
    (document,) = documents
    assert (document["vmName"], document["vmiName"]) == ("vm", "instance")
    assert (document["vmReadyLatency"], document["vmiCreatedLatency"]) == (8000, 1000)
    assert document["replica"] == 3
    assert quantiles["VMReady"]["P99"] == 8000


def test_what_was_not_reached_is_left_out_and_not_a_number(tmp_path: Path) -> None:
    stuck = record("b", outcome=Outcome.UNREADY, ready_s=None, phases_s={"Pending": 1.5})
    documents, quantiles = exported(run(tmp_path, [record("a"), stuck]))
    assert "vmiRunningLatency" not in documents[1]
    assert documents[1]["vmiPendingLatency"] == 500
    assert quantiles["VMIPending"]["max"] == 500
    assert quantiles["VMIRunning"]["min"] == 6000
    assert not quantiles["VMIRunning"].keys() & {"P50", "P95", "P99", "max", "avg"}


def test_what_the_server_never_accepted_has_no_document(tmp_path: Path) -> None:
    refused = record("b", uid=None, outcome=Outcome.FAILED, phases_s={}, ready_s=None)
    documents, _ = exported(run(tmp_path, [record("a"), refused]))
    assert [document["vmiName"] for document in documents] == ["a"]


def test_each_workload_has_files_of_its_own(tmp_path: Path) -> None:
    run(tmp_path, [record("a"), record("b", workload="other")])
    assert len(export_kube_burner(tmp_path)) == 4
    assert exported(tmp_path, "other")[0][0]["jobName"] == "other"


def test_a_run_without_instances_has_nothing_to_export(tmp_path: Path) -> None:
    assert export_kube_burner(run(tmp_path, [record("a", "ConfigMap")])) == ()


@pytest.mark.parametrize("missing", ["objects.ndjson", "run.json"])
def test_a_folder_without_records_is_refused_by_name(missing: str, tmp_path: Path) -> None:
    run(tmp_path, [record("a")])
    (tmp_path / missing).unlink()
    with pytest.raises(ResultsError, match=f"{missing}: No such file"):
        export_kube_burner(tmp_path)


def test_records_that_are_none_are_refused(tmp_path: Path) -> None:
    run(tmp_path, [record("a")])
    (tmp_path / "objects.ndjson").write_text('{"kind": 3}\n')
    with pytest.raises(ResultsError, match="do not describe a run"):
        export_kube_burner(tmp_path)

"""A run's folder read back: what earlier versions did not write is filled in, in one place."""

import json
from pathlib import Path

import jsonschema
from run_folders import VMI, WORKLOAD, finished_run, restart, vmi

from perfscale.results.folder.reading import read_run_files
from perfscale.results.model.document import SCHEMA_VERSION, Counts, results_schema
from perfscale.results.model.run import RunOutcome

LATENCY = {"count": 1, "missing": 0, "p50": 2.0, "p90": 2.0, "p95": 2.0, "p99": 2.0}


def test_a_summary_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [vmi(1)], requested=1)
    summary = read_run_files(folder).summary
    assert summary.outcome is RunOutcome.PASSED
    assert summary.workloads[0].kinds[VMI].latencies["Ready"].p50 == 2.0


def test_operations_are_read_as_they_were_written(tmp_path: Path) -> None:
    restarts = [restart(1, effect_s=4.0), restart(2, effect_s=8.0)]
    run = read_run_files(finished_run(tmp_path / "run", [vmi(1), *restarts], requested=1))
    created, restarted = run.summary.workloads
    assert (created.operation, created.operations, created.sends) == ("create", [], "creates")
    assert (restarted.operation, restarted.sends) == ("restart", "restart requests")
    (operation,) = restarted.operations
    assert operation.operations.done == operation.effect.count == 2
    assert list(operation.latencies) == ["response", "Gone", "effect", "time in Gone"]
    assert operation.latencies["time in Gone"].max == 6.0
    assert run.summary.operations == restarted.operations
    assert [record.name for record in run.operations()] == ["vm-1", "vm-2"]
    jsonschema.validate(json.loads((run.folder / "summary.json").read_text()), results_schema())


def test_a_summary_that_knows_of_no_operations_has_none(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [vmi(1)], requested=1)
    summary = json.loads((folder / "summary.json").read_text())
    for part in (summary, *summary["workloads"], *summary["workloads"][0]["iterations"]):
        del part["operations"]
    for key in ("operation", "background"):
        del summary["workloads"][0][key]
    (folder / "summary.json").write_text(json.dumps(summary))
    read = read_run_files(folder).summary
    assert read.operations == read.workloads[0].operations == []
    assert read.workloads[0].iterations[0].operations == []
    assert (read.workloads[0].operation, read.workloads[0].background) == ("create", False)


def test_a_summary_of_the_first_version_has_everything_that_todays_has(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [vmi(1)], requested=1)
    workload = {
        "name": WORKLOAD,
        "objects": {"requested": 1, "ready": 1, "notAttempted": 0},
        "rate": {"targetQps": 10.0, "achievedQps": 9.5},
        "kinds": {VMI: {"phases": {"Ready": LATENCY}, "deletion": LATENCY}},
        "childKinds": {},
    }
    first = {"schemaVersion": 1, "outcome": "passed", "workloads": [workload]}
    (folder / "summary.json").write_text(json.dumps(first))
    summary = read_run_files(folder).summary
    assert summary.schema_version < SCHEMA_VERSION
    assert summary.generator is None
    assert summary.objects == Counts(**dict.fromkeys(Counts.__struct_fields__, 0))
    assert summary.workloads[0].rate.sent_qps == 9.5
    assert summary.workloads[0].kinds[VMI].deletion.max is None

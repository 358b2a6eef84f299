"""A run's folder read back: what earlier versions did not write is filled in, in one place."""

import json
from pathlib import Path

from run_folders import VMI, WORKLOAD, finished_run, vmi

from perfscale.results.folder.reading import read_run_files
from perfscale.results.model.document import SCHEMA_VERSION, Counts
from perfscale.results.model.run import RunOutcome

LATENCY = {"count": 1, "missing": 0, "p50": 2.0, "p90": 2.0, "p95": 2.0, "p99": 2.0}


def test_a_summary_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [vmi(1)], requested=1)
    summary = read_run_files(folder).summary
    assert summary.outcome is RunOutcome.PASSED
    assert summary.workloads[0].kinds[VMI].latencies["Ready"].p50 == 2.0


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

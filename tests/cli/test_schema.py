"""`perfscale schema`: what it prints describes what is read and written."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command_line import CommandLine
from workload_file import entry, write_workload

from perfscale.results import results_schema

FAULTS = """
seed: 3
requests:
  - {fault: tooManyRequests, share: 0.2, retryAfter: 0s}
objects:
  - {fault: fails, phase: Scheduling, names: ["*-2"]}
"""


def printed(perfscale: CommandLine, *arguments: str) -> Any:
    ended = perfscale("schema", *arguments)
    assert (ended.code, ended.err) == (0, "")
    return json.loads(ended.out)


def a_run(perfscale: CommandLine) -> Path:
    """A run with failures, children, thresholds, and a second workload that never comes."""
    workload = write_workload(
        perfscale.folder,
        entry("vmi-ephemeral.yaml", 3, "schema"),
        entry("vm-ephemeral.yaml", 1, "schema"),
        thresholds=[
            {"metric": "vmiReady", "quantile": "p99", "max": "1h"},
            {"metric": "achievedQps", "min": 1},
            {"metric": "apiErrors", "max": 0},
        ],
        qps=100,
        burst=10,
        iterationCount=2,
        maxWaitTimeout="5s",
    )
    (perfscale.folder / "faults.yaml").write_text(FAULTS)
    simulated = ("--simulate", "--speed", "50", "--faults", "faults.yaml")
    ended = perfscale("run", workload, *simulated)
    assert ended.code == 1, ended.err
    (folder,) = perfscale.results
    return folder


def test_the_summary_of_a_run_is_what_its_schema_says(perfscale: CommandLine) -> None:
    schema = printed(perfscale, "--results")
    jsonschema.Draft202012Validator.check_schema(schema)
    summary = json.loads((a_run(perfscale) / "summary.json").read_text())
    assert summary["children"]["requested"] == 1
    assert summary["objects"]["failed"] == 1
    jsonschema.validate(summary, schema)
    assert summary.keys() == schema["$defs"]["Summary"]["properties"].keys()


@pytest.mark.parametrize(
    "broken", [{"exitCode": "1"}, {"outcome": "fine"}, {"clock": {}}, {"problems": None}]
)
def test_the_schema_refuses_what_is_no_summary(broken: dict[str, Any]) -> None:
    good = dict.fromkeys(results_schema()["$defs"]["Summary"]["properties"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, **broken}, results_schema())


def test_without_an_option_it_is_that_of_the_workload_file(perfscale: CommandLine) -> None:
    schema = printed(perfscale)
    assert schema["title"] == "perfscale workload file"
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"workloads": [{"name": "a", "objects": [{"templateFile": "t"}]}]}, schema)

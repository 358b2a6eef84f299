"""What a person and a CI job learn of thresholds."""

import json
from pathlib import Path
from typing import Any

from command_line import CommandLine
from simulated_process import SimulatedProcess
from workload_file import entry, write_workload

MET = {"metric": "vmiReady", "quantile": "p99", "max": "1h"}
MISSED = {"metric": "vmiReady", "quantile": "p99", "max": "1ms"}
UNKNOWN = {"metric": "achievedQps", "min": 1}
"""Five creates are less than a burst of ten, and say nothing of the rate."""


def run(
    perfscale: CommandLine, cluster: SimulatedProcess, namespace: str, *thresholds: Any, **keys: Any
) -> Any:
    workload = write_workload(
        perfscale.folder, entry("vmi-ephemeral.yaml", 5, namespace), thresholds=thresholds, **keys
    )
    return perfscale("run", workload, "--kubeconfig", cluster.kubeconfig)


def test_a_run_that_keeps_to_its_thresholds_passes(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    ended = run(perfscale, simulated, "kept", MET, {"metric": "failed", "max": 0})
    assert ended.code == 0, ended.err
    assert "✓ density: failed is 0; at most 0 is wanted" in ended.out
    assert "✗" not in ended.out


def test_a_threshold_that_is_missed_says_by_how_much_and_is_exit_code_3(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    ended = run(perfscale, simulated, "missed", MET, MISSED, UNKNOWN, qps=100, burst=10)
    assert ended.code == 3, ended.err
    assert "FAILED" in ended.out
    (folder,) = perfscale.results
    summary = json.loads((folder / "summary.json").read_text())
    met, missed, unknown = summary["thresholds"]
    assert (summary["outcome"], summary["exitCode"]) == ("failed", 3)
    assert [each["passed"] for each in summary["thresholds"]] == [True, False, False]
    kind = summary["workloads"][0]["kinds"]["VirtualMachineInstance"]
    assert met["value"] == missed["value"] == kind["phases"]["Ready"]["p99"]
    assert missed["missedBy"] == round(missed["value"] - 0.001, 6)
    assert (unknown["value"], unknown["missedBy"]) == (None, None)
    assert summary["problems"] == [missed["text"], unknown["text"]]
    for each in (missed, unknown):
        assert ended.out.count(f"✗ {each['text']}\n") == 1
    # What the report says again is the same.
    assert perfscale("report", Path("results") / folder.name).out == ended.out


def test_a_threshold_that_cannot_be_met_any_more_ends_the_run_and_its_cleanup_is_done(
    perfscale: CommandLine, simulated: SimulatedProcess
) -> None:
    lost = {**MISSED, "abortOnFail": True}
    ended = run(perfscale, simulated, "lost", lost, qps=1, burst=1, iterationCount=100)
    assert ended.code == 3, ended.err
    assert "density: vmiReady p99 cannot be met any more" in ended.err
    assert "not attempted" in ended.out
    assert simulated.left_of(ended.run_id) == {}

"""Runs side by side: what is a regression, what is none, and what cannot be compared."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_folders import VMI, finished_run, refused, restart, vmi

from perfscale.errors import ResultsError
from perfscale.results.comparison import (
    Comparison,
    Limits,
    Row,
    Verdict,
    compare,
    read_compared,
)

COUNT = 100


def run(folder: Path, *, slower: float = 1.0, seed: int = 1, **told: Any) -> Path:
    """A run whose latencies are drawn as the simulated cluster draws them."""
    rng = random.Random(seed)
    lives = [
        vmi(number, sent_s=number / 10, ready_after_s=slower * rng.lognormvariate(1.6, 0.4))
        for number in range(COUNT)
    ]
    return finished_run(folder, lives, requested=COUNT, **{"duration_s": 60.0, **told})


def compared(base: Path, new: Path, **limits: Any) -> Comparison:
    return compare(read_compared(base), read_compared(new), Limits(**limits))


def row(comparison: Comparison, measure: str, statistic: str = "") -> Row:
    (found,) = (
        each for each in comparison.rows if (each.measure, each.statistic) == (measure, statistic)
    )
    return found


def test_a_run_has_no_difference_to_itself(tmp_path: Path) -> None:
    base = run(tmp_path / "base")
    comparison = compared(base, base)
    assert comparison.verdict is Verdict.SAME
    assert {each.verdict for each in comparison.rows} <= {Verdict.SAME, Verdict.NONE}
    assert {each.change for each in comparison.rows} == {0.0}
    assert comparison.notes == ()


@pytest.mark.parametrize("seed", range(1, 6))
def test_latencies_that_are_30_percent_higher_are_a_regression(tmp_path: Path, seed: int) -> None:
    base, new = run(tmp_path / "base", seed=77), run(tmp_path / "new", seed=seed, slower=1.3)
    comparison = compared(base, new)
    assert comparison.verdict is Verdict.WORSE
    median = row(comparison, "Ready", "p50")
    assert (median.verdict, median.p_value is not None) == (Verdict.WORSE, True)
    assert median.change == pytest.approx(0.3, abs=0.15)
    # The other way round it is an improvement.
    assert compared(new, base).verdict is Verdict.BETTER


def test_exactly_30_percent_more_is_told_as_30_percent(tmp_path: Path) -> None:
    comparison = compared(run(tmp_path / "base"), run(tmp_path / "new", slower=1.3))
    for statistic in ("p50", "p90", "p95", "p99"):
        found = row(comparison, "Ready", statistic)
        assert found.change == pytest.approx(0.3, abs=1e-4)
        assert found.verdict is Verdict.WORSE
        # Phases show where the time went; readiness is what is judged.
        assert row(comparison, "Scheduled", statistic).verdict is Verdict.NONE


@pytest.mark.parametrize("seed", range(1, 11))
def test_two_runs_of_the_same_are_no_regression(tmp_path: Path, seed: int) -> None:
    base, new = run(tmp_path / "base", seed=0), run(tmp_path / "new", seed=seed)
    assert compared(base, new).verdict is Verdict.SAME


def test_a_difference_below_the_limits_is_none(tmp_path: Path) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new", slower=1.3)
    assert compared(base, new, threshold=0.35).verdict is Verdict.SAME
    assert compared(base, new, min_difference_s=60.0).verdict is Verdict.SAME
    assert compared(base, new, significance=1e-12).verdict is Verdict.SAME


def test_with_few_samples_the_threshold_alone_decides(tmp_path: Path) -> None:
    base = finished_run(tmp_path / "base", [vmi(1), vmi(2)], requested=2)
    slow = [vmi(number, ready_after_s=2.6) for number in (1, 2)]
    comparison = compared(base, finished_run(tmp_path / "new", slow, requested=2))
    assert row(comparison, "Ready", "p50").p_value is None
    assert row(comparison, "Ready", "p50").verdict is Verdict.WORSE


def test_without_records_the_threshold_alone_decides_and_that_is_said(tmp_path: Path) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new", slower=1.3)
    (base / "objects.ndjson").unlink()
    comparison = compared(base, new)
    assert row(comparison, "Ready", "p50").p_value is None
    assert comparison.verdict is Verdict.WORSE
    assert "the run before has no records of single objects: no test" in comparison.notes[0]


def restarted(folder: Path, *, slower: float = 1.0, failed: int = 0) -> Path:
    """A run with as many restarts, the last of which fail."""
    rng = random.Random(3)
    effects = [slower * rng.lognormvariate(1.6, 0.4) for _ in range(COUNT)]
    done = [restart(number, effect_s=each) for number, each in enumerate(effects, start=1)]
    for number in range(COUNT - failed, COUNT):
        done[number] = restart(number + 1, done_s=None, error="409 Conflict: VM is not running")
    return finished_run(folder, [vmi(1), *done], requested=1, duration_s=60.0)


def test_slower_restarts_are_a_regression_and_their_phases_show_where(tmp_path: Path) -> None:
    base, new = restarted(tmp_path / "base"), restarted(tmp_path / "new", slower=1.3)
    comparison = compared(base, new)
    assert comparison.verdict is Verdict.WORSE
    median = row(comparison, "effect", "p50")
    assert str(median.subject) == "restarts: restart of VirtualMachine"
    assert median.verdict is Verdict.WORSE
    assert median.change == pytest.approx(0.3, abs=1e-4)
    assert median.p_value is not None
    for measure in ("response", "Gone", "time in Gone"):
        assert row(comparison, measure, "p50").verdict is Verdict.NONE
    assert row(comparison, "restart requests a second").verdict is Verdict.SAME
    assert compared(new, base).verdict is Verdict.BETTER
    assert compared(base, base).verdict is Verdict.SAME


def test_operations_that_were_not_done_are_a_regression(tmp_path: Path) -> None:
    base, new = restarted(tmp_path / "base"), restarted(tmp_path / "new", failed=2)
    share = row(compared(base, new), "% not done")
    assert (share.base, share.new, share.verdict) == (0.0, 2.0, Verdict.WORSE)
    assert share.as_json()["operation"] == "restart"


def test_objects_that_were_not_ready_are_a_regression(tmp_path: Path) -> None:
    base = run(tmp_path / "base")
    lives = [vmi(number, sent_s=number / 10) for number in range(1, COUNT)]
    lives.append(refused(COUNT, "no room", sent_s=9.9))
    new = finished_run(tmp_path / "new", lives, requested=COUNT, duration_s=60.0, outcome="failed")
    comparison = compared(base, new)
    share = row(comparison, "% not ready")
    assert (share.base, share.new, share.verdict) == (0.0, 1.0, Verdict.WORSE)
    assert comparison.failed
    assert "the run now failed" in comparison.notes
    # A percentile that is not reached any more is longer than every one that was.
    assert row(comparison, "Ready", "p99").new is None


def test_a_lower_rate_is_a_regression_where_the_same_was_wanted(tmp_path: Path) -> None:
    base = run(tmp_path / "base")
    slow = [vmi(number, sent_s=number / 8) for number in range(COUNT)]
    new = finished_run(tmp_path / "new", slow, requested=COUNT, duration_s=60.0)
    rate = row(compared(base, new), "creates a second")
    assert rate.change == pytest.approx(-0.2, abs=0.005)
    assert row(compared(base, new), "creates a second", "sent").change == pytest.approx(-0.2)
    assert rate.verdict is Verdict.WORSE
    other = finished_run(tmp_path / "other", slow, requested=COUNT, duration_s=60.0, qps=8.0)
    assert row(compared(base, other), "creates a second").verdict is Verdict.NONE


def of_version_1(folder: Path) -> Path:
    """A run whose summary is of the version that counted what was sent as achieved."""
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    summary["schemaVersion"] = 1
    for workload in summary["workloads"]:
        for part in (workload, *workload["iterations"]):
            part["rate"] = {"targetQps": 10.0, "achievedQps": 9.5, "heldBackSeconds": 0.0}
    path.write_text(json.dumps(summary))
    return folder


def test_what_an_older_summary_calls_achieved_was_sent(tmp_path: Path) -> None:
    base, new = of_version_1(run(tmp_path / "base")), run(tmp_path / "new")
    comparison = compared(base, new)
    rates = [row for row in comparison.rows if row.measure == "creates a second"]
    assert [(row.statistic, row.base) for row in rates] == [("sent", 9.5)]
    assert rates[0].verdict is Verdict.NONE
    [note] = [note for note in comparison.notes if "earlier perfscale" in note]
    assert f"perfscale report {base}" in note


def test_what_the_runs_did_differently_is_told(tmp_path: Path) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new")
    (base / "workload.yaml").write_text("workloads:\n- name: density\n  qps: 20\n")
    (new / "workload.yaml").write_text("workloads:\n- name: density\n  qps: 50\n  burst: 5\n")
    assert compared(base, new).notes == (
        "workloads[0].qps: 20 before, 50 now",
        "workloads[0].burst: not there before, 5 now",
    )


@pytest.mark.parametrize(("drawn", "notes"), [(True, 0), (False, 1)])
def test_a_seed_is_a_difference_only_where_somebody_chose_it(
    tmp_path: Path, drawn: bool, notes: int
) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new")
    for folder, seed in ((base, 7), (new, 8)):
        (folder / "workload.yaml").write_text(f"globalConfig: {{seed: {seed}}}\n")
    path = new / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seedDrawn": drawn}))
    base_run = json.loads((base / "run.json").read_text())
    (base / "run.json").write_text(json.dumps(base_run | {"seedDrawn": True}))
    assert len(compared(base, new).notes) == notes


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("generator-limited", "the generator was the limit of the run now"),
        ("generator-lost", "the run now lost a generator"),
    ],
)
def test_a_generator_that_was_the_limit_or_was_lost_is_noted(
    verdict: str, said: str, tmp_path: Path
) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new")
    path = new / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"generator": {"verdict": verdict}}))
    (note,) = compared(base, new).notes
    assert said in note


def test_percentiles_that_are_uncertain_are_told(tmp_path: Path) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new")
    path = new / "summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps(summary | {"generator": {"verdict": "uncertain"}}))
    (note,) = compared(base, new).notes
    assert "percentiles of the run now are uncertain" in note


def without_a_common_workload(folder: Path) -> str:
    path = folder / "summary.json"
    path.write_text(path.read_text().replace('"density"', '"other"'))
    return ": it has no workload in common with"


def without_a_summary(folder: Path) -> str:
    (folder / "summary.json").unlink()
    return ": it has no summary.json"


def with_broken_records(folder: Path) -> str:
    (folder / "objects.ndjson").write_text("broken\n")
    return "/objects.ndjson:1: it cannot be understood"


@pytest.mark.parametrize(
    "spoil", [without_a_common_workload, without_a_summary, with_broken_records]
)
def test_what_cannot_be_compared_is_named(spoil: Callable[[Path], str], tmp_path: Path) -> None:
    base = finished_run(tmp_path / "base", [vmi(1)], requested=1)
    new = finished_run(tmp_path / "new", [vmi(1)], requested=1)
    told_of = spoil(new)
    with pytest.raises(ResultsError) as caught:
        compared(base, new)
    assert f"{new}{told_of}" in str(caught.value)


def test_a_comparison_can_be_told_as_json(tmp_path: Path) -> None:
    comparison = compared(run(tmp_path / "base"), run(tmp_path / "new", slower=1.3))
    document = json.loads(json.dumps(comparison.as_json()))
    assert document["verdict"] == "regression"
    told = [each for each in document["rows"] if each["measure"] == "Ready"]
    assert told[0] == {
        "workload": "density", "kind": VMI, "children": False, "operation": None,
        "measure": "Ready", "statistic": "p50", "base": told[0]["base"], "new": told[0]["new"],
        "change": 0.3, "pValue": told[0]["pValue"], "verdict": "regression",
    }  # fmt: skip


def test_what_is_different_in_kubevirts_configuration_is_noted(tmp_path: Path) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new")
    config = {"featureGates": ["A"], "migrations": {"parallelMigrationsPerCluster": 5}}
    _configure(base, "v1.8.0", config)
    changed = {"migrations": {"parallelMigrationsPerCluster": 20}, "disabledFeatureGates": ["B"]}
    _configure(new, "v1.9.0", {**config, **changed})
    assert compared(base, new).notes == (
        "KubeVirt: v1.8.0 before, v1.9.0 now",
        "KubeVirt's migrations.parallelMigrationsPerCluster: 5 before, 20 now",
        "KubeVirt's disabled feature gates: not there before, B now",
    )


def test_a_configuration_that_only_one_of_two_runs_knows_is_no_difference(tmp_path: Path) -> None:
    base, new = run(tmp_path / "base"), run(tmp_path / "new")
    _configure(new, None, {"featureGates": ["A"]})
    assert compared(base, new).notes == ()


def _configure(folder: Path, version: str | None, config: dict[str, Any]) -> None:
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    summary["cluster"] |= {"kubevirt": version, "kubevirtConfig": config}
    path.write_text(json.dumps(summary))


def test_what_churn_created_and_deleted_is_compared_apart(tmp_path: Path) -> None:
    def churned(folder: Path, slower: float) -> Path:
        lives = [
            *(vmi(number, replaced_in=1 if number > 20 else None) for number in range(1, 41)),
            *(vmi(number, ready_after_s=slower * 2.0, round=1) for number in range(41, 61)),
        ]
        return finished_run(folder, lives, requested=60, duration_s=60.0)

    base, new = churned(tmp_path / "base", 1.0), churned(tmp_path / "new", 3.0)
    assert compared(base, base).verdict is Verdict.SAME
    comparison = compared(base, new)
    assert row(comparison, "churn Ready", "p50").verdict is Verdict.WORSE
    assert row(comparison, "churn deletion", "p50").verdict is Verdict.SAME
    assert row(comparison, "Ready", "p50").verdict is Verdict.SAME

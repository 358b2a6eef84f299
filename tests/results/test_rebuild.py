"""The report on a run that did not come to its end: what it claims, and what it does not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journals import INFO, append, begins, created, killed_run

from perfscale.errors import ResultsError
from perfscale.results import (
    Accounts,
    ChangeEntry,
    DeleteEntry,
    Entry,
    IterationEndEntry,
    IterationEntry,
    NamespaceCounts,
    Outcome,
    RunOutcome,
    RunResult,
    StageEntry,
    Totals,
    TotalsEntry,
    rebuild_results,
    summarize,
)
from perfscale.results.journal.entries import EndEntry, LostEntry

GONE: list[Entry] = [
    DeleteEntry(1, 1.0),
    ChangeEntry(n=1, delete_requested_s=1.0, deleted_s=1.5),
    TotalsEntry(2.0, Totals(namespaces=NamespaceCounts(created=1, deleted=1))),
]
ENDS: list[Entry] = [
    IterationEndEntry(1, 2.1, 0.0, [], settled=True),
    EndEntry(
        finished_at="2026-01-02T03:04:08+00:00",
        duration_s=3.0,
        outcome="failed",
        exit_code=1,
        problems=["density, iteration 1: one went wrong"],
        remains=False,
        totals=Totals(),
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "density-20260102T030405Z-1234"


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "objects.ndjson").read_text().splitlines()]


def report(folder: Path) -> RunResult:
    """Make it; what is written is what is returned."""
    result = rebuild_results(folder).result
    assert json.loads((folder / "summary.json").read_text()) == summarize(result)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    return result


def test_a_killed_run_has_the_accounts_that_its_journal_tells_of(folder: Path) -> None:
    result = report(killed_run(folder, begins()))
    assert (result.outcome, result.exit_code) == (RunOutcome.KILLED, 137)
    # One was ready, one create was never answered, and of four the journal tells nothing: they may
    # have been sent after its end.
    assert result.accounts == Accounts(
        requested=6, created=1, ready=1, failed=1, not_attempted=4, unknown=5
    )
    assert result.accounts.balanced
    (workload,) = result.workloads
    (iteration,) = workload.iterations
    assert iteration.accounts.requested == 3
    assert result.duration_s == iteration.finished_s == 0.5
    assert (result.finished_at - INFO.started_at).total_seconds() == 0.5
    first, second = records(folder)
    assert (first["outcome"], first["uid"]) == ("ready", "uid-1")
    assert second["outcome"] == Outcome.FAILED
    assert "whether it was created is unknown" in second["error"]


def test_it_says_where_the_run_was_and_what_may_be_left(folder: Path) -> None:
    killed_run(folder, begins())
    made = rebuild_results(folder)
    killed, left, failed, unknown = made.result.problems
    assert "killed" in killed
    assert "0.5 s after the start, while creating in density, iteration 1" in killed
    assert "1 ConfigMap, 1 Namespace; creates without an answer: 1" in left
    assert failed.startswith("density, iteration 1: 1 ConfigMap failed: ")
    assert unknown.startswith("whether 5 of 6 objects were created is unknown: the journal ends")
    assert made.result.remains
    assert made.cleanup == "perfscale cleanup --run-id 1234 --context staging"


def test_what_happened_after_the_journals_end_is_never_denied(folder: Path) -> None:
    result = report(killed_run(folder, [begins()[0], begins()[2], *GONE]))
    assert "nothing of it" in result.problems[1]
    assert "may be missing" in result.problems[1]
    assert result.remains


def test_a_simulated_cluster_goes_with_its_run(folder: Path) -> None:
    killed_run(folder, begins(), simulated=True)
    made = rebuild_results(folder)
    assert "nothing is left" in made.result.problems[1]
    assert not made.result.remains
    assert made.cleanup is None


def test_of_a_run_that_was_killed_at_once_nothing_is_known(folder: Path) -> None:
    result = report(killed_run(folder, []))
    assert result.accounts == Accounts(requested=6, not_attempted=6, unknown=6)
    assert result.workloads[0].iterations == ()
    assert records(folder) == []


def test_what_an_iteration_said_of_itself_is_told(folder: Path) -> None:
    ended = IterationEndEntry(1, 2.0, 0.0, ["timed out after 1s waiting"])
    result = report(killed_run(folder, [*begins(), ended]))
    assert result.problems[2] == "density, iteration 1: timed out after 1s waiting"


def test_what_an_iteration_that_is_over_did_not_attempt_is_certain(folder: Path) -> None:
    ends = [IterationEndEntry(1, 2.0, 0.0, [], settled=settled) for settled in (False, True)]
    for number, end in enumerate(ends):
        result = report(killed_run(folder.with_name(f"run-{number}"), [*begins()[:3], end]))
        (iteration,) = result.workloads[0].iterations
        assert iteration.accounts == Accounts(requested=3, created=1, ready=1, not_attempted=2)
        assert result.accounts.unknown == 3  # the second iteration may have begun


def test_what_is_missing_in_a_gap_of_the_journal_is_unknown(folder: Path) -> None:
    lost = LostEntry(2, "the disk is full")
    result = report(killed_run(folder, [*begins()[:3], lost, *ENDS]))
    assert result.accounts.unknown > 0
    assert any("has a gap" in problem for problem in result.problems)


def with_thresholds(folder: Path, text: str) -> Path:
    """A killed run whose file has thresholds: one object got ready, of two that were sent."""
    killed_run(folder, begins())
    path = folder / "workload.yaml"
    path.write_text(
        "globalConfig: {thresholds: [{metric: failed, max: 0}]}\n" + text, encoding="utf-8"
    )
    return folder


def test_the_thresholds_of_a_killed_run_are_judged_as_of_its_journals_end(folder: Path) -> None:
    thresholds = "[{metric: failed, max: 1}, {metric: apiErrors, max: 3}]"
    text = INFO.workload_yaml.replace(
        "{name: density", f"{{name: density, thresholds: {thresholds}"
    )
    result = report(with_thresholds(folder, text))
    assert (result.outcome, result.exit_code) == (RunOutcome.KILLED, 137)
    judged = [(each.workload, each.metric, each.value, each.passed) for each in result.thresholds]
    assert judged == [
        (None, "failed", 1, False),
        ("density", "failed", 1, True),
        ("density", "apiErrors", None, False),  # the journal ends before it tells of any answer
    ]
    assert "failed is 1, 1 more than 0" in result.problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (INFO.workload_yaml.replace("density", "another"), "workload.yaml: it is of another run"),
        (INFO.workload_yaml.replace("name", "nmae"), "workload.yaml:2:14: workloads[0].nmae"),
        ("workloads: [", "workload.yaml:"),
    ],
)
def test_thresholds_of_a_killed_run_that_are_not_on_record_are_not_judged_and_that_is_said(
    text: str, told: str, folder: Path
) -> None:
    result = report(with_thresholds(folder, text))
    assert result.thresholds == ()
    [problem] = [each for each in result.problems if "thresholds are not judged" in each]
    assert told in problem


def test_a_report_can_be_made_again_when_there_is_more(folder: Path) -> None:
    before = report(killed_run(folder, begins()))
    append(folder, *GONE)
    after = report(folder)
    assert (before.accounts.deleted, after.accounts.deleted) == (0, 1)
    assert after.duration_s == 2.0


def test_a_run_that_ended_is_told_as_it_ended(folder: Path) -> None:
    result = report(killed_run(folder, [*begins(), *GONE, *ENDS]))
    assert (result.outcome, result.exit_code) == (RunOutcome.FAILED, 1)
    assert result.problems == ("density, iteration 1: one went wrong",)
    assert (result.duration_s, result.remains) == (3.0, False)


def test_what_hangs_on_a_line_that_is_lost_is_left_out_and_that_is_said(folder: Path) -> None:
    lost = [
        LostEntry(7, "the disk does not keep up"),
        ChangeEntry(n=99, deleted_s=1.0),
        created(3, sent_s=0.6),
    ]
    result = report(killed_run(folder, [*begins(), *lost]))
    assert (result.accounts.created, result.accounts.balanced) == (2, True)
    assert any("lost of the journal: 7 entries" in problem for problem in result.problems)


def of_an_unknown_object(folder: Path) -> str:
    append(folder, ChangeEntry(n=99, deleted_s=1.0))
    return "journal.ndjson:7: it tells of something that no earlier line has told of"


def of_another_run(folder: Path) -> str:
    path = folder / "run.json"
    path.write_text(path.read_text().replace('"1234"', '"5678"'))
    return "run.json: it is of another run"


def without_a_description(folder: Path) -> str:
    (folder / "run.json").unlink()
    return "run.json: No such file or directory"


def with_a_broken_description(folder: Path) -> str:
    (folder / "run.json").write_text('{"runId": "1234"}')
    return "run.json: it does not describe a run: it has no 'cluster'"


def that_wrote_a_summary_itself(folder: Path) -> str:
    (folder / "summary.json").write_text('{"outcome": "passed"}')
    return "summary.json: the run wrote this summary itself"


@pytest.mark.parametrize(
    "spoil",
    [
        of_an_unknown_object,
        of_another_run,
        without_a_description,
        with_a_broken_description,
        that_wrote_a_summary_itself,
    ],
)
def test_a_report_that_would_be_wrong_is_refused_and_nothing_is_changed(
    spoil: Callable[[Path], str], folder: Path
) -> None:
    told_of = spoil(killed_run(folder, begins()))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ResultsError) as caught:
        rebuild_results(folder)
    assert f"{folder}/{told_of}" in str(caught.value)
    assert caught.value.exit_code == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_of_workloads_that_went_on_at_once_the_stage_of_each_is_told(folder: Path) -> None:
    (density,), names = INFO.workloads, ("over", "one", "other")
    plans = tuple(msgspec.structs.replace(density, name=name) for name in names)
    begins = [IterationEntry(n, each.name, 1, {}, 0.1) for n, each in enumerate(plans, start=1)]
    stages = [StageEntry(0.2, "creating", each.name, 1) for each in plans]
    ended = IterationEndEntry(1, 0.5, 0.0, [])
    killed_run(
        folder, [*begins, *stages, ended, StageEntry(0.6, "waiting until gone", "one", 1)], plans
    )
    assert (
        report(folder)
        .problems[0]
        .endswith("while waiting until gone in one, iteration 1 and creating in other, iteration 1")
    )

import json
from pathlib import Path
from typing import Any

import pytest
from run_folders import finished_run, vmi

from perfscale.results.folder.reading import read_run_files
from perfscale.results.pages.marks import Marks, marks_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


def marks(folder: Path, **summary: Any) -> Marks:
    run = finished_run(folder, [vmi(1)], requested=1)
    path = run / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **summary}))
    return marks_of(read_run_files(run).summary)


def stage(name: str, workload: str | None, began: float, ended: float) -> dict[str, Any]:
    return {"stage": name, "workload": workload, "beganSeconds": began, "endedSeconds": ended}


def rounds(count: int) -> list[dict[str, Any]]:
    return [
        {"workload": "density", "round": number, "beganSeconds": 2.0 * number}
        for number in range(1, count + 1)
    ]


def test_workloads_that_follow_each_other_share_a_ribbon(folder: Path) -> None:
    found = marks(
        folder,
        stages=[
            stage("running a hook", None, 0, 1),
            stage("creating", "a", 1, 4),
            stage("creating", "b", 4, 8),
            stage("cleaning up", None, 8, 9),
        ],
    )
    [ribbon] = found.ribbons
    assert ribbon.workloads == ""
    spans = {band.name: band.spans for band in ribbon.bands}
    assert spans == {
        "creating": ((1.0, 8.0),),
        "running a hook": ((0.0, 1.0),),
        "cleaning up": ((8.0, 9.0),),
    }


def test_workloads_that_go_on_at_once_have_a_ribbon_each(folder: Path) -> None:
    found = marks(folder, stages=[stage("creating", "a", 1, 4), stage("operating", "b", 2, 8)])
    assert [ribbon.workloads for ribbon in found.ribbons] == ["a", "b"]


def test_hooks_that_were_waited_for_are_marked_apart_from_others(folder: Path) -> None:
    hook = {
        "when": "afterReady", "workload": None, "iteration": None, "command": ["true"],
        "exitCode": 0, "problem": None, "output": None, "leftOut": 0, "background": False,
    }  # fmt: skip
    waited = {**hook, "beganSeconds": 1.0, "endedSeconds": 2.0}
    beside = {**hook, "background": True, "beganSeconds": 3.0, "endedSeconds": 4.0}
    found = marks(folder, hooks=[waited, beside])
    assert {band.style: band.spans for band in found.bands} == {
        "hook": ((1.0, 2.0),),
        "beside": ((3.0, 4.0),),
    }


def test_few_rounds_are_marked_and_numbered_one_by_one(folder: Path) -> None:
    [lines] = marks(folder, rounds=rounds(5)).lines
    assert lines.name == "a round of churn begins"
    assert [number for _, number in lines.at] == ["1", "2", "3", "4", "5"]


def test_hundreds_of_rounds_are_thinned_out_and_it_says_so(folder: Path) -> None:
    [lines] = marks(folder, rounds=rounds(400)).lines
    assert lines.name == "a round of churn begins (one in 20)"
    assert len(lines.at) == 20
    assert [number for _, number in lines.at if number] == ["1", "101", "201", "301"]


def test_an_older_summary_without_stages_has_no_ribbon(folder: Path) -> None:
    run = finished_run(folder, [vmi(1)], requested=1)
    path = run / "summary.json"
    summary = json.loads(path.read_text())
    del summary["stages"], summary["rounds"]
    path.write_text(json.dumps(summary))
    assert marks_of(read_run_files(run).summary) == Marks()

"""What results keep of slow objects, also of runs that were killed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from attribution import slow
from journals import begins, killed_run
from run_folders import finished_run, vmi

from perfscale.errors import ResultsError
from perfscale.results import (
    AttributedObject,
    AttributionCounts,
    AttributionEntry,
    KeptEvent,
    WaitCause,
    rebuild_results,
)
from perfscale.results.folder.evidence import read_evidence
from perfscale.results.folder.reading import read_summary

if TYPE_CHECKING:
    from pathlib import Path

EVENT = KeptEvent(
    of="Pod a", type="Warning", reason="Failed", message="no such image", first=None, last=None
)
QUICK = slow("quick", (WaitCause.GUEST, 6.0))
SLOW = slow(
    "slow",
    (WaitCause.SCHEDULING, 4.0),
    (WaitCause.IMAGE_PULL, 20.0),
    (WaitCause.GUEST, 2.0),
    ready=False,
    events=(EVENT,),
    notes=("2 instances failed before this one",),
)


def entry(found: AttributedObject, *, is_kept: bool = True, requests: int = 4) -> AttributionEntry:
    counts = AttributionCounts(limit=20, requests=requests)
    return AttributionEntry(9.0, found.uid, found if is_kept else None, counts)


def summary_of(folder: Path) -> Any:
    return json.loads((folder / "summary.json").read_text())["attribution"]


def test_the_summary_has_the_slowest_first_and_what_all_of_them_waited_for(tmp_path: Path) -> None:
    lives = [vmi(1, sent_s=1.0, ready_after_s=2.0)]
    entries = [*lives, entry(QUICK), entry(SLOW, requests=9)]
    found = summary_of(finished_run(tmp_path / "run", entries, requested=1))
    assert [each["name"] for each in found["objects"]] == ["slow", "quick"]
    assert found["causes"] == {"scheduling": 4.0, "imagePull": 20.0, "guest": 8.0}
    assert found["requests"] == 9
    first = found["objects"][0]
    assert (first["ready"], first["latencySeconds"]) == (False, 26.0)
    assert first["notes"] == ["2 instances failed before this one"]
    assert [(each["beganSeconds"], each["endedSeconds"]) for each in first["segments"]] == [
        (0.0, 4.0),
        (4.0, 24.0),
        (24.0, 26.0),
    ]


def test_events_and_conditions_are_beside_the_summary(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [entry(SLOW)], requested=1)
    kept = read_evidence(folder)
    assert kept is not None
    assert kept.objects[0].events == (EVENT,)
    assert "no such image" not in (folder / "summary.json").read_text()


def test_without_a_slow_object_there_is_no_file_of_them(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [vmi(1, sent_s=1.0, ready_after_s=2.0)], requested=1)
    assert read_evidence(folder) is None
    assert summary_of(folder) is None


def test_a_killed_run_has_the_last_that_was_found_out_of_each(tmp_path: Path) -> None:
    later = slow("slow", (WaitCause.IMAGE_PULL, 30.0), ready=False)
    gone = entry(QUICK, is_kept=False)
    found = [entry(SLOW), entry(QUICK), entry(later), gone]
    folder = killed_run(tmp_path / "run", [*begins(), *found])
    result = rebuild_results(folder).result
    assert result.attribution is not None
    assert result.attribution.objects == (later,)
    assert read_evidence(folder) == result.attribution


def test_a_file_that_is_damaged_is_named_with_the_way_out(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [entry(SLOW)], requested=1)
    (folder / "attribution.json").write_text("{")
    with pytest.raises(ResultsError, match=r"attribution\.json: it cannot be read") as raised:
        read_evidence(folder)
    assert "perfscale report" in str(raised.value.hint)


def test_a_summary_from_before_has_nothing_of_it(tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "run", [entry(SLOW)], requested=1)
    path = folder / "summary.json"
    older = json.loads(path.read_text())
    del older["attribution"]
    path.write_text(json.dumps(older))
    assert read_summary(folder).attribution is None

"""Results of perfscale-audit that are read back."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from perfscale.audit import read_published
from perfscale.errors import ResultsError

VALUES = {"Values": {"vmiCreationToRunningSecondsP50": {"value": 15.2}}}


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def test_the_ci_of_kubevirt_has_results_of_vmis_and_of_vms_in_a_file(tmp_path: Path) -> None:
    document = {
        "JobDirCreationTime": "2022-02-05T05:09:08.191Z",
        "VMIResult": VALUES,
        "VMResult": {
            "Values": {
                "CREATE-pods-count": {"value": 107, "thresholdResult": {"thresholdValue": 1}}
            }
        },
    }
    results = read_published(
        write(tmp_path / "nightly" / "1489821217111150592" / "r.json", document)
    )
    assert results is not None
    first, second = results
    assert first.job == "nightly vmi"
    assert first.at == datetime(2022, 2, 5, 5, 9, 8, 191000, tzinfo=UTC)
    assert first.values == {"vmiCreationToRunningSecondsP50": 15.2}
    assert (second.job, second.values) == ("nightly vm", {"CREATE-pods-count": 107.0})


@pytest.mark.parametrize(
    ("place", "more", "at"),
    [
        ("nightly/2026-01-31/results.json", {}, datetime(2026, 1, 31, tzinfo=UTC)),
        ("nightly/results-20260131T040506Z.json", {}, datetime(2026, 1, 31, 4, 5, 6, tzinfo=UTC)),
        ("nightly/a/2026-01-31_04-05.json", {}, datetime(2026, 1, 31, 4, 5, tzinfo=UTC)),
        (
            "nightly/2020-01-01/results.json",
            {"startTime": "2026-01-31T04:05:06Z"},
            datetime(2026, 1, 31, 4, 5, 6, tzinfo=UTC),
        ),
    ],
)
def test_the_date_is_a_field_or_in_the_name_of_the_file_or_a_folder(
    place: str, more: dict[str, str], at: datetime, tmp_path: Path
) -> None:
    results = read_published(write(tmp_path / place, {**VALUES, **more}))
    assert results is not None
    assert results[0].at == at


def test_without_a_date_anywhere_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="neither a field nor its name nor a folder has a date"):
        read_published(write(tmp_path / "nightly" / "results.json", VALUES))


def test_a_week_of_one_metric_has_a_result_for_each_day(tmp_path: Path) -> None:
    points = [{"Value": 49.7, "Date": "2024-01-03T05:07:58.357Z"}]
    week = {"StartDate": "2024-01-01", "Data": {"Average": 49.7, "DataPoints": points}}
    place = tmp_path / "density" / "vmi" / "secondsP95" / "2024-01-01" / "data" / "results.json"
    results = read_published(write(place, week))
    assert results is not None
    (result,) = results
    assert (result.job, result.values) == ("density vmi", {"secondsP95": 49.7})
    assert result.at == datetime(2024, 1, 3, 5, 7, 58, 357000, tzinfo=UTC)


def test_latencies_that_are_all_0_say_that_nothing_was_measured(tmp_path: Path) -> None:
    values = {"vmiCreationToRunningSecondsP50": {"value": 0}, "CREATE-pods-count": {"value": 9}}
    results = read_published(write(tmp_path / "a" / "2026-01-01.json", {"Values": values}))
    assert results is not None
    assert results[0].nothing_measured


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1}', '{"Values": 3}', "\x00", "[" * 100_000]
)
def test_what_is_no_result_is_passed_over(text: str, tmp_path: Path) -> None:
    path = tmp_path / "2026-01-01.json"
    path.write_text(text)
    assert read_published(path) is None


def test_a_file_without_values_is_a_result_all_the_same(tmp_path: Path) -> None:
    document = {"JobDirCreationTime": "2022-02-05T05:09:08Z", "VMIResult": None}
    assert read_published(write(tmp_path / "results.json", document)) == []

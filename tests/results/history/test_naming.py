"""Which run a name means."""

import os
from pathlib import Path

import pytest
from past_runs import past_run, run_id

from perfscale.errors import ResultsError
from perfscale.results.history import base_of, find_run, find_run_id, list_runs


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three runs, the second of another name in time than on disk."""
    past_run(tmp_path / "results", 0xAA01, tags={"build": "1"})
    past_run(tmp_path / "results", 0xAA02, tags={"build": "2", "branch": "main"})
    past_run(tmp_path / "results", 0xBB03, tags={"branch": "main"})
    return tmp_path / "results"


def test_latest_counts_back_from_the_run_that_began_last(results: Path) -> None:
    assert find_run("latest", results).name == f"density-{0xBB03:04}"
    assert find_run("latest~1", results).name == f"density-{0xAA02:04}"
    assert find_run("latest~2", results).name == f"density-{0xAA01:04}"
    with pytest.raises(ResultsError, match=r"latest~3: there is no such run in"):
        find_run("latest~3", results)


def test_the_beginning_of_an_id_is_enough_where_one_run_has_it(results: Path) -> None:
    assert find_run("0000bb", results).name == f"density-{0xBB03:04}"
    assert find_run(run_id(0xAA01), results).name == f"density-{0xAA01:04}"
    with pytest.raises(ResultsError, match="0000aa: 2 runs have an id that begins so: 0000aa"):
        find_run("0000aa", results)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(results: Path) -> None:
    summary = results / f"density-{0xAA01:04}" / "summary.json"
    summary.unlink()
    os.mkfifo(summary)
    [skipped] = list_runs(results).skipped
    assert "it is a pipe" in skipped.why


def test_a_tag_means_the_newest_run_that_has_it(results: Path) -> None:
    assert find_run("branch=main", results).name == f"density-{0xBB03:04}"
    assert find_run("build=1", results).name == f"density-{0xAA01:04}"
    with pytest.raises(ResultsError, match="build=3: there is no such run") as caught:
        find_run("build=3", results)
    assert caught.value.hint is not None
    assert "perfscale runs" in caught.value.hint


def test_a_tag_of_several_runs_names_none_of_them_where_there_has_to_be_one(results: Path) -> None:
    assert find_run_id("build=1", results) == run_id(0xAA01)
    with pytest.raises(ResultsError, match="branch=main: 2 runs have that tag: ") as caught:
        find_run_id("branch=main", results)
    for number in (0xAA02, 0xBB03):
        assert run_id(number) in str(caught.value)


def test_a_path_is_a_folder_or_any_file_in_it(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = results / f"density-{0xAA01:04}"
    assert find_run(str(folder), Path("nowhere")) == folder
    assert find_run(str(folder / "summary.json"), Path("nowhere")) == folder
    monkeypatch.chdir(results)
    assert find_run(folder.name, Path("nowhere")) == Path(folder.name)


def test_a_folder_of_runs_is_no_run_and_the_latest_in_it_is_named(results: Path) -> None:
    with pytest.raises(ResultsError, match="it is not the folder of a run") as caught:
        find_run(str(results), results)
    assert str(caught.value.hint).endswith(f"density-{0xBB03:04}")


def test_a_file_called_latest_stands_for_the_link(results: Path) -> None:
    (results / "latest").write_text(f"density-{0xAA02:04}\n")
    assert find_run(str(results / "latest"), results) == results / f"density-{0xAA02:04}"


def test_an_id_that_has_no_folder_is_no_error_for_what_needs_none(
    results: Path, tmp_path: Path
) -> None:
    assert find_run_id("0000bb", results) == run_id(0xBB03)
    assert find_run_id("someone-elses", results) is None
    assert find_run_id("latest", tmp_path / "nowhere") is None


def test_the_base_of_a_run_is_the_one_before_it_that_did_the_same_there(tmp_path: Path) -> None:
    first = past_run(tmp_path, 1)
    past_run(tmp_path, 2, workload="other")
    past_run(tmp_path, 3, server="https://elsewhere")
    past_run(tmp_path, 4, outcome="interrupted")
    past_run(tmp_path, 5, outcome=None)
    new = past_run(tmp_path, 6, outcome="failed")
    past_run(tmp_path, 7)
    assert base_of(new).folder == first
    with pytest.raises(ResultsError, match="there is no run before it of density on lab"):
        base_of(first)


def test_a_tag_pins_the_base_of_its_workload_and_cluster(tmp_path: Path) -> None:
    pinned = past_run(tmp_path, 1, tags={"baseline": "v1.8"})
    past_run(tmp_path, 2)
    past_run(tmp_path, 3, workload="other", tags={"baseline": "other"})
    base = base_of(past_run(tmp_path, 4))
    assert base == (pinned, "pinned by its tag baseline=v1.8")
    assert base_of(pinned.parent / "density-0002").folder == pinned


def test_simulated_clusters_are_one_whatever_their_addresses(tmp_path: Path) -> None:
    first = past_run(tmp_path, 1, server="http://127.0.0.1:1", version="v1.32.0+perfscale")
    second = past_run(tmp_path, 2, server="http://127.0.0.1:2", version="v1.33.0+perfscale")
    assert base_of(second).folder == first


@pytest.mark.parametrize("name", ["a" * 300, f"./{'a' * 300}", "a\0b"])
def test_a_name_that_no_file_can_have_is_no_runs(tmp_path: Path, name: str) -> None:
    past_run(tmp_path, 1)
    with pytest.raises(ResultsError, match="there is no such"):
        find_run(name, tmp_path)


def test_a_link_that_leads_to_itself_hides_no_run(tmp_path: Path) -> None:
    run = past_run(tmp_path, 1)
    (tmp_path / "loop").symlink_to("loop")
    assert [each.folder for each in list_runs(tmp_path).runs] == [run]

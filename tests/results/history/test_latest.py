"""What names the run that began last."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from perfscale.results.folder.latest import follow_latest, point_latest


def folder(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir()
    return path


def test_it_is_a_link_to_the_folder_that_came_last(tmp_path: Path) -> None:
    for name in ("first", "second"):
        point_latest(folder(tmp_path, name))
        assert (tmp_path / "latest").readlink() == Path(name)
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second", "latest"}


def test_where_no_link_can_be_made_it_is_a_file_with_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    for name in ("first", "second"):
        point_latest(folder(tmp_path, name))
        assert (tmp_path / "latest").read_text() == f"{name}\n"
        assert follow_latest(tmp_path / "latest") == tmp_path / name


def test_of_runs_that_begin_together_one_is_named(tmp_path: Path) -> None:
    folders = [folder(tmp_path, f"run-{number}") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(point_latest, folders))
    assert (tmp_path / "latest").resolve() in folders
    assert {path.name for path in tmp_path.iterdir()} == {
        "latest", *(each.name for each in folders),
    }  # fmt: skip


def test_what_is_somebody_elses_stays(tmp_path: Path) -> None:
    (tmp_path / "latest").write_text("notes of mine")
    point_latest(folder(tmp_path, "run"))
    assert (tmp_path / "latest").read_text() == "notes of mine"
    assert follow_latest(tmp_path / "latest") == tmp_path / "latest"
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "latest").mkdir()
    point_latest(folder(tmp_path / "more", "run"))
    assert list((tmp_path / "more" / "latest").iterdir()) == []

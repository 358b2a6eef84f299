"""What people install holds all that the command needs with no checkout at hand."""

import os
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hatchling import build

ROOT = Path(__file__).parents[2]
DATA = ("templates", "examples")


class Distributions(NamedTuple):
    wheel: Path
    sdist: Path
    wheel_from_sdist: Path


def _build_wheel(project: Path, into: Path) -> Path:
    """Build as pip does: the backend is called with the project as working directory."""
    before = Path.cwd()
    os.chdir(project)
    try:
        return into / build.build_wheel(str(into))
    finally:
        os.chdir(before)


def _build_sdist(project: Path, into: Path) -> Path:
    before = Path.cwd()
    os.chdir(project)
    try:
        return into / build.build_sdist(str(into))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    wheel = _build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))
    sdist = _build_sdist(ROOT, tmp_path_factory.mktemp("sdist"))
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (project,) = unpacked.iterdir()
    again = _build_wheel(project, tmp_path_factory.mktemp("wheel-from-sdist"))
    return Distributions(wheel, sdist, again)


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_ships_every_template_and_example(distributions: Distributions) -> None:
    shipped = _contents(distributions.wheel)
    for folder in DATA:
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        tracked = [path for path in files if "__pycache__" not in path.parts]
        for path in tracked:
            name = f"perfscale/_data/{path.relative_to(ROOT).as_posix()}"
            assert shipped[name] == path.read_bytes()


def test_the_wheel_is_typed_and_licensed(distributions: Distributions) -> None:
    names = _contents(distributions.wheel).keys()
    assert "perfscale/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_wheel_ships_nothing_but_the_package(distributions: Distributions) -> None:
    tops = {name.split("/")[0] for name in _contents(distributions.wheel)}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"perfscale"}


def test_the_source_distribution_builds_the_same_wheel(distributions: Distributions) -> None:
    assert _contents(distributions.wheel_from_sdist) == _contents(distributions.wheel)

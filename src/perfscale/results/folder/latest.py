"""``latest``: beside the folders of runs, a link to the one that began last."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from perfscale.results.files import write_file

LATEST: Final = "latest"
_MOST_BYTES: Final = 4096
"""More than the longest name of a folder: a larger file is somebody else's."""


def point_latest(folder: Path) -> None:
    """Let ``latest`` beside a run's folder name it.

    It is a symbolic link or, where none can be made, a file with the folder's name. Either
    takes its place in one step, so of runs that begin together one is named, and never half of
    one. What has that name already and is somebody else's stays. No failure matters to the run.
    """
    place = folder.parent / LATEST
    if not _is_ours(place):
        return
    # The run's own name, so that no other run makes the same.
    temporary = folder.parent / f".{LATEST}.{folder.name}"
    try:
        temporary.symlink_to(folder.name, target_is_directory=True)
        temporary.replace(place)
    except (OSError, NotImplementedError):
        with suppress(OSError):
            write_file(place, f"{folder.name}\n")
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def follow_latest(path: Path) -> Path:
    """The folder that a ``latest`` names which is a file; any other path as it is."""
    target = _named_in(path) if path.name == LATEST and not path.is_symlink() else None
    return path if target is None else target


def _is_ours(place: Path) -> bool:
    if place.is_symlink() or not place.exists():
        return True
    return _named_in(place) is not None


def _named_in(path: Path) -> Path | None:
    """The folder beside a file that has its name as its only line."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        name = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = path.parent / name
    return folder if name and Path(name).name == name and folder.is_dir() else None

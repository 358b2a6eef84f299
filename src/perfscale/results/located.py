"""What the folder of a run says of where that run's objects are, for whoever cleans up."""

from __future__ import annotations

from pathlib import Path

import msgspec

from perfscale.errors import ResultsError
from perfscale.results.runfile import RUN_FILE


class LocatedKind(msgspec.Struct, frozen=True, rename="camel"):
    """A kind of which the run may have made objects."""

    api_version: str
    kind: str


class LocatedRun(msgspec.Struct, frozen=True, rename="camel"):
    """What ``run.json`` says of where a run went; written before its first create.

    Attributes:
        run_id: Its id.
        kinds: All kinds that it may have made, or had made, objects of.
        namespaces: All namespaces that they may be in.
    """

    run_id: str
    kinds: tuple[LocatedKind, ...]
    namespaces: tuple[str, ...]


def locate_run(parent: Path | str, run_id: str) -> LocatedRun | None:
    """What the folder of a run says, below ``parent``; None if there is no such folder.

    Raises:
        ResultsError: There is one, and its ``run.json`` cannot be read, or does
            not describe that run.
    """
    paths = sorted(Path(parent).glob(f"*-{run_id}/{RUN_FILE}"))
    if not paths:
        return None
    path = paths[0]
    try:
        located = msgspec.json.decode(path.read_bytes(), type=LocatedRun)
    except OSError as error:
        raise ResultsError(f"{path}: it cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path}: it does not describe a run: {error}") from error
    if located.run_id != run_id:
        raise ResultsError(f"{path}: it describes the run {located.run_id}")
    return located

"""``attribution.json``: what was kept of slow objects, with all conditions, events and pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from perfscale.config.reading.regular import read_regular
from perfscale.errors import ResultsError
from perfscale.results.files import ATTRIBUTION_FILE, AtomicFile
from perfscale.results.model.course.attribution import AttributionResult

if TYPE_CHECKING:
    from pathlib import Path


def write_evidence(folder: Path, result: AttributionResult | None) -> None:
    """Write it, if there is anything to write.

    Raises:
        OSError: It cannot be written.
    """
    if result is None or not result.objects:
        return
    with AtomicFile(folder / ATTRIBUTION_FILE) as atomic:
        atomic.file.write(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def read_evidence(folder: Path) -> AttributionResult | None:
    """What was kept; None if there is nothing.

    Raises:
        ResultsError: It cannot be read.
    """
    path = folder / ATTRIBUTION_FILE
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(read_regular(path), type=AttributionResult)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultsError(
            f"{path}: it cannot be read: {error}",
            hint=f"perfscale report {folder} makes it again from the journal",
        ) from error

"""What goes wrong in the simulated cluster, on purpose and the same way every time.

A file says what (`load_faults`), and each module here makes one sort of it happen:
requests, watches, outages, objects. Where nothing is to go wrong, none of them is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perfscale.config.load import validated
from perfscale.config.reading.document import Wanted, read_document
from perfscale.config.writing import schema_of
from perfscale.sim.faults.model import Faults

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Faults", "dump_faults", "faults_schema", "load_faults", "parse_faults"]

_FAULTS_FILE: Final = Wanted(
    "faults file", "one of the keys requests, watches, outages, objects, namespaces and cluster"
)


def load_faults(path: str | Path) -> Faults:
    """Read and check a faults file.

    Raises:
        ConfigError: The file is wrong; it holds every problem at once.
    """
    return validated(read_document(path, _FAULTS_FILE), Faults)


def dump_faults(faults: Faults) -> str:
    """The faults as a text that `parse_faults` reads, in another process."""
    return faults.model_dump_json(by_alias=True, exclude_unset=True)


def parse_faults(text: str) -> Faults:
    """The faults that `dump_faults` wrote."""
    return Faults.model_validate_json(text)


def faults_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the faults file."""
    return schema_of(
        Faults, "perfscale faults file", "What goes wrong in a simulated cluster, and how often."
    )

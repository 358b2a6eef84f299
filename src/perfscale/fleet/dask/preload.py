"""Loaded by the workers that a run starts for itself."""

from __future__ import annotations

import os
from contextlib import suppress


def dask_setup(_worker: object) -> None:
    """Leave the terminal's session: what Ctrl-C sends there is for the coordinator alone."""
    with suppress(OSError):  # it leads one already
        os.setsid()

"""What an end-to-end test runs: a load generator alone, or several under a coordinator."""

from __future__ import annotations

from typing import Any

from perfscale.config import Config
from perfscale.engine import LoadGenerator
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.inprocess import InProcess


class Generators:
    """How many the test that runs is to have.

    Attributes:
        count: None for a run of one, which has no coordinator.
        runs: How many runs the test has made.
    """

    count: int | None = None
    runs: int = 0


def worker_options() -> tuple[str, ...]:
    """Options of ``perfscale run`` with which it has as many generators: processes of their own."""
    Generators.runs += 1
    return () if Generators.count is None else ("--workers", str(Generators.count))


def load_generator(config: Config, **given: Any) -> LoadGenerator:
    """What runs ``config`` with as many generators as the test is to have.

    ``given`` is as a `LoadGenerator` takes it.
    """
    Generators.runs += 1
    if Generators.count is None:
        return LoadGenerator(config, **given)
    return Coordinator(config, InProcess(), generators=Generators.count, **given)

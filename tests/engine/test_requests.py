"""What operations send."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from perfscale.engine.load.requests import RequestBuilder
from perfscale.engine.load.targets import Target

PLAN: Any = SimpleNamespace()


def name_of(workload: str, *, index: int = 1, iteration: int = 1) -> str:
    settings: Any = SimpleNamespace(name=workload, volume=None, grace_period=None, paused=False)
    builder = RequestBuilder(settings, PLAN, "12345678-90ab", None)
    return builder.migration_name(Target("ns", "vm", "uid", index), iteration)


def test_a_migration_is_named_by_its_workload_iteration_and_target() -> None:
    assert name_of("moves", index=7, iteration=2) == "moves-2-7-12345678"


def test_migrations_of_workloads_whose_names_begin_alike_have_names_of_their_own() -> None:
    alike = "m" * 60
    names = {name_of(f"{alike}-{n}", index=1000, iteration=10) for n in range(50)}
    assert len(names) == 50
    assert all(len(name) <= 63 for name in names)

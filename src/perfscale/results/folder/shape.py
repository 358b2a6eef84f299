"""The least that the files of a run must hold to be read: somebody may have edited them.

What is here is what readers take for granted; everything else they ask for.
"""

from __future__ import annotations

from typing import Any

import msgspec


class _Statistics(msgspec.Struct, frozen=True):
    count: int
    missing: int
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


class _Kind(msgspec.Struct, frozen=True):
    phases: dict[str, _Statistics]
    deletion: _Statistics
    creation: _Statistics | None = None


class _Objects(msgspec.Struct, frozen=True, rename="camel"):
    requested: int
    ready: int
    not_attempted: int


class _Rate(msgspec.Struct, frozen=True, rename="camel"):
    target_qps: float | None
    achieved_qps: float | None


class _Workload(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    objects: _Objects
    rate: _Rate
    kinds: dict[str, _Kind]
    child_kinds: dict[str, _Kind]


class SummaryShape(msgspec.Struct, frozen=True):
    """``summary.json``."""

    outcome: str
    workloads: list[_Workload]
    cluster: dict[str, Any] = {}
    generator: dict[str, Any] | None = None


class _KindOfRun(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str


class RunShape(msgspec.Struct, frozen=True):
    """``run.json``."""

    source: str | None = None
    kinds: list[_KindOfRun] = []
    command: list[str] = []
    client: dict[str, Any] = {}

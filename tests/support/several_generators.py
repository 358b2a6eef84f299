"""Runs of several generators, in the loop of the test."""

from __future__ import annotations

from typing import Any

from clusters import ClusterUnderTest

from perfscale.config import Config
from perfscale.engine import RunOptions
from perfscale.fleet.coordinator import Coordinator
from perfscale.fleet.inprocess import InProcess
from perfscale.results import RunResult
from perfscale.templates import TemplateDefaults


def options(**changes: Any) -> RunOptions:
    return RunOptions(defaults=TemplateDefaults(), **changes)


def coordinator(
    cluster: ClusterUnderTest,
    load: Config,
    generators: int,
    *,
    sink: Any = None,
    transport: InProcess | None = None,
    **changes: Any,
) -> Coordinator:
    return Coordinator(
        load,
        transport or InProcess(),
        generators=generators,
        cluster=cluster.options,
        results=sink,
        options=options(**changes),
    )


async def run(
    cluster: ClusterUnderTest, load: Config, generators: int, *, sink: Any = None, **changes: Any
) -> RunResult:
    async with coordinator(cluster, load, generators, sink=sink, **changes) as running:
        return await running.run()

"""Workloads that are stopped before they begin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from workloads import config, objects

from perfscale.engine.flow.stopping import Stop
from perfscale.engine.flow.workload import WorkloadRunner


async def test_a_workload_that_is_stopped_before_it_begins_looks_for_no_targets() -> None:
    begun: list[str] = []

    async def begin(load: Any) -> None:
        begun.append(load.name)

    async def agree(*_: object, well: bool) -> bool:
        return well

    async def opened(*_: object) -> None:
        pass

    broadcast = SimpleNamespace(send=lambda _: None)
    context: Any = SimpleNamespace(broadcast=broadcast, agree=agree, open_watches=opened)
    finished: list[str] = []
    progress: Any = SimpleNamespace(finish=finished.append)
    operations: Any = SimpleNamespace(begin=begin)
    nothing: Any = SimpleNamespace()
    runner = WorkloadRunner(nothing, nothing, operations, nothing, context, progress)
    reads = {"name": "reads", "operation": "get", "targets": {"workload": "density"}}
    loads = config({"name": "density", "objects": [objects()]}, reads).workloads
    stop = Stop()
    stop.set()
    assert await runner.run(loads[1], (), stop)
    assert (begun, finished) == ([], ["reads"])

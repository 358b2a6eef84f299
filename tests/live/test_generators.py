"""Several generators on the page of a run that goes on."""

from dataclasses import replace

from plans import empty_plan
from snapshots import course, snapshot
from workloads import config, workload

from perfscale.engine.events import RunStarted
from perfscale.engine.snapshot import GeneratorState
from perfscale.live.view import LiveView

PLAN = empty_plan("0f2d")


async def test_each_generator_of_several_has_a_row() -> None:
    view = LiveView(config(workload()))
    view.take(RunStarted("0f2d", PLAN))
    states = tuple(
        GeneratorState(index, f"worker {index}", 7.5, 3, 0.25, 0.5, 1, 2, 4.0) for index in range(2)
    )
    parts, _ = await view.parts(replace(snapshot(3.0), generators=states), course())
    for index in range(2):
        row = parts["generator"].partition(f"{index}: worker {index}")[2].partition("</tr>")[0]
        assert [cell for cell in ("7.5", "0.25", "0.50") if cell not in row] == []


async def test_one_generator_has_no_table_of_several() -> None:
    view = LiveView(config(workload()))
    view.take(RunStarted("0f2d", PLAN))
    parts, _ = await view.parts(snapshot(3.0), course())
    assert "Each generator" not in parts["generator"]

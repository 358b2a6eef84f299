"""Rows of tables on the page of a run that goes on, as what they show changes."""

import re
from dataclasses import replace

import pytest
from attribution import attribution, slow
from plans import empty_plan
from snapshots import course, snapshot
from workloads import config, workload

from perfscale.engine.events import RunStarted
from perfscale.engine.snapshot import RunCourse, RunSnapshot
from perfscale.live.view import LiveView
from perfscale.results import AttributedObject, CountedCall, WaitCause
from perfscale.results.measure.calls import CallTally

STEADY = slow("steady", (WaitCause.SCHEDULING, 2.0))


@pytest.fixture
def view() -> LiveView:
    found = LiveView(config(workload()))
    found.take(RunStarted("0f2d", empty_plan("0f2d")))
    return found


def found_slow(*objects: AttributedObject) -> RunCourse:
    return replace(course(), attribution=attribution(*objects))


def sent(**counts: int) -> RunSnapshot:
    """So many requests were answered of each verb."""
    calls = (CountedCall(verb, "pods", CallTally({200: count})) for verb, count in counts.items())
    return replace(snapshot(3.0), calls=tuple(calls))


def rows_of(section: str) -> list[str]:
    """The rows, without their markup."""
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", section, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]


async def test_a_slow_object_that_waits_on_is_shown_to_have_waited_longer(view: LiveView) -> None:
    for lasted_s in (3.0, 4.0):
        waiting = slow("waiting", (WaitCause.GUEST, lasted_s), ready=False)
        parts, _ = await view.parts(snapshot(9.0), found_slow(waiting, STEADY))
        rows = [row for row in rows_of(parts["attribution"]) if "density-1/" in row]
        assert [row.partition(" density-1/")[2].split(" what says so")[0] for row in rows] == [
            f"waiting, not ready {lasted_s:.3f} guest {lasted_s:.1f}",
            "steady 2.000 waiting to be scheduled 2.0",
        ]


async def test_nothing_is_said_never_to_become_ready_while_the_run_goes_on(view: LiveView) -> None:
    waiting = slow("waiting", (WaitCause.GUEST, 3.0), ready=False)
    parts, _ = await view.parts(snapshot(9.0), found_slow(waiting, STEADY))
    assert "2 of the slowest, of which 1 is not ready yet:" in parts["attribution"]


async def test_bars_are_shorter_beside_an_object_that_took_longer(view: LiveView) -> None:
    for longest_s, width in ((2.0, 1000), (4.0, 500)):
        longest = slow("longest", (WaitCause.GUEST, longest_s))
        parts, _ = await view.parts(snapshot(9.0), found_slow(longest, STEADY))
        steady = parts["attribution"].partition("density-1/steady")[2]
        assert f"H{width}V" in steady


async def test_requests_are_counted_on(view: LiveView) -> None:
    for lists in (1, 2):
        parts, _ = await view.parts(sent(list=lists, get=5), course())
        assert [row.split()[:3] for row in rows_of(parts["requests"])] == [
            ["get", "pods", "5"],
            ["list", "pods", str(lists)],
        ]

"""Which workloads go on when, on a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from virtual_time import in_virtual_time

from perfscale.engine.flow.stopping import Stop
from perfscale.engine.flow.turns import WorkloadRun, in_turn

Story = list[tuple[float, str]]


class Loads:
    """Workloads that do nothing but last, and what became of each when."""

    def __init__(self) -> None:
        self.story: Story = []
        self.begun_s = 0.0

    def load(
        self,
        name: str,
        lasts_s: float = 1e6,
        *,
        well: bool = True,
        cleanup_s: float = 0.0,
        background: bool = False,
        endless: bool = False,
    ) -> WorkloadRun:
        async def work(stop: Stop) -> bool:
            self._tell(f"{name} begins")
            stopped = False
            try:
                stopped = await stop.ends(asyncio.sleep(lasts_s))
                await asyncio.sleep(cleanup_s)
            except asyncio.CancelledError:
                self._tell(f"{name} is cancelled")
                raise
            self._tell(f"{name} {'is stopped' if stopped else 'is over'}")
            return well or stopped

        return WorkloadRun(name, work, background, endless)

    def _tell(self, what: str) -> None:
        now = asyncio.get_running_loop().time()
        self.story.append((round(now - self.begun_s), what))


def played(
    make: Callable[[Loads], list[WorkloadRun]], *, cancelled_after_s: float | None = None
) -> tuple[Story, bool | None]:
    """What happened, and whether all went well; None if it was cancelled."""
    loads = Loads()
    well: bool | None = None

    async def main() -> None:
        nonlocal well
        loads.begun_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(cancelled_after_s):
                well = await in_turn(make(loads))
        except TimeoutError:
            pass

    in_virtual_time(main)
    return loads.story, well


def test_one_follows_the_other() -> None:
    story, well = played(lambda loads: [loads.load("a", 10), loads.load("b", 5)])
    assert well
    assert story == [(0, "a begins"), (10, "a is over"), (10, "b begins"), (15, "b is over")]


def test_none_follows_one_that_did_not_go_well() -> None:
    story, well = played(lambda loads: [loads.load("a", 10, well=False), loads.load("b", 5)])
    assert well is False
    assert story == [(0, "a begins"), (10, "a is over")]


def test_one_in_the_background_goes_on_beside_the_next_ones_and_is_waited_for() -> None:
    story, well = played(
        lambda loads: [
            loads.load("a", 5),
            loads.load("beside", 30, background=True),
            loads.load("b", 10),
            loads.load("c", 5),
        ]
    )
    assert well
    assert sorted(story) == sorted(
        [
            *[(0, "a begins"), (5, "a is over"), (5, "beside begins"), (5, "b begins")],
            *[(15, "b is over"), (15, "c begins"), (20, "c is over"), (35, "beside is over")],
        ]
    )


def test_an_endless_one_is_stopped_when_no_other_is_left_and_cleans_up() -> None:
    story, well = played(
        lambda loads: [
            loads.load("list", background=True, endless=True, cleanup_s=3),
            loads.load("churn", 30, background=True),
            loads.load("a", 10),
        ]
    )
    assert well
    assert story[-2:] == [(30, "churn is over"), (33, "list is stopped")]


@pytest.mark.parametrize("which", ["foreground", "background"])
def test_the_first_that_does_not_go_well_ends_all_others_cleanup_included(which: str) -> None:
    story, well = played(
        lambda loads: [
            loads.load("list", background=True, endless=True, cleanup_s=3),
            loads.load("churn", 10 if which == "background" else 50, background=True, well=False),
            loads.load("a", 10 if which == "foreground" else 50, well=False, cleanup_s=1),
            loads.load("never", 10),
        ]
    )
    assert well is False
    assert max(at_s for at_s, _ in story) <= 14
    assert {what for _, what in story if "stopped" in what} == {
        "list is stopped",
        "a is stopped" if which == "background" else "churn is stopped",
    }
    assert not any(what.startswith("never") for _, what in story)


def test_a_cancellation_reaches_all_and_is_raised() -> None:
    story, well = played(
        lambda loads: [loads.load("beside", 30, background=True), loads.load("a", 10)],
        cancelled_after_s=4,
    )
    assert well is None
    assert sorted(story[2:]) == [(4, "a is cancelled"), (4, "beside is cancelled")]


def test_an_error_of_one_ends_all_and_is_raised_as_it_is() -> None:
    async def broken(_: Stop) -> bool:
        await asyncio.sleep(2)
        raise ValueError("broken")

    loads = Loads()

    async def main() -> None:
        loads.begun_s = asyncio.get_running_loop().time()
        with pytest.raises(ValueError, match="broken"):
            await in_turn([WorkloadRun("x", broken, background=True), loads.load("a", 10)])

    in_virtual_time(main)
    assert loads.story == [(0, "a begins"), (2, "a is cancelled")]


def test_a_second_stop_changes_nothing_while_what_was_stopped_takes_its_time() -> None:
    stopped: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(5)

    async def main() -> None:
        stop = Stop()

        async def run() -> None:
            stopped.append(await stop.ends(work()))

        task = asyncio.create_task(run())
        for _ in range(2):
            await asyncio.sleep(1)
            stop.set()
        await task

    in_virtual_time(main)
    assert stopped == [True]


def test_what_times_out_by_itself_is_no_stop() -> None:
    async def times_out() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(5)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await Stop().ends(times_out())

    in_virtual_time(main)

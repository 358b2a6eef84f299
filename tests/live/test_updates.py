import asyncio
import json
from typing import Any

from perfscale.live.updates import Updates


def parsed(frame: bytes) -> tuple[str, Any]:
    event, data, *rest = frame.decode().split("\n")
    assert rest == ["", ""]
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_a_new_reader_gets_every_part() -> None:
    updates = Updates()
    updates.publish({"head": "a", "load": "b"})
    updates.publish({"head": "c"})
    assert parsed(updates.frame(0)) == ("parts", {"head": "c", "load": "b"})


def test_a_reader_gets_what_has_changed_since_it_was_sent_something() -> None:
    updates = Updates()
    updates.publish({"head": "a", "load": "b"})
    seen = updates.version
    updates.publish({"head": "a", "load": "c"})
    assert parsed(updates.frame(seen)) == ("parts", {"load": "c"})


def test_what_has_not_changed_makes_no_version() -> None:
    updates = Updates()
    updates.publish({"head": "a"})
    version = updates.version
    updates.publish({"head": "a"})
    assert updates.version == version


def test_readers_of_one_version_share_the_bytes() -> None:
    updates = Updates()
    updates.publish({"head": "a"})
    assert updates.frame(0) is updates.frame(0)


def test_line_breaks_do_not_end_the_data() -> None:
    updates = Updates()
    updates.publish({"head": "a\n\nevent: report\ndata: b"})
    assert parsed(updates.frame(0)) == ("parts", {"head": "a\n\nevent: report\ndata: b"})


async def test_readers_that_wait_are_woken_by_a_newer_version() -> None:
    updates = Updates()
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(updates.newer(0)) for _ in range(3)]
        await asyncio.sleep(0)
        updates.publish({"head": "a"})
    assert all(task.done() for task in waiting)


async def test_the_report_takes_the_place_of_everything() -> None:
    updates = Updates()
    updates.publish({"head": "a"})
    updates.finish("<html>")
    await updates.newer(updates.version)
    assert parsed(updates.frame(0)) == ("report", "<html>")


def test_a_run_without_a_report_ends_too() -> None:
    updates = Updates()
    updates.finish(None)
    assert parsed(updates.frame(0)) == ("end", "")

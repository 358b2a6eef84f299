"""The page of a run where people read it: before the run has begun, while it goes on, and after."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from browser import CHROMIUM, Page, open_browser
from command_line import CommandLine, Running
from patience import PATIENCE_S
from ports import free_ports
from workload_file import entry, write_workload

MANY = 2000
READERS = 5
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(autouse=True)
async def executor() -> AsyncIterator[None]:
    """Threads wait for processes; they end with the test."""
    yield
    await asyncio.get_running_loop().shutdown_default_executor()


@pytest.fixture
async def browser() -> AsyncIterator[Page]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    async with open_browser() as page:
        await page.go_online()
        yield page


def start(folder: Path, *arguments: str, replicas: int = MANY, **keys: object) -> Running:
    """A run on a simulated cluster that is quick, and takes as long as its creates."""
    workload = write_workload(
        folder, entry("vmi-ephemeral.yaml", replicas, "read"), qps=250, **keys
    )
    return CommandLine(folder).start("run", *arguments, workload, "--simulate", "--speed", "20")


def address_of(run: Running) -> str:
    found = re.compile(r"^page +(http://127\.0\.0\.1:\d+/)$", re.MULTILINE)
    run.reaches(lambda: found.search(run.err) is not None, "the address of its page")
    return str(found.findall(run.err)[0])


async def listens(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


async def read(url: str) -> tuple[int, str]:
    """How many updates a reader got, and the report."""
    updates = 0
    async with (
        aiohttp.ClientSession(read_bufsize=2**24) as session,
        session.get(f"{url}events", timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as events,
    ):
        async for line in events.content:
            updates += line == b"event: parts\n"
            if line == b"event: report\n":
                return updates, json.loads((await events.content.readline())[len("data: ") :])
    raise AssertionError("it ended without the report")


async def stall(url: str) -> asyncio.StreamWriter:
    """A reader that asks for updates, and takes none."""
    port = url.rstrip("/").rpartition(":")[2]
    _, writer = await asyncio.open_connection("127.0.0.1", int(port), limit=1)
    writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    return writer


async def test_a_page_that_is_opened_before_the_run_goes_with_it_and_ends_as_its_report(
    tmp_path: Path, browser: Page
) -> None:
    [port] = free_ports(1)
    threshold = {"metric": "vmiReady", "quantile": "p99", "max": "1h"}
    with start(tmp_path, "--web", str(port), thresholds=[threshold]) as run:
        await listens(port)
        await browser.open(f"http://127.0.0.1:{port}/")
        await browser.becomes("document.querySelector('h1')")
        await browser.becomes("document.querySelector('#part-head .verdict')")
        await browser.becomes("document.querySelectorAll('#part-load figure.plot').length >= 3")
        assert "running" in await browser.evaluate("document.body.textContent")
        assert await browser.evaluate("document.querySelectorAll('.ribbon path').length") > 0
        for shown in (
            "#latency-over-time",
            "#part-latencies figure.plot",
            "#part-thresholds li.met",
            "#part-slowest .way svg",
        ):
            await browser.becomes(f"document.querySelector('{shown}')")
        await browser.resize(390)
        assert await browser.evaluate(TOO_WIDE) <= 0
        ended = await asyncio.to_thread(run.ends)
    assert ended.code == 0, ended.err
    await browser.becomes("document.querySelector('.verdict.passed')")
    [folder] = CommandLine(tmp_path).results
    ready = await browser.evaluate("document.querySelector('[data-key=\"objects.ready\"]').value")
    assert int(ready) == MANY
    # What is left open is the report: it can still be read off, and asks for nothing.
    figures = await browser.evaluate("document.querySelectorAll('figure.plot').length")
    assert figures == (folder / "report.html").read_text(encoding="utf-8").count("<figure")
    assert await browser.evaluate("document.querySelectorAll('.reader[hidden]').length") == 0
    assert browser.complaints == []
    assert all(url.startswith(f"http://127.0.0.1:{port}/") for url in browser.requested)


async def test_five_readers_get_the_report_whatever_one_does_that_stops_reading(
    tmp_path: Path,
) -> None:
    with start(tmp_path, "--web") as run:
        url = await asyncio.to_thread(address_of, run)
        stalled = await stall(url)
        async with asyncio.TaskGroup() as tasks:
            readers = [tasks.create_task(read(url)) for _ in range(READERS)]
        stalled.transport.abort()
        ended = await asyncio.to_thread(run.ends)
    assert ended.code == 0, ended.err
    [folder] = CommandLine(tmp_path).results
    report = (folder / "report.html").read_text(encoding="utf-8")
    for reader in readers:
        updates, got = reader.result()
        assert updates >= 2
        assert got == report


async def test_a_reader_that_comes_late_sees_the_run_from_its_beginning(
    tmp_path: Path, browser: Page
) -> None:
    with start(tmp_path, "--web", replicas=50, waitWhenFinished="10m") as run:
        url = await asyncio.to_thread(address_of, run)
        await asyncio.to_thread(run.says, "] pausing")
        await browser.open(url)
        await browser.becomes("document.querySelector('#progress details')")
        # Once it is unfolded, it stays so when the page changes.
        await browser.evaluate("document.querySelector('#progress summary').click()")
        await browser.becomes(
            "[...document.querySelectorAll('#progress tbody tr:last-child td')]"
            ".map((cell) => cell.textContent).join() === '50,50,50,50'"
        )
        run.signal(2)
        ended = await asyncio.to_thread(run.ends)
    assert ended.code == 130
    await browser.becomes("document.querySelector('.verdict.interrupted')")


async def test_what_a_slow_object_waits_for_is_seen_while_it_waits(
    tmp_path: Path, browser: Page
) -> None:
    faults = tmp_path / "faults.yaml"
    stuck = {"fault": "delayed", "cause": "guest", "by": "1h", "names": ["*-7"]}
    faults.write_text(json.dumps({"objects": [stuck]}))
    slow = ("--faults", str(faults), "--set", "globalConfig.attribution.after=1s")
    with start(tmp_path, "--web", *slow, replicas=20, maxWaitTimeout="1h") as run:
        url = await asyncio.to_thread(address_of, run)
        await browser.open(url)
        await browser.becomes("document.querySelector('#part-attribution .way.total path')")
        said = await browser.evaluate("document.querySelector('#part-attribution').textContent")
        await browser.resize(390)
        assert await browser.evaluate(TOO_WIDE) <= 0
        run.signal(2)
        await asyncio.to_thread(run.ends)
    assert "of which 1 is not ready yet" in " ".join(said.split())
    assert browser.complaints == []


async def test_a_page_whose_run_is_killed_says_that_it_lost_it(
    tmp_path: Path, browser: Page
) -> None:
    with start(tmp_path, "--web", replicas=5, waitWhenFinished="10m") as run:
        url = await asyncio.to_thread(address_of, run)
        await browser.open(url)
        await browser.becomes("document.querySelector('#part-head .verdict')")
        run.signal(9)
        await asyncio.to_thread(run.process.wait)
        await browser.becomes("document.body.textContent.includes('The connection is lost')")

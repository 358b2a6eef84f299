"""The table of a search on the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from searches import FakeSteps, begun, ended

from perfscale.cli.options import Output
from perfscale.cli.output.search_result import print_search
from perfscale.search import LimitSearch, SearchDocument, SearchFolder, Step


async def interrupted(folder: Path) -> tuple[SearchDocument, SearchFolder]:
    """A search that was interrupted in its second step."""
    plan, _, document, where = begun(folder)
    steps = FakeSteps()
    search = LimitSearch(plan, document, where, steps)
    steps.on_step = lambda count: search.interrupt() if count == 1 else None
    await search.run()
    return search.document, where


def with_answers_alone(step: Step) -> Step:
    """The step as it is where nothing was ready: with how long the creates took."""
    latency = replace(ended(step, None).latencies[0], measure="creation", p50=0.123, p99=0.456)
    return replace(step, latencies=(latency,))


async def test_how_long_creates_took_does_not_stand_where_readiness_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, folder = await interrupted(tmp_path)
    first, second = document.steps
    document = replace(document, steps=[first, with_answers_alone(second)])
    print_search(document, folder, output=Output.TEXT)
    shown = capsys.readouterr().out
    assert "1.000" in shown
    assert "0.123" not in shown
    assert "0.456" not in shown
    assert "did not end" in shown
    assert "so far: holds at 12/s (1 of 1)" in shown


async def test_where_nothing_is_ever_ready_it_is_how_long_creates_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, folder = await interrupted(tmp_path)
    document = replace(document, steps=[with_answers_alone(each) for each in document.steps])
    print_search(document, folder, output=Output.TEXT)
    assert capsys.readouterr().out.count("0.456") == 2

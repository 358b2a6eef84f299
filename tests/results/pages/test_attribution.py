"""Where slow objects lost their time, on the page of a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from attribution import slow
from run_folders import finished_run, vmi

from perfscale.results import (
    AttributedObject,
    AttributionCounts,
    AttributionEntry,
    KeptCondition,
    KeptEvent,
    KeptPod,
    WaitCause,
)
from perfscale.results.pages import write_page
from perfscale.results.pages.attribution import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

    from browser import Page

EVIL = "<script>alert(1)</script>"
PULLED = slow(
    "pulled",
    (WaitCause.SCHEDULING, 2.0),
    (WaitCause.IMAGE_PULL, 18.0),
    conditions=(KeptCondition(of="Pod a", type="Ready", status="False", reason="Waiting"),),
    events=(
        KeptEvent(of="Pod a", type="Warning", reason="Failed", message=EVIL, first=None, last=None),
    ),
    pods=(KeptPod(name="launcher-a", node="node-7", phase="Pending", created=None),),
)
STUCK = slow("stuck", (WaitCause.UNKNOWN, 5.0), ready=False, notes=("pods not read: no role",))


def page_of(folder: Path, *found: AttributedObject, problems: tuple[str, ...] = ()) -> Path:
    counts = AttributionCounts(limit=20, requests=12, problems=problems)
    entries = [AttributionEntry(9.0, each.uid, each, counts) for each in found]
    if not found:
        entries = [AttributionEntry(9.0, "", None, counts)]
    lives = [vmi(1, sent_s=1.0, ready_after_s=2.0)]
    return write_page(finished_run(folder, [*lives, *entries], requested=1))


def section_of(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<section aria-labelledby="attribution">.*?</section>', text, re.DOTALL)
    return found[0] if found else ""


def test_every_object_has_a_bar_as_long_as_it_took_and_what_says_so(tmp_path: Path) -> None:
    section = section_of(page_of(tmp_path / "run", STUCK, PULLED))
    bars = [re.findall(r"c(\d+)\" d=\"M(\d+) 0H(\d+)V", svg) for svg in section.split("<svg")]
    drawn = [bar for bar in bars if bar]
    colours = {cause: str(colour) for cause, colour in COLOURS.items()}
    pull = (colours[WaitCause.IMAGE_PULL], "100", "1000")
    assert drawn[-2] == [(colours[WaitCause.SCHEDULING], "0", "100"), pull]
    assert drawn[-1] == [(colours[WaitCause.UNKNOWN], "0", "250")]
    for shown in ("node-7", "pods not read: no role", "image pull 18.0", "12 requests", "Waiting"):
        assert shown in section
    assert "of which 1 never became ready" in section


def test_all_together_add_up_to_a_hundred_per_cent(tmp_path: Path) -> None:
    section = section_of(page_of(tmp_path / "run", STUCK, PULLED))
    shares = re.findall(r"<td>(\d+) %</td>", section)
    assert shares == ["8", "72", "20"]


def test_text_of_the_cluster_is_no_part_of_the_page(tmp_path: Path) -> None:
    section = section_of(page_of(tmp_path / "run", PULLED))
    assert EVIL not in section
    assert "&lt;script&gt;alert(1)" in section


def test_without_slow_objects_there_is_no_section_but_what_could_not_be_read_is_said(
    tmp_path: Path,
) -> None:
    assert section_of(page_of(tmp_path / "quiet")) == ""
    section = section_of(page_of(tmp_path / "refused", problems=("not permitted: events",)))
    assert "not permitted: events" in section


@pytest.mark.parametrize("width", [1200, 390])
async def test_it_fits_on_a_screen_and_on_a_phone(
    width: int, browser: Page, tmp_path: Path
) -> None:
    page = page_of(tmp_path / "run", STUCK, PULLED)
    await browser.resize(width)
    await browser.open(page.as_uri())
    await browser.evaluate(
        "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
    )
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await browser.evaluate(wider) == 0
    assert browser.complaints == []

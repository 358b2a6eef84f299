"""The page where people open it: a browser without a network, on a screen and on a phone."""

from pathlib import Path
from typing import Any, Final

import pytest
from browser import Page
from run_folders import PATH, finished_run, refused, vmi

from perfscale.results.comparison import Limits, compare, read_compared
from perfscale.results.pages import write_comparison, write_page

EVIL: Final = "<script>alert(1)</script>\"'"
MANY: Final = 50_000
MOST_BYTES: Final = 10_000_000
PLOTS: Final = """
[...document.querySelectorAll("figure.plot")].map((figure) => ({
  title: figure.querySelector("h3").textContent,
  label: figure.querySelector(".canvas").getAttribute("aria-label"),
  series: [...figure.querySelectorAll(".legend li")].map((item) => item.textContent.trim()),
  drawn: [...figure.querySelectorAll(".canvas path:not(.grid)")].map(
    (path) => path.getTotalLength()
  ),
  rows: figure.querySelectorAll("tbody tr").length,
}))
"""
TOO_WIDE: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def report(tmp_path: Path) -> str:
    """A run in which most went well."""
    lives = [vmi(number, sent_s=number / 10, ready_after_s=1 + number / 9) for number in range(90)]
    bad = [refused(number, "no room for it", sent_s=9.0) for number in range(90, 99)]
    evil = vmi(99, name=EVIL, sent_s=9.5, ready_after_s=15.0)
    folder = finished_run(
        tmp_path / "run",
        [*lives, *bad, evil],
        requested=100,
        outcome="failed",
        problems=["density, iteration 1: 9 of 100 VirtualMachineInstances failed"],
    )
    return write_page(folder).as_uri()


async def plots_of(page: Page) -> dict[str, Any]:
    return {plot["title"]: plot for plot in await page.evaluate(PLOTS)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
async def test_the_page_opens_without_complaint_and_fits(
    width: int, scheme: str, report: str, browser: Page
) -> None:
    await browser.resize(width)
    await browser.prefer(scheme)
    await browser.open(report)
    assert browser.complaints == []
    assert browser.requested == [report]
    assert await browser.evaluate(TOO_WIDE) == 0
    paper = await browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


async def test_every_plot_is_drawn_and_has_its_numbers_behind_it(
    report: str, browser: Page
) -> None:
    await browser.open(report)
    plots = await plots_of(browser)
    assert list(plots) == [
        "Offered, sent and accepted rate",
        "Rate of deletions",
        "Creations and deletions",
        "Latency over time",
        "VirtualMachineInstance by phase",
        "Cumulative distribution",
    ]
    for title, plot in plots.items():
        assert len(plot["drawn"]) == len(plot["series"]) > 1
        assert min(plot["drawn"]) > 0, title
        assert plot["rows"] > 10
        assert title in plot["label"]
    assert set(PATH) < set(plots["VirtualMachineInstance by phase"]["series"])


async def test_a_plot_is_read_off_with_the_keyboard(report: str, browser: Page) -> None:
    await browser.open(report)
    told = await browser.evaluate("""(() => {
      const figure = document.querySelector("#progress");
      const slider = figure.querySelector("input");
      slider.value = slider.max;
      slider.dispatchEvent(new Event("input"));
      return [slider.getAttribute("aria-valuetext"),
              [...figure.querySelectorAll(".legend b")].map((item) => item.textContent)];
    })()""")
    text, values = told
    assert text.endswith(": sent 100, created 91, ready 91, asked to go 91, gone 91")
    assert values == ["100", "91", "91", "91", "91"]


@pytest.mark.parametrize(
    ("plot", "pointed_at", "told"),
    [("rate", 0.52, "15: due by the target rate"), ("progress", 0.52, "15.625: sent 100")],
)
async def test_a_plot_is_read_off_at_the_pointer(
    plot: str, pointed_at: float, told: str, report: str, browser: Page
) -> None:
    await browser.open(report)
    text = await browser.evaluate(f"""(() => {{
      const figure = document.querySelector("#{plot}");
      const canvas = figure.querySelector(".canvas");
      const box = canvas.getBoundingClientRect();
      const clientX = box.left + {pointed_at} * box.width;
      canvas.dispatchEvent(new PointerEvent("pointermove", {{ clientX }}));
      return figure.querySelector("input").getAttribute("aria-valuetext");
    }})()""")
    assert text.startswith(told)


async def test_an_evil_name_is_shown_as_text(report: str, browser: Page) -> None:
    await browser.open(report)
    cells = await browser.evaluate(
        "[...document.querySelectorAll('td, th')].map((cell) => cell.textContent)"
    )
    assert f"density-1/{EVIL}" in " ".join(cells)
    assert browser.complaints == []


async def test_a_page_of_many_objects_is_small_and_opens(tmp_path: Path, browser: Page) -> None:
    lives = (
        vmi(number, sent_s=number / 100, ready_after_s=1 + number % 997 / 100, i=1 + number % 10)
        if number % 50
        else refused(number, f"no room {number}", sent_s=number / 100, i=1 + number % 10)
        for number in range(MANY)
    )
    folder = finished_run(
        tmp_path / "run", lives, requested=MANY, iterations=10, duration_s=520.0, outcome="failed"
    )
    path = write_page(folder)
    assert path.stat().st_size < MOST_BYTES
    await browser.open(path.as_uri())
    assert browser.complaints == []
    plots = await plots_of(browser)
    assert len(plots) == 7
    assert all(min(plot["drawn"]) > 0 for plot in plots.values())


@pytest.mark.parametrize("width", [1200, 390])
async def test_a_comparison_opens_without_complaint_and_fits(
    width: int, tmp_path: Path, browser: Page
) -> None:
    folders = [
        finished_run(
            tmp_path / f"{EVIL[:7]}{slower}",
            [vmi(number, sent_s=number / 9, ready_after_s=slower + number) for number in range(30)],
            requested=30,
            duration_s=60.0,
        )
        for slower in (1.0, 5.0, 9.0)
    ]
    base, *others = map(read_compared, folders)
    page = tmp_path / "comparison.html"
    write_comparison(page, [compare(base, other, Limits()) for other in others])
    await browser.resize(width)
    await browser.open(page.as_uri())
    assert browser.complaints == []
    assert browser.requested == [page.as_uri()]
    assert await browser.evaluate(TOO_WIDE) == 0
    plots = await plots_of(browser)
    assert list(plots) == [
        "density: VirtualMachineInstance, Ready", "density: VirtualMachineInstance, deletion",
    ]  # fmt: skip
    for plot in plots.values():
        assert plot["series"] == ["base", "new 1", "new 2"]
        assert min(plot["drawn"]) > 0
    assert f"{EVIL[:7]}9.0" in await browser.evaluate("document.body.textContent")

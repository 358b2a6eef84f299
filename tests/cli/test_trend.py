"""`perfscale trend` as a person and a pipeline use it."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import open_browser
from command_line import CommandLine
from jsonschema import Draft202012Validator
from past_runs import past_run, run_id


@pytest.fixture
def results(perfscale: CommandLine) -> Path:
    return perfscale.folder / "results"


def nights(
    results: Path, count: int, *, slower_from: int, factor: float = 1.3, **after: object
) -> None:
    """A run each night, from one on slower, with other facts of the cluster."""
    chance = random.Random(1)
    for number in range(count):
        is_slower = number >= slower_from
        past_run(
            results,
            number,
            ready_p99=2.0 * chance.gauss(1, 0.03) * (factor if is_slower else 1),
            accepted=20 * chance.gauss(1, 0.01),
            **(after if is_slower else {}),  # type: ignore[arg-type]
        )


def test_a_change_is_shown_with_what_else_was_different(
    perfscale: CommandLine, results: Path
) -> None:
    nights(
        results, 30, slower_from=20, version="v1.33.0", nodes=12, tags={"build": "9"},
        kubevirt="v1.8.0",
    )  # fmt: skip
    ended = perfscale("trend", COLUMNS="160")
    assert (ended.code, ended.err) == (0, "")
    assert "density on lab" in ended.out.splitlines()
    row = r"^VirtualMachineInstance: Ready p99 +2\S* s +2\.\d+ s +\+\d\d\.\d% +2026-01-21 +<1e-9 "
    assert re.search(row + r".*2026-01-20 to 2026-01-21 +regression *$", ended.out, re.MULTILINE)
    for sentence in (
        "what else was different, 2026-01-20 to 2026-01-21:",
        "Kubernetes: v1.32.0 before, v1.33.0 now",
        "nodes: not there before, 12 now",
        "KubeVirt: not there before, v1.8.0 now",
        "tag build: not there before, 9 now",
    ):
        assert sentence in ended.out
    assert "REGRESSION: of 8 metrics, the last runs are worse in 5 and better in 0" in ended.out


def test_a_pipeline_fails_on_a_regression_of_the_last_runs_alone(
    perfscale: CommandLine, results: Path
) -> None:
    nights(results, 60, slower_from=45)
    fails = ("trend", "--fail-on", "regression")
    assert perfscale("trend").code == 0
    assert perfscale(*fails).code == 3
    assert perfscale(*fails, "--recent", "10").code == 0  # by then that is usual
    assert perfscale(*fails, "--threshold", "50%").code == 0
    assert perfscale(*fails, "--metric", "creates*").code == 0


def test_what_became_quicker_is_no_regression_and_a_lower_rate_is_one(
    perfscale: CommandLine, results: Path
) -> None:
    nights(results, 30, slower_from=20, factor=0.7)
    ended = perfscale("trend", "--fail-on", "regression")
    assert ended.code == 0
    assert "IMPROVEMENT: " in ended.out
    for number in range(30):
        past_run(results / "rates", number, accepted=20.0 - 8 * (number >= 20) + number % 3 / 10)
    ended = perfscale("trend", "results/rates", "--fail-on", "regression")
    assert ended.code == 3
    assert re.search(r"^creates accepted .* regression *$", ended.out, re.MULTILINE)


def test_runs_that_say_less_of_the_cluster_are_left_out_with_a_word(
    perfscale: CommandLine, results: Path
) -> None:
    nights(results, 10, slower_from=99)
    past_run(results, 20, generator="generator-limited", ready_p99=99)
    past_run(results, 21, outcome="interrupted", ready_p99=99)
    past_run(results, 22, outcome=None)
    past_run(results, 23, generator="uncertain")
    past_run(results, 24, outcome="failed", ready_p99=None)
    past_run(results, 26, outcome="failed", generator="generator-lost", ready_p99=99)
    (results / "latest").symlink_to("density-0000")
    past_run(results / "found" / "steps", 25, ready_p99=99)
    (results / "found" / "search.json").write_text("{}")
    ended = perfscale("trend", "--output", "json")
    document = json.loads(ended.out)
    assert {Path(each["path"]).name: each["why"] for each in document["leftOut"]} == {
        "density-0020": "the generator was the limit, so it says less of the cluster",
        "density-0021": "it was interrupted",
        "density-0026": "a generator was lost, so it was not the load that was asked for",
        "density-0022": "it has no summary: it goes on, or was killed",
        "found": "a search, whose runs differ in load",
    }
    assert document["notReached"] == 5  # three of readiness, and of its deletion all but one
    (p99,) = (each for each in document["trends"] if each["metric"].endswith("Ready p99"))
    assert len(p99["values"]) == 11
    assert (p99["values"][-1]["mark"], p99["values"][-1]["runId"]) == ("uncertain", run_id(23))
    text = perfscale("trend").out
    assert "left out: results/density-0020: the generator was the limit" in text
    assert "missing: 5 percentiles that were not reached" in text


def test_clusters_of_the_same_name_are_told_apart_by_their_addresses(
    perfscale: CommandLine, results: Path
) -> None:
    for number in range(6):
        past_run(results, number, server=f"https://{'ab'[number % 2]}", context="default")
    headings = [line for line in perfscale("trend").out.splitlines() if " on " in line]
    assert headings == ["density on default (https://a)", "density on default (https://b)"]


def test_the_document_for_programs_keeps_its_schema(perfscale: CommandLine, results: Path) -> None:
    nights(results, 30, slower_from=20)
    schema = json.loads(perfscale("schema", "--trend").out)
    document = json.loads(perfscale("trend", "--output", "json").out)
    Draft202012Validator(schema).validate(document)
    assert document["verdict"] == "regression"
    (p99,) = (each for each in document["trends"] if each["metric"].endswith("Ready p99"))
    (change,) = p99["changes"]
    assert (change["index"], change["at"], change["worse"]) == (
        20, "2026-01-21T00:00:00+00:00", True,
    )  # fmt: skip
    assert change["firstIndex"] <= 20 <= change["lastIndex"]
    assert change["pValue"] < 1e-6
    assert change["after"] / change["before"] == pytest.approx(1.3, abs=0.05)


def test_results_of_audits_are_read_at_any_depth(perfscale: CommandLine) -> None:
    chance = random.Random(1)
    for number in range(40):
        path = (
            perfscale.folder / "ci" / "density" / f"2026-{1 + number // 28:02}-{1 + number % 28:02}"
        )
        path.mkdir(parents=True)
        seconds = chance.gauss(40, 1) * (1.2 if number >= 30 else 1)
        values = {"vmiCreationToRunningSecondsP50": {"value": 0 if number == 5 else seconds}}
        (path / "perf-audit-results.json").write_text(json.dumps({"Values": values}))
        (path / "other.json").write_text("[]")
    ended = perfscale("trend", "ci", "--fail-on", "regression")
    assert ended.code == 3
    assert "\ndensity\n" in ended.out
    assert re.search(
        r"^vmiCreationToRunningSecondsP50 .* 2026-02-03 .* regression *$", ended.out, re.MULTILINE
    )
    assert "2026-01-06/perf-audit-results.json: its latencies are 0: nothing became" in ended.out
    assert "passed over: 40 files that are no results" in ended.out


async def test_the_page_has_a_plot_of_dates_and_asks_for_nothing_else(
    perfscale: CommandLine, results: Path
) -> None:
    nights(results, 30, slower_from=20, version="<b>v1.33.0</b>")
    ended = perfscale("trend", "--html", "trend.html")
    assert ended.out.rstrip().endswith("page: trend.html")
    path = perfscale.folder / "trend.html"
    async with open_browser() as page:
        await page.open(path.as_uri())
        assert page.complaints == []
        assert {url for url in page.requested if not url.startswith("file:")} == set()
        titles = await page.evaluate(
            "[...document.querySelectorAll('figure h3')].map((each) => each.textContent)"
        )
        assert titles[0] == "VirtualMachineInstance: Ready p50"
        ticks = await page.evaluate(
            "[...document.querySelectorAll('figure .x span')].map((each) => each.textContent)"
        )
        assert ticks[0] == "01-01"
        body = await page.evaluate("document.body.textContent")
        assert "Kubernetes: v1.32.0 before, <b>v1.33.0</b> now" in body
        for width in (360, 1200):
            await page.resize(width)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


def test_few_runs_and_none_are_said_to_be_too_few(perfscale: CommandLine, results: Path) -> None:
    assert perfscale("trend").code == 2
    results.mkdir()
    assert "no results" in perfscale("trend").out
    nights(results, 3, slower_from=2)
    ended = perfscale("trend", "latest~1", "latest", "--fail-on", "regression")
    assert ended.code == 0
    assert "8 metrics with fewer than 6 values, too few to say" in ended.out


def test_without_the_library_the_way_out_is_named(perfscale: CommandLine, results: Path) -> None:
    nights(results, 10, slower_from=99)
    script = (
        "import sys; sys.modules['ruptures'] = None; from perfscale.cli.main import main; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "trend"],
        cwd=perfscale.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "changes are found by ruptures, which is not installed" in ended.stderr
    assert "pip install 'perfscale-load-generator[trend]'" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere",), "nowhere: there is no such run in results"),
        (("--threshold", "5"), "'5' is no share"),
        (("--significance", "2"), "2.0 is no probability"),
        (("--recent", "0"), "--recent"),
        (("--html", "nowhere/page.html"), "the page cannot be written"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, ...], expected: str, perfscale: CommandLine, results: Path
) -> None:
    nights(results, 3, slower_from=9)
    ended = perfscale("trend", *arguments)
    assert ended.code == 2
    assert expected in " ".join(ended.err.split())


def test_a_name_that_no_file_can_have_is_no_run(perfscale: CommandLine, results: Path) -> None:
    ended = perfscale("trend", "a" * 300, "--results-dir", results)
    assert "there is no such" in ended.err
    assert ended.code == 2

"""`perfscale compare` as a person and a pipeline use it."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
from command_line import CommandLine
from run_folders import finished_run, vmi
from terminal import Terminal

COUNT: Final = 60
SLOWER: Final = {"before": 1.0, "after": 1.3, "later": 1.31}

SLOWER_READY: Final = r"^Ready p50 +1\.492 +1\.939 +\+30\.0% +\S+ +regression"


@pytest.fixture(autouse=True)
def _runs(perfscale: CommandLine) -> None:
    """Runs of which the first is the quickest."""
    for name, factor in SLOWER.items():
        lives = [
            vmi(number, sent_s=number / 10, ready_after_s=factor * (1 + number / COUNT))
            for number in range(COUNT)
        ]
        finished_run(perfscale.folder / name, lives, requested=COUNT)


def test_a_run_is_not_different_from_itself(perfscale: CommandLine) -> None:
    ended = perfscale("compare", "before", "before")
    assert (ended.code, ended.err) == (0, "")
    assert "NO DIFFERENCE: 0 worse and 0 better" in ended.out
    assert "regression" not in ended.out


def test_any_file_of_a_run_names_it(perfscale: CommandLine) -> None:
    by_folder = perfscale("compare", "before", "after")
    by_file = perfscale("compare", "before/summary.json", "after/run.json")
    assert by_file == by_folder


def test_a_regression_is_exit_code_3_and_says_what_became_worse(perfscale: CommandLine) -> None:
    ended = perfscale("compare", "before", "after")
    assert ended.code == 3
    assert re.search(SLOWER_READY, ended.out, re.MULTILINE)
    assert re.search(r"^REGRESSION: 4 worse and 0 better of \d+ numbers", ended.out, re.MULTILINE)
    assert "\x1b" not in ended.out
    back = perfscale("compare", "after", "before")
    assert back.code == 0
    assert "IMPROVEMENT" in back.out


def test_each_of_several_runs_is_compared_with_the_first(perfscale: CommandLine) -> None:
    ended = perfscale("compare", "after", "later", "before", "--output", "json")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert document["base"]["folder"] == "after"
    assert [(each["folder"], each["verdict"]) for each in document["comparisons"]] == [
        ("later", "same"), ("before", "improvement"),
    ]  # fmt: skip
    assert perfscale("compare", "before", "before", "after").code == 3


def test_the_limits_are_options(perfscale: CommandLine) -> None:
    for option, value in (
        ("--threshold", "40%"), ("--min-difference", "10s"), ("--significance", "1e-30"),
    ):  # fmt: skip
        assert perfscale("compare", "before", "after", option, value).code == 0


def test_a_page_is_written_where_it_is_asked_for(perfscale: CommandLine) -> None:
    ended = perfscale("compare", "before", "after", "later", "--html", "page.html")
    assert ended.code == 3
    assert "page: page.html" in ended.out.splitlines()
    page = (perfscale.folder / "page.html").read_text()
    assert "3 runs compared" in page
    assert "<figure" in page


@pytest.mark.parametrize("columns", [60, 200])
def test_the_table_fits_a_terminal_of_any_width(columns: int, perfscale: CommandLine) -> None:
    command = [perfscale.program, "compare", "before", "after"]
    with Terminal(
        command, perfscale.folder, {**perfscale.environment, "COLUMNS": str(columns)}
    ) as terminal:
        terminal.shows("REGRESSION")
        assert terminal.ends() == 3
        lines = [line.rstrip() for line in terminal.shown.splitlines()]
    assert max(len(line) for line in lines) <= columns
    assert any(re.match(SLOWER_READY, line) for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("before", "nowhere"), "error: nowhere: there is no such folder"),
        ((), "error: latest: there is no run, as there is no folder results hint: name the folder"),
        (("--results-dir", "before"), "error: latest: there is no such run in before"),
        (("--results-dir", "."), "there is no run before it of density"),
        (("before", "."), "error: .: it is not the folder of a run"),
        (("before", "after", "--threshold", "10"), "'10' is no share: write a number and %"),
        (("before", "after", "--threshold", "-5%"), "'-5%' is no share"),
        (("before", "after", "--significance", "0"), "0.0 is no probability"),
        (("before", "after", "--min-difference", "20"), "20 has no unit"),
        (("before", "after", "--html", "nowhere/page.html"), "the comparison cannot be written"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    arguments: tuple[str, ...], told: str, perfscale: CommandLine
) -> None:
    ended = perfscale("compare", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert told in " ".join(ended.err.split())
    assert not Path(perfscale.folder, "page.html").exists()


BOMB: Final = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    + [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]" for n in range(9)]
)


@pytest.mark.parametrize("content", ["a: [", BOMB, "\x00", "[" * 10_000], ids=range(4))
def test_a_damaged_workload_file_is_named_and_the_rest_compared(
    content: str, perfscale: CommandLine
) -> None:
    (perfscale.folder / "after" / "workload.yaml").write_text(content)
    ended = perfscale("compare", "before", "after")
    assert ended.code == 3, ended.err
    assert "after/workload.yaml" in ended.out
    assert "whether the two did the same is not known" in ended.out


def damaged(folder: Path, name: str, **changes: object) -> None:
    document = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**document, **changes}))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("run.json", {"kinds": 5}),
        ("run.json", {"kinds": [{}]}),
        ("run.json", {"command": None}),
        ("summary.json", {"workloads": [{}]}),
        ("summary.json", {"workloads": ["density"]}),
        ("summary.json", {"outcome": None}),
        ("summary.json", {"cluster": []}),
    ],
)
@pytest.mark.parametrize("command", [("compare", "before", "after"), ("report", "after")])
def test_a_damaged_file_is_an_error_that_names_it(
    command: tuple[str, ...], name: str, changes: dict[str, object], perfscale: CommandLine
) -> None:
    damaged(perfscale.folder / "after", name, **changes)
    ended = perfscale(*command)
    if command[0] == "report" and name == "summary.json":
        assert ended.code == 0  # it is made again from the journal
        return
    assert ended.code == 2, ended.err
    assert f"error: after/{name}: " in ended.err

"""`perfscale runs` and `perfscale tag`, and names of runs wherever a command takes one."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from jsonschema import Draft202012Validator
from past_runs import past_run, run_id
from run_folders import finished_run, vmi


@pytest.fixture
def results(perfscale: CommandLine) -> Path:
    return perfscale.folder / "results"


def test_runs_are_listed_with_the_newest_first(perfscale: CommandLine, results: Path) -> None:
    past_run(results, 1, tags={"build": "1"})
    past_run(results, 2, outcome="failed", generator="generator-limited", note="new CNI")
    past_run(results, 3, outcome=None)
    ended = perfscale("runs")
    assert (ended.code, ended.err) == (0, "")
    title, *lines = ended.out.splitlines()
    assert title.split()[:2] == ["RUN", "WHEN"]
    assert [line.split("  ")[0] for line in lines] == ["00000003", "00000002", "00000001"]
    assert "unfinished" in lines[0]
    assert "failed, generator-limited" in lines[1]
    assert lines[1].endswith("new CNI")
    assert "2026-01-02 00:00  density" in lines[2]
    assert "19.5/s    2.000 s  build=1" in lines[2]


def test_what_is_broken_or_no_run_is_passed_over_with_a_word(
    perfscale: CommandLine, results: Path
) -> None:
    past_run(results, 1)
    (past_run(results, 2) / "summary.json").write_text('{"schemaVersion": 2, "runId":')
    (past_run(results, 3) / "run.json").write_text("[]")
    (results / "found" / "steps").mkdir(parents=True)
    (results / "found" / "search.json").write_text("{}")
    (results / "photos").mkdir()
    (results / "page.html").write_text("")
    (results / "latest").symlink_to("density-0001")
    ended = perfscale("runs")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 2
    broken, other, search, foreign = ended.err.splitlines()
    assert search == "skipped: found: a search: perfscale runs results/found/steps lists its runs"
    assert broken.startswith("skipped: density-0002: summary.json is broken: ")
    assert other.startswith("skipped: density-0003: run.json is broken: ")
    assert foreign == "skipped: photos: not a run: it has no run.json"


def test_the_list_for_programs_keeps_its_schema(perfscale: CommandLine, results: Path) -> None:
    past_run(results, 1, tags={"build": "1"}, note="before the upgrade", ready_p99=None)
    (results / "photos").mkdir()
    schema = json.loads(perfscale("schema", "--runs").out)
    listed = json.loads(perfscale("runs", "--output", "json").out)
    Draft202012Validator(schema).validate(listed)
    (run,) = listed["runs"]
    assert (run["runId"], run["tags"], run["note"]) == (
        run_id(1), {"build": "1"}, "before the upgrade",
    )  # fmt: skip
    assert run["workloads"][0]["readyP99Seconds"] == {"VirtualMachineInstance": None}
    assert [each["folder"] for each in listed["skipped"]] == ["results/photos"]


def test_without_a_folder_of_results_the_way_out_is_named(perfscale: CommandLine) -> None:
    ended = perfscale("runs")
    assert ended.code == 2
    assert "results: the runs in it cannot be listed: No such file or directory" in ended.err
    assert "--results-dir" in ended.err


def test_a_run_has_its_tags_and_its_note_and_is_the_latest(perfscale: CommandLine) -> None:
    small = ("run", "--simulate", "--speed", "50", "--replicas", "1", "-q")
    assert perfscale(*small, "--tag", "build=123", "--tag", "cni=a", "--note", "try").code == 0
    (folder,) = perfscale.results
    assert (perfscale.folder / "results" / "latest").resolve() == folder
    described = json.loads((folder / "run.json").read_text())
    assert (described["tags"], described["note"]) == ({"build": "123", "cni": "a"}, "try")
    assert "build=123, cni=a" in (folder / "report.html").read_text()
    assert str(folder.name) in perfscale("report", "build=123").out
    assert str(folder.name) in perfscale("report").out


def test_what_tag_does_not_take_is_refused_by_the_name_of_the_argument(
    perfscale: CommandLine,
) -> None:
    ended = perfscale("tag", "latest", "base")
    assert ended.code == 2
    assert ended.err.startswith("error: KEY=VALUE: 'base' is no tag")


@pytest.mark.parametrize("tag", ["build", "=1", "a b=1", "build=", "build=a\nb"])
def test_what_is_no_tag_is_refused_before_anything_is_created(
    perfscale: CommandLine, tag: str
) -> None:
    ended = perfscale("run", "--simulate", "--tag", tag)
    assert ended.code == 2
    assert "is no tag" in ended.err
    assert perfscale.results == []


def test_one_run_alone_is_compared_with_the_one_before_it(
    perfscale: CommandLine, results: Path
) -> None:
    for name, started, slower in (("a", "01", 1.0), ("b", "02", 1.0), ("c", "03", 1.5)):
        lives = [vmi(n, ready_after_s=slower * (1 + n / 60)) for n in range(60)]
        folder = finished_run(results / name, lives, requested=60)
        for file in ("run.json", "summary.json"):
            document = json.loads((folder / file).read_text())
            document |= {"startedAt": f"2026-01-{started}T00:00:00+00:00", "runId": name * 8}
            (folder / file).write_text(json.dumps(document))
    ended = perfscale("compare", "latest")
    assert ended.code == 3
    assert "compared with b: the run before it of the same workload and cluster" in ended.err
    assert "base: results/b (passed)" in ended.out
    assert perfscale("compare") == ended
    assert perfscale("compare", "latest~1").code == 0
    assert perfscale("tag", "aaaa", "baseline=v1").code == 0
    pinned = perfscale("compare", "latest~1", "--output", "json")
    assert "pinned by its tag baseline=v1" in pinned.err
    assert json.loads(pinned.out)["base"]["folder"] == "results/a"
    assert perfscale("compare", "baseline=v1", "cccc").code == 3


def test_tags_are_given_and_taken_and_the_rest_of_the_file_stays(
    perfscale: CommandLine, results: Path
) -> None:
    folder = past_run(results, 1, tags={"build": "1", "old": "x"})
    before = json.loads((folder / "run.json").read_text())
    ended = perfscale("tag", "latest", "build=2", "baseline=v1.8", "old-")
    assert (ended.code, ended.out) == (0, "results/density-0001: build=2, baseline=v1.8\n")
    after = json.loads((folder / "run.json").read_text())
    assert after == {**before, "tags": {"build": "2", "baseline": "v1.8"}}
    assert perfscale("tag", "latest", "build").code == 2


def test_cleanup_takes_the_names_of_runs(perfscale: CommandLine, results: Path) -> None:
    past_run(results, 1, tags={"build": "1"})
    past_run(results, 2)
    for name, number in (("latest", 2), ("build=1", 1), ("00000001", 1)):
        ended = perfscale("cleanup", "--run-id", name, "--kubeconfig", "/nowhere/kubeconfig")
        assert ended.code == 2
        assert "is not a run's id" not in ended.err, number
    ended = perfscale("cleanup", "--run-id", "build=9")
    assert "names no run in results" in ended.err
    ended = perfscale("cleanup", "--run-id", "0000000")
    assert "2 runs have an id that begins so" in ended.err

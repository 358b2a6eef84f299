"""A search from its first step to its answer, and after everything that can end it early."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import jsonschema
import pytest
from searches import FakeSteps, KilledError, begun, workload

from perfscale.errors import ResultsError, RunFailedError, UsageError
from perfscale.search import (
    Circumstances,
    LimitSearch,
    SearchEvents,
    SearchPlan,
    State,
    Varied,
    Verdict,
    begin_search,
    resume_search,
    search_schema,
)

ANSWER = "holds at 41.8/s (3 of 3), lost at 43.7/s (0 of 3)"
STEPS = 11


async def searched(folder: Path, steps: FakeSteps) -> LimitSearch:
    """Go on with the search in a folder; returns it when it has ended."""
    plan, _, document, where = resume_search(folder)
    search = LimitSearch(plan, document, where, steps)
    await search.run()
    return search


def text_of(search: LimitSearch) -> str:
    assert search.document.answer is not None
    return search.document.answer.text


async def test_it_runs_until_the_limit_is_known_and_says_what_was_lost_there(
    tmp_path: Path,
) -> None:
    plan, _, document, folder = begun(tmp_path)
    search = LimitSearch(plan, document, folder, FakeSteps())
    assert await search.run() == 0
    assert text_of(search) == ANSWER
    found = search.document.answer
    assert found is not None
    assert found.lost_at is not None
    assert found.lost_at.reasons == ["lost at 43.7"]
    assert search.document.state is State.FINISHED
    assert len(search.document.steps) == STEPS


async def test_what_is_written_has_the_form_of_the_schema(tmp_path: Path) -> None:
    plan, _, document, folder = begun(tmp_path, expected=">=40")
    jsonschema.validate(json.loads((folder.path / "search.json").read_text()), search_schema())
    await LimitSearch(plan, document, folder, FakeSteps()).run()
    written = json.loads((folder.path / "search.json").read_text())
    jsonschema.validate(written, search_schema())
    assert written["plan"]["from"] == 5
    assert written["answer"]["holdsAt"] == {"value": 41.8, "held": 3, "runs": 3, "reasons": []}
    assert written["expectation"] == {"text": ">=40", "met": True}


@pytest.mark.parametrize("moment", range(STEPS))
async def test_killed_in_any_step_it_goes_on_to_the_same_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    plan, _, document, folder = begun(tmp_path)
    killed, resumed = FakeSteps(), FakeSteps()

    def kill(steps: int) -> None:
        if steps == moment:
            # What the process wrote before is all that is left of it.
            monkeypatch.setattr(folder, "write", lambda _: None)
            raise KilledError

    killed.on_step = kill
    with pytest.raises(KilledError):
        await LimitSearch(plan, document, folder, killed).run()
    monkeypatch.undo()
    search = await searched(folder.path, resumed)
    assert text_of(search) == ANSWER
    assert len(killed.values) + len(resumed.values) == STEPS
    assert resumed.removed == [moment + 1]
    steps = search.document.steps
    assert len(steps) == STEPS + 1, "the step that was killed is kept"
    assert (steps[moment].verdict, steps[moment].remains) == (None, False)


@pytest.mark.parametrize("moment", range(STEPS))
async def test_interrupted_in_any_step_it_goes_on_to_the_same_answer(
    tmp_path: Path, moment: int
) -> None:
    plan, _, document, folder = begun(tmp_path)
    steps = FakeSteps()
    search = LimitSearch(plan, document, folder, steps)
    steps.on_step = lambda count: search.interrupt(signal.SIGTERM) if count == moment else None
    assert await search.run() == 128 + signal.SIGTERM
    assert search.document.state is State.INTERRUPTED
    resumed = await searched(folder.path, FakeSteps())
    assert text_of(resumed) == ANSWER
    assert len(resumed.document.steps) == STEPS + 1


async def test_interrupted_between_two_steps_it_goes_on_to_the_same_answer(
    tmp_path: Path,
) -> None:
    varied = Varied(workload(tmp_path), (), "qps")
    pauses = Circumstances(settle_s=3600.0)
    plan, _, document, folder = begin_search(varied, SearchPlan(5, 200), tmp_path, pauses)
    pausing = asyncio.Event()
    events = SearchEvents(settling=lambda _: pausing.set())
    search = LimitSearch(plan, document, folder, FakeSteps(), events=events)
    running = asyncio.create_task(search.run())
    await pausing.wait()
    search.interrupt()
    assert await running == 128 + signal.SIGINT
    assert len(search.document.steps) == 1
    path = folder.path / "search.json"
    path.write_text(path.read_text().replace("3600.0", "0.0"))
    assert text_of(await searched(folder.path, FakeSteps())) == ANSWER


async def test_what_an_interrupted_search_knows_is_known_so_far(tmp_path: Path) -> None:
    plan, _, document, folder = begun(tmp_path)
    steps = FakeSteps()
    search = LimitSearch(plan, document, folder, steps)
    steps.on_step = lambda count: search.interrupt() if count == 1 else None
    await search.run()
    assert text_of(search) == "so far: holds at 12/s (1 of 1)"
    assert "<h1>so far: holds at 12/s (1 of 1)</h1>" in (folder.path / "search.html").read_text()
    assert text_of(await searched(folder.path, FakeSteps())) == ANSWER


async def test_interrupted_before_the_first_step_it_goes_on_to_the_same_answer(
    tmp_path: Path,
) -> None:
    plan, _, document, folder = begun(tmp_path)
    search = LimitSearch(plan, document, folder, FakeSteps())
    search.interrupt()
    await search.run()
    assert search.document.steps == []
    assert text_of(await searched(folder.path, FakeSteps())) == ANSWER


async def test_a_search_that_has_its_answer_runs_nothing_when_it_is_resumed(
    tmp_path: Path,
) -> None:
    plan, _, document, folder = begun(tmp_path)
    await LimitSearch(plan, document, folder, FakeSteps()).run()
    steps = FakeSteps()
    assert text_of(await searched(folder.path, steps)) == ANSWER
    assert steps.values == []


async def test_a_search_that_goes_on_is_not_gone_on_with_by_another_process(
    tmp_path: Path,
) -> None:
    plan, _, document, folder = begun(tmp_path)
    other = FakeSteps()
    with folder.claimed(), pytest.raises(UsageError, match="another process goes on with"):
        await LimitSearch(plan, document, folder, other).run()
    assert (other.values, other.removed) == ([], [])


async def test_a_step_that_leaves_something_ends_the_search(tmp_path: Path) -> None:
    plan, _, document, folder = begun(tmp_path)
    steps = FakeSteps()
    steps.left = ["3 objects still there"]

    def kill(_: int) -> None:
        raise KilledError

    search = LimitSearch(plan, document, folder, steps)
    steps.on_step = kill
    with pytest.raises(KilledError):
        await search.run()
    with pytest.raises(RunFailedError, match="3 objects still there") as caught:
        await searched(folder.path, steps)
    assert f"--resume {folder.path}" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("expected", "code", "met"),
    [(">=40", 0, True), (">=45", 3, False), (">41.8", 3, False), ("<=50", 0, True)],
)
async def test_what_was_expected_decides_the_exit_code(
    tmp_path: Path, expected: str, code: int, met: bool
) -> None:
    plan, _, document, folder = begun(tmp_path, expected=expected)
    search = LimitSearch(plan, document, folder, FakeSteps())
    assert await search.run() == code
    assert search.document.expectation is not None
    assert search.document.expectation.met is met


def until_the_generator_gives_up(value: float) -> Verdict:
    return Verdict.HOLDS if value < 60 else Verdict.NOT_COUNTED


@pytest.mark.parametrize(("expected", "code"), [(None, 1), (">=40", 0), (">=70", 1)])
async def test_where_something_else_was_the_limit_it_says_what(
    tmp_path: Path, expected: str | None, code: int
) -> None:
    plan, _, document, folder = begun(tmp_path, expected=expected)
    search = LimitSearch(plan, document, folder, FakeSteps(until_the_generator_gives_up))
    assert await search.run() == code
    answer = "holds at 59.6/s (3 of 3); 62.2/s cannot be judged: notCounted at 62.2"
    assert text_of(search) == answer


async def test_a_page_shows_every_step_with_its_verdict_and_a_link_to_its_page(
    tmp_path: Path,
) -> None:
    plan, _, document, folder = begun(tmp_path)
    search = LimitSearch(plan, document, folder, FakeSteps())
    await search.run()
    page = (folder.path / "search.html").read_text(encoding="utf-8")
    assert f"<h1>{ANSWER}</h1>" in page
    for step in search.document.steps:
        assert f'href="{step.folder}/report.html"' in page
    assert page.count(">lost</td>") == sum(
        each.verdict is Verdict.LOST for each in search.document.steps
    )
    assert "Offered and accepted rate" in page
    assert "a threshold was lost" in page


def test_without_a_threshold_a_search_is_refused_with_an_example(tmp_path: Path) -> None:
    varied = Varied(workload(tmp_path, thresholds=[]), (), "qps")
    with pytest.raises(UsageError, match="has no thresholds") as caught:
        begin_search(varied, SearchPlan(5), tmp_path / "results", Circumstances())
    assert "metric: vmiReady" in str(caught.value.hint)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("vary", "start", "message"),
    [
        ("qsp", 5, "qsp"),
        ("workloads[0].name", 5, "--vary"),
        ("replicas", 2.5, "a whole number"),
        ("workloads[0].objects[3].replicas", 5, "there is no index 3"),
        ("qps", 0, "more than 0"),
    ],
)
def test_what_cannot_be_varied_is_refused(
    tmp_path: Path, vary: str, start: float, message: str
) -> None:
    varied = Varied(workload(tmp_path), (), vary)
    with pytest.raises(UsageError, match=message.replace("[", r"\[")):
        begin_search(varied, SearchPlan(start), tmp_path / "results", Circumstances())


@pytest.mark.parametrize(
    ("vary", "start", "whole"),
    [
        ("qps", 5, False),
        ("replicas", 5, True),
        ("maxInFlight", 5, True),
        ("workloads[0].qps", 5, False),
        ("workloads[0].objects[0].inputVars.containerTag", 5, True),
        ("workloads[0].objects[0].inputVars.containerTag", 0.5, False),
    ],
)
def test_whole_numbers_are_tried_where_no_others_make_sense(
    tmp_path: Path, vary: str, start: float, whole: bool
) -> None:
    varied = Varied(workload(tmp_path), (), vary)
    opened = begin_search(varied, SearchPlan(start), tmp_path / "results", Circumstances())
    assert opened.plan.whole is whole


def test_what_is_no_search_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="it cannot be read"):
        resume_search(tmp_path)
    (tmp_path / "search.json").write_text('{"schemaVersion": 1}')
    with pytest.raises(ResultsError, match="it is not a search"):
        resume_search(tmp_path)


def test_a_search_that_is_nested_too_deeply_is_none(tmp_path: Path) -> None:
    *_, folder = begun(tmp_path)
    (folder.path / "search.json").write_text('{"a": ' + "[" * 100_000)
    with pytest.raises(ResultsError, match="it is not a search"):
        resume_search(folder.path)


@pytest.mark.parametrize("value", [0, -1])
async def test_a_step_at_a_value_that_cannot_be_is_refused(tmp_path: Path, value: float) -> None:
    plan, _, document, folder = begun(tmp_path)
    await LimitSearch(plan, document, folder, FakeSteps()).run()
    written = json.loads((folder.path / "search.json").read_text())
    written["steps"][0]["value"] = value
    (folder.path / "search.json").write_text(json.dumps(written))
    with pytest.raises(ResultsError, match="more than 0"):
        resume_search(folder.path)


@pytest.mark.parametrize(
    "change", [{"from": 0.0}, {"from": -1.0}, {"to": 5.0}, {"tolerance": 0.0}, {"tolerance": -1.0}]
)
def test_a_range_that_cannot_be_is_refused_of_a_folder_too(
    tmp_path: Path, change: dict[str, float]
) -> None:
    *_, folder = begun(tmp_path)
    written = json.loads((folder.path / "search.json").read_text())
    written["plan"] |= change
    (folder.path / "search.json").write_text(json.dumps(written))
    with pytest.raises(UsageError, match="has to be more than"):
        resume_search(folder.path)


def test_a_workload_file_that_is_no_text_any_more_is_an_error(tmp_path: Path) -> None:
    *_, folder = begun(tmp_path)
    (folder.path / "workload.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ResultsError, match="not UTF-8"):
        resume_search(folder.path)


def test_a_configuration_of_kube_burner_with_an_id_and_chance_in_it_has_not_changed(
    tmp_path: Path,
) -> None:
    (tmp_path / "pod.yml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: 'a-{{.Replica}}'}\n"
    )
    file = tmp_path / "kb.yml"
    file.write_text(
        "global: {measurements: [{name: podLatency, thresholds: "
        "[{conditionType: Ready, metric: P99, threshold: 5s}]}]}\n"
        "jobs:\n- name: a\n  jobIterations: 1\n  namespace: a\n  objects:\n"
        "  - {objectTemplate: pod.yml, replicas: 20, "
        "inputVars: {id: '{{.UUID}}', chance: '{{randAlphaNum 20}}'}}\n"
    )
    plan, results = SearchPlan(5, 200), tmp_path / "results"
    *_, folder = begin_search(Varied(file, (), "qps"), plan, results, Circumstances())
    *_, other = begin_search(Varied(file, (), "qps"), plan, results, Circumstances())
    assert resume_search(folder.path).folder.path == folder.path
    assert folder.workload_yaml() != other.workload_yaml()

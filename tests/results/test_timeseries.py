"""Objects over time: in every interval each is somewhere, and only once."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from journals import begins, created, killed_run
from msgspec.structs import replace

from perfscale.results import ChangeEntry, DeleteEntry, ObjectRecord, Outcome, rebuild_results
from perfscale.results.measure.timeseries import Population, TimePoint, TimeSeries

DAY_S = 24 * 3600.0
VMI = "VirtualMachineInstance"


def record(
    created_s: float | None = 0.0,
    phases_s: dict[str, float] | None = None,
    deleted_s: float | None = None,
    kind: str = VMI,
) -> ObjectRecord:
    return ObjectRecord(
        kind=kind, namespace="density-1", name="vmi-1", workload="density", iteration=1, replica=1,
        uid=None if created_s is None else "uid-1", outcome=Outcome.UNREADY, error=None,
        scheduled_s=None, admitted_s=None, sent_s=created_s, created_s=created_s,
        phases_s=phases_s or {}, ready_s=None, delete_requested_s=deleted_s, deleted_s=deleted_s,
        server={},
    )  # fmt: skip


def points(*records: ObjectRecord, until_s: float = 1.0, children: bool = False) -> list[TimePoint]:
    series = TimeSeries()
    series.record(records, children=children)
    return list(series.points(until_s))


def in_phases(population: Population) -> int:
    return sum(sum(phases.values()) for phases in population.phases.values())


def test_an_object_is_in_its_phases_one_after_the_other() -> None:
    found = points(record(0.1, {"Pending": 0.3, "Running": 0.6}, 0.9))
    at = {point.at_s: point.objects for point in found}
    assert at[0.125].phases == {VMI: {"": 1}}
    assert at[0.375].phases == at[0.5].phases == {VMI: {"Pending": 1}}
    assert at[0.75].phases == {VMI: {"Running": 1}}
    assert at[1.0].phases == {}
    assert at[1.0].deleted == 1
    assert at[1.0].deleted_per_s == 8.0


def test_an_object_is_due_when_its_turn_comes_and_sent_when_it_went() -> None:
    late = replace(record(0.9), scheduled_s=0.2)
    found = points(late)
    assert [point.at_s for point in found if point.objects.due] == [0.25]
    assert [point.at_s for point in found if point.objects.sent] == [1.0]


def test_children_are_counted_apart() -> None:
    first = points(record(0.1, {"Pending": 0.1}), children=True)[0]
    assert first.children.phases == {VMI: {"Pending": 1}}
    assert first.objects.present == 0


def test_what_was_never_created_is_nowhere() -> None:
    assert all(point.objects.present == 0 for point in points(record(None)))


def test_a_run_in_which_nothing_happened_is_shown_too() -> None:
    assert [point.at_s for point in points(until_s=0.3)] == [0.125, 0.25, 0.375]


def test_a_run_of_ten_days_has_no_more_than_some_hundred_intervals() -> None:
    found = points(record(1.0, {}, 9 * DAY_S), record(5 * DAY_S), until_s=10 * DAY_S)
    assert 256 <= len(found) <= 512
    assert found[-1].at_s >= 10 * DAY_S
    assert sum(point.objects.created for point in found) == 2
    assert {point.objects.present for point in found} == {1, 2}


times = st.floats(0, 2000)


@st.composite
def lives(draw: st.DrawFn) -> ObjectRecord:
    born, *rest = sorted(draw(st.lists(times, min_size=1, max_size=5)))
    dies = bool(rest) and draw(st.booleans())
    deleted_s = rest.pop() if dies else None
    phases = {f"phase-{number}": at for number, at in enumerate(rest)}
    return record(born, phases, deleted_s, draw(st.sampled_from(["Pod", VMI])))


@given(st.lists(lives(), max_size=20))
def test_at_every_instant_the_phases_add_up_to_the_objects_that_are_there(
    records: list[ObjectRecord],
) -> None:
    gone = there = 0
    for point in points(*records, until_s=2000):
        alive = [
            each
            for each in records
            if each.created_s is not None
            and each.created_s < point.at_s
            and (each.deleted_s is None or each.deleted_s >= point.at_s)
        ]
        there += point.objects.created
        gone += point.objects.deleted
        assert in_phases(point.objects) == point.objects.present == len(alive) == there - gone


def test_the_report_on_a_run_writes_them(tmp_path: Path) -> None:
    folder = killed_run(
        tmp_path / "density-20260102T030405Z-1234",
        [*begins(), created(3, sent_s=0.5), DeleteEntry(1, 1.0), ChangeEntry(n=1, deleted_s=1.5)],
    )
    rebuild_results(folder)
    found: list[dict[str, Any]] = [
        json.loads(line) for line in (folder / "timeseries.ndjson").read_text().splitlines()
    ]
    assert {point["interval_s"] for point in found} == {0.125}
    assert found[-1]["at_s"] == 1.625
    assert found[-1]["objects"]["phases"] == {"ConfigMap": {"": 1}}
    assert sum(point["objects"]["sent"] for point in found) == 3
    assert sum(point["objects"]["deleted"] for point in found) == 1


@given(
    records=st.lists(
        st.tuples(st.sampled_from(["ramp", "steady", "late"]), st.floats(0, 2 * DAY_S)), max_size=50
    )
)
def test_workloads_of_a_run_are_told_apart_and_add_up(records: list[tuple[str, float]]) -> None:
    found = points(
        *(replace(record(at_s, None, at_s + 1), workload=name) for name, at_s in records),
        until_s=2 * DAY_S + 1,
    )
    names = {name for name, _ in records}
    for point in found:
        assert set(point.loads) == (names if len(names) > 1 else set())
        if point.loads:
            same = {"due": "due", "sent": "sent", "accepted": "created", "done": "ready"}
            for what, of_objects in same.items():
                total = sum(getattr(load, what) for load in point.loads.values())
                assert total == getattr(point.objects, of_objects)
    for name in names if len(names) > 1 else ():
        sent = sum(point.loads[name].sent for point in found)
        assert sent == sum(1 for each, _ in records if each == name)


def test_an_object_that_comes_to_a_milestone_stays_in_its_phase() -> None:
    found = points(record(0.1, {"Running": 0.3, "AgentConnected": 0.6}))
    assert found[-1].objects.phases == {VMI: {"Running": 1}}

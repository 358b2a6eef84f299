from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from perfscale.config import Config, dump_config
from perfscale.config.sections.shape import describe_shape, mean_rate, most_due
from perfscale.errors import ConfigError

LINES = """\
workloads:
  - name: a
{keys}
    objects: [{{templateFile: t.yaml, replicas: 10}}]
"""


def written(keys: str) -> str:
    return LINES.format(keys="\n".join(f"    {line}" for line in keys.splitlines()))


def problems(load: Callable[..., Config], keys: str) -> list[tuple[int | None, str]]:
    with pytest.raises(ConfigError) as refused:
        load(written(keys))
    return [(each.line, each.message) for each in refused.value.problems]


STAGES = "stages: [{duration: 10s, qps: 50}, {duration: 5s, qps: 5, step: true}]"


@pytest.mark.parametrize(
    ("keys", "line", "message"),
    [
        (f"burst: 3\n{STAGES}", 3, "the stages say when each object is due: remove this key"),
        (f"{STAGES}\nspread: 10s", 4, "the stages say the rate: remove this key, or them"),
        (f"{STAGES}\nduration: 10s", 4, "the load ends with its last stage"),
        ("qps: 5\nspread: 10s", 3, "spread and the number of objects give the rate"),
        ("spread: 10s\nburst: 2", 4, "spread leaves the objects evenly spaced"),
        ("spread: 10s\nduration: 1s", 4, "spread says how long the load takes"),
        ("duration: 10s", 3, "without a rate nothing says how much is due by then: write qps"),
        ("arrival: poisson", 3, "Poisson arrivals have a mean rate: write qps, stages or spread"),
        ("arrival: poisson\nqps: 3\nburst: 2", 5, "Poisson arrivals come one by one"),
        ("arrival: poison", 3, '"poison" is not known here: write one of constant, poisson'),
        ("stages: [{duration: 10s, qps: 0}]", 3, "no stage has a rate"),
        ("stages: [{duration: 0s, qps: 1}]", 3, "is not a duration from more than 0s"),
        ("stages: [{qps: 1}]", 3, "this key is missing"),
        ("stages: {duration: 1s}", 3, "is not a list of stages"),
        ("maxInFlight: 0", 3, "0 is not a whole number from 1"),
        ("spreads: 10s", 3, "spread"),
    ],
)
def test_keys_that_do_not_go_together_are_refused_where_they_stand(
    load: Callable[..., Config], keys: str, line: int, message: str
) -> None:
    ((found, text),) = problems(load, keys)
    assert found == line
    assert re.search(re.escape(message), text)


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ("qps: 5\nspread: 10s\nstages: [{duration: 10s}]", ["spread", "stages[0].qps"]),
        ("qps: 5\nspread: 10s\nduration: never", ["duration", "qps"]),
        ("stages: [{qps: 1}]\nspread: 0s\nqps: 5", ["stages[0].duration"]),
        ("arrival: poisson\nqps: many", ["qps"]),
        ("burst: 3\nstages: [{duration: 1s, qps: -1}]", ["burst", "stages[0].qps"]),
    ],
)
def test_a_value_that_is_wrong_hides_no_key_that_does_not_go_with_another(
    load: Callable[..., Config], keys: str, wrong: list[str]
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(keys))
    found = [str(each) for each in refused.value.problems]
    assert len(found) == len(wrong), found
    for key in wrong:
        assert any(f"workloads[0].{key}: " in text for text in found), (key, found)


@pytest.mark.parametrize(
    "keys",
    [
        STAGES,
        f"qps: 3\n{STAGES}\narrival: poisson\nmaxInFlight: 7",
        "qps: 3\nduration: 10s\nburst: 2",
        "spread: 10m\narrival: poisson",
        "qps: 5\narrival: constant",
    ],
)
def test_a_shape_is_written_as_it_is_read(load: Callable[..., Config], keys: str) -> None:
    config = load(written(keys))
    assert load(dump_config(config)) == config


def shape(load: Callable[..., Config], keys: str) -> Any:
    (workload,) = load(written(keys)).workloads
    return workload


@pytest.mark.parametrize(
    ("keys", "most", "mean"),
    [
        ("qps: 5", float("inf"), 5),
        ("", float("inf"), None),
        (STAGES, 275, 275 / 15),
        (f"qps: 50\n{STAGES}", 525, 35),
        ("qps: 10\nburst: 1\nduration: 2s", 20, 10),
        ("qps: 10\nburst: 5\nduration: 2s", 24, 10),
        ("qps: 0.4\nduration: 1s", 1, 0.4),
        ("spread: 4s", float("inf"), 2.5),
    ],
)
def test_what_is_due_of_a_load_and_how_fast_is_known_before(
    load: Callable[..., Config], keys: str, most: float, mean: float | None
) -> None:
    workload = shape(load, keys)
    assert most_due(workload) == most
    assert mean_rate(workload, 10) == (None if mean is None else pytest.approx(mean))


@pytest.mark.parametrize(
    ("keys", "within_s", "most"),
    [
        (STAGES, 2, 10),
        (STAGES, 11, 255),
        (STAGES, 60, 275),
        ("qps: 10\nburst: 5\nduration: 2s", 1, 14),
        ("qps: 10\nburst: 5\nduration: 2s", 60, 24),
        ("", 1, float("inf")),
    ],
)
def test_what_is_due_of_a_load_so_soon_after_its_beginning_is_known_before(
    load: Callable[..., Config], keys: str, within_s: float, most: float
) -> None:
    assert most_due(shape(load, keys), within_s) == most


def test_a_shape_is_described_in_a_few_words(load: Callable[..., Config]) -> None:
    assert describe_shape(shape(load, STAGES)) == "from 0/s, to 50/s in 10s, at 5/s for 5s"
    text = describe_shape(shape(load, "qps: 2\narrival: poisson\nduration: 1m"))
    assert text == "2/s, Poisson arrivals, for 1m"
    assert describe_shape(shape(load, "qps: 2\nburst: 3")) == ""


def test_a_share_of_the_rate_may_be_wanted_of_any_load_that_has_one(
    load: Callable[..., Config],
) -> None:
    threshold = "thresholds: [{metric: achievedQps, min: 95%}]"
    for keys in (STAGES, "spread: 10s"):
        assert load(written(f"{keys}\n{threshold}")).workloads


@pytest.mark.parametrize("seed", ["-1", "1.5", "many", "null", str(2**32)])
def test_a_seed_is_a_whole_number(load: Callable[..., Config], seed: str) -> None:
    with pytest.raises(ConfigError, match="a whole number from 0 to"):
        load(f"globalConfig: {{seed: {seed}}}\n" + written(""))


def test_objects_come_in_every_iteration_in_some_or_once(load: Callable[..., Config]) -> None:
    text = written("iterationCount: 7").replace("replicas: 10", "KEY")

    def iterations(key: str) -> list[int]:
        (workload,) = load(text.replace("KEY", key)).workloads
        return list(workload.objects[0].iterations_of(workload.iteration_count))

    assert iterations("replicas: 1") == [1, 2, 3, 4, 5, 6, 7]
    assert iterations("everyIterations: 3") == [1, 4, 7]
    assert iterations("once: true") == [1]
    with pytest.raises(ConfigError, match="once is only in the first iteration"):
        load(text.replace("KEY", "once: true, everyIterations: 2"))


def test_something_in_a_run_has_to_end(load: Callable[..., Config]) -> None:
    reading = "operation: list, targets: {kind: Pod, apiVersion: v1}, background: true"
    other = "{name: b, objects: [{templateFile: t.yaml}]}"
    config = load(f"workloads: [{{name: a, {reading}}}, {other}]")
    assert [each.is_endless for each in config.workloads] == [True, False]
    with pytest.raises(ConfigError, match="each of them goes on until no other is left"):
        load(f"workloads: [{{name: a, {reading}}}]")
    bounded = f"workloads: [{{name: a, duration: 1m, qps: 1, {reading}}}]"
    assert not load(bounded).workloads[0].is_endless

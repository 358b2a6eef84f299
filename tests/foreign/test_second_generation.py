"""Files of the old tool's second generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perfscale.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfscale.config import Config

BURST = """\
name: storm
timeout: 30m
count: 40
type: "burst"
object:
  templateFile: templates/vmi.yaml
  inputVars:
    containerTag: ""
    namespace: team-a
"""


def test_a_burst_creates_its_count_and_waits_for_all(load: Callable[..., Config]) -> None:
    (workload,) = load(BURST).workloads
    (spec,) = workload.objects
    assert (workload.name, spec.replicas, workload.max_wait_timeout) == ("storm", 40, 1800)
    assert spec.template_file == "templates/vmi.yaml"
    assert spec.input_vars == {"containerTag": "", "namespace": "team-a"}
    assert workload.iteration_creation_wait
    assert not workload.iteration_cleanup


def test_the_namespace_is_used_as_it_is_written(load: Callable[..., Config]) -> None:
    (workload,) = load(BURST).workloads
    assert workload.namespace_for(workload.objects[0], 1) == "team-a"


def test_a_steady_state_replaces_objects_until_its_timeout_and_deletes_all(
    load: Callable[..., Config],
) -> None:
    config = load(BURST.replace('"burst"', "steady-state\nchurn: 5\nminChurnSleep: 1s"))
    (workload,) = config.workloads
    assert workload.churn is not None
    assert (workload.churn.count, workload.churn.interval, workload.churn.duration) == (5, 1, 1800)
    assert workload.iteration_cleanup
    assert workload.iteration_deletion_wait
    assert config.source.reading.endswith(
        "steady-state: 40 objects, 5 of them replaced every 1s for 30m, then all deleted"
    )


def test_a_steady_state_without_a_sleep_pauses_for_twenty_seconds(
    load: Callable[..., Config],
) -> None:
    (workload,) = load(BURST.replace('"burst"', "steady-state\nchurn: 5")).workloads
    assert workload.churn is not None
    assert workload.churn.interval == 20


def test_it_is_said_how_the_file_was_read(load: Callable[..., Config]) -> None:
    assert load(BURST).source.reading == (
        "the old tool's second generation, burst: 40 objects, waited for 30m at most"
    )


def test_a_file_without_type_and_timeout_is_a_burst_of_five_minutes(
    load: Callable[..., Config],
) -> None:
    (workload,) = load("name: a\ncount: 2\nobject: {templateFile: t.yaml}\n").workloads
    assert (workload.objects[0].replicas, workload.max_wait_timeout) == (2, 300)


def test_a_timeout_of_seconds_means_the_default(load: Callable[..., Config]) -> None:
    (workload,) = load(BURST.replace("30m", "30s")).workloads
    assert workload.max_wait_timeout == 300


def test_overrides_have_the_keys_of_todays_files(load: Callable[..., Config]) -> None:
    (workload,) = load(BURST, ["workloads[0].objects[0].replicas=3"]).workloads
    assert workload.objects[0].replicas == 3


def test_a_file_of_today_is_read_as_before(load: Callable[..., Config]) -> None:
    config = load("workloads: [{name: a, objects: [{templateFile: t.yaml}]}]\n")
    assert config.workloads[0].name == "a"
    assert config.source.reading == ""


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        (BURST.replace("count: 40", "count: 0"), "f.yaml:3:8: count", "whole number from 1"),
        (BURST.replace("burst", "brust"), "f.yaml:4:7: type", "did you mean burst?"),
        (BURST.replace("count: 40", "count: 4\nchrn: 3"), "f.yaml:4:1: chrn", "mean churn?"),
        (BURST.replace("count: 40\n", ""), "f.yaml:1:1: count", "this key is missing"),
        (BURST.replace("30m", "300"), "f.yaml:2:10: timeout", "write 300s"),
        (BURST.replace("team-a", "Team_A"), "f.yaml:9:16", "cannot be created"),
        (BURST.replace('containerTag: ""', "containerTag: 1.20"), "f.yaml:8:19", "in quotes"),
        (BURST.replace('"burst"', "steady-state"), "f.yaml:4:7: type", "write churn"),
        (BURST.replace('"burst"', "steady-state\nchurn: 41"), "f.yaml:5:8: churn", "only 40"),
    ],
)
def test_what_is_wrong_is_reported_at_the_lines_of_the_file(
    text: str, place: str, why: str, load: Callable[..., Config]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    (problem,) = caught.value.problems
    assert str(problem).startswith(place)
    assert why in problem.message

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from perfscale.config import Config, Workload


def _config(**keys: Any) -> Config:
    workload = {"name": "a", "objects": [{"templateFile": "t.yaml"}], **keys}
    return Config.model_validate({"workloads": [workload]})


def test_a_program_may_write_keys_in_either_spelling() -> None:
    assert _config(iterationCount=3) == _config(iteration_count=3)


def test_a_program_may_give_a_timedelta_as_a_duration() -> None:
    assert _config(max_wait_timeout=timedelta(minutes=2)).workloads[0].max_wait_timeout == 120


def test_what_a_program_built_has_no_file() -> None:
    config = _config()
    assert config.source.name is None
    assert config.locate("workloads", 0) is None
    assert str(config.problem(("workloads", 0, "name"), "no")) == "workloads[0].name: no"


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        _config().workloads[0].qps = 5  # type: ignore[misc] # that is the point


@pytest.mark.parametrize(
    ("keys", "depth"),
    [
        ({}, 0),
        ({"qps": 20}, 20),
        ({"qps": 0.5}, 1),
        ({"qps": 2.5}, 3),
        ({"qps": 20, "burst": 1}, 1),
    ],
)
def test_the_bucket_is_as_deep_as_burst_or_else_qps_rounded_up(
    keys: dict[str, Any], depth: int
) -> None:
    assert _config(**keys).workloads[0].bucket_depth == depth


def _namespaces(workload: Workload) -> list[str]:
    return [workload.namespace_for(workload.objects[0], iteration) for iteration in (1, 2)]


def test_namespaced_iterations_have_a_namespace_each_and_others_share_the_first() -> None:
    assert _namespaces(_config(iterationCount=2).workloads[0]) == ["a-1", "a-1"]
    own = _config(iterationCount=2, namespacedIterations=True).workloads[0]
    assert _namespaces(own) == ["a-1", "a-2"]


def test_an_empty_namespace_variable_gives_way_to_the_workloads_name() -> None:
    objects = [{"templateFile": "t.yaml", "inputVars": {"namespace": ""}}]
    assert _namespaces(_config(objects=objects).workloads[0])[0] == "a-1"


def test_the_longest_namespace_decides_whether_a_name_fits() -> None:
    name = "a" * 61
    nine = _config(name=name, namespacedIterations=True, iterationCount=9).workloads[0]
    assert len(nine.namespace_for(nine.objects[0], 9)) == 63
    with pytest.raises(ValidationError, match="64 characters, and 63 is the most"):
        _config(name=name, namespacedIterations=True, iterationCount=10)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, True, "5", 1e12])
def test_a_rate_is_a_finite_number_that_is_not_negative(value: object) -> None:
    with pytest.raises(ValidationError, match="is not a rate"):
        _config(qps=value)


def test_all_that_is_wrong_is_reported_at_once_repeated_names_too() -> None:
    with pytest.raises(ValidationError) as refused:
        Config.model_validate(
            {"workloads": [{"name": "a", "qps": "x"}, {"name": "a", "objects": [{}]}]}
        )
    places = {error["loc"] for error in refused.value.errors()}
    assert places == {
        ("workloads", 0, "qps"),
        ("workloads", 0, "objects"),
        ("workloads", 1, "objects", 0, "templateFile"),
        ("workloads", 1, "name"),
    }


def test_variables_of_types_that_no_template_prints_are_refused() -> None:
    objects = [{"templateFile": "t.yaml", "inputVars": {"a": object(), "b": [float("nan")]}}]
    with pytest.raises(ValidationError, match="is not a text, a number"):
        _config(objects=objects)

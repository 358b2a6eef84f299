"""What a configuration may say and is not done is refused by name, at its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perfscale.foreign.kube_burner.refusals import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Problems = Callable[..., list[tuple[int | None, str]]]

ENTRY: dict[str, Any] = {"objectTemplate": "pod.yml"}
CHURN: dict[str, Any] = {"cycles": 1, "percent": 10}
OF_OBJECTS = {**CHURN, "mode": "objects"}
SHARED = {**ENTRY, "repeatEveryNIterations": 2}
GROUPED = {**ENTRY, "group": {"id": 1}}
STEPS = {"startIterations": 1}
PROMETHEUS: dict[str, Any] = {"endpoint": "http://localhost:9090"}
ENGINE: dict[str, Any] = {"type": "opensearch", "esServers": ["http://localhost:9200"]}


def creating(*entries: dict[str, Any], **keys: Any) -> dict[str, Any]:
    job = {"name": "a", "namespace": "kb", "jobIterations": 4, **keys}
    return {"jobs": [{**job, "objects": list(entries) or [ENTRY]}]}


def globally(**keys: Any) -> dict[str, Any]:
    return {"global": keys, **creating()}


def endpoints(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"metricsEndpoints": list(entries), **creating()}


CASES = {
    "global.waitWhenFinished": globally(waitWhenFinished=True),
    "jobs[].preLoadNodeLabels": creating(preLoadNodeLabels={"a": "b"}),
    "churnConfig with groups": creating(GROUPED, churnConfig=CHURN),
    "churnConfig with incrementalLoad": creating(churnConfig=CHURN, incrementalLoad=STEPS),
    "churn of namespaces with one namespace": creating(
        churnConfig=CHURN, namespacedIterations=False
    ),
    "churn of namespaces with iterationsPerNamespace": creating(
        churnConfig=CHURN, iterationsPerNamespace=2
    ),
    "churn of objects with repeatEveryNIterations": creating(SHARED, churnConfig=OF_OBJECTS),
    "incrementalLoad with groups": creating(GROUPED, incrementalLoad=STEPS),
    "metricsEndpoints[] with several Prometheus": endpoints(
        PROMETHEUS, {"endpoint": "http://other:9090"}
    ),
    "metricsEndpoints[] with several search engines": endpoints(
        {"indexer": {**ENGINE, "defaultIndex": "a"}}, {"indexer": {**ENGINE, "defaultIndex": "b"}}
    ),
    "metricsEndpoints[].indexer of type tsdb": endpoints({"indexer": {"type": "tsdb"}}),
    "measurements[].thresholds of other conditions": globally(
        measurements=[
            {
                "name": "podLatency",
                "thresholds": [{"conditionType": "Never", "metric": "P99", "threshold": "5s"}],
            }
        ]
    ),
}


def test_every_row_of_the_table_has_a_case() -> None:
    assert [row.key for row in TABLE] == list(CASES)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_each_row_is_found_and_said(problems: Problems, row: Any) -> None:
    found = problems(yaml.safe_dump(CASES[row.key], sort_keys=False))
    assert [message for _, message in found] == [row.why]
    assert found[0][0] is not None


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
def test_each_row_stands_in_the_documentation(row: Any, documentation: str) -> None:
    assert f"| {row.key} |" in documentation.replace("`", "")


@pytest.fixture
def documentation(request: pytest.FixtureRequest) -> str:
    path: Path = request.config.rootpath / "docs" / "kube-burner.md"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"name": "A_b"}, "is no name of a job"),
        ({"jobIterations": 0}, "this has to be 1 or more"),
        ({"iterationsPerNamespace": 0}, "this has to be 1 or more"),
        ({"namespace": "a.b"}, "cannot begin the name of a namespace"),
    ],
)
def test_what_that_program_refuses_is_refused(
    problems: Problems, keys: dict[str, Any], message: str
) -> None:
    ((_, said),) = problems(yaml.safe_dump(creating(**keys)))
    assert message in said


def test_two_jobs_of_one_name_are_refused(problems: Problems) -> None:
    tree = creating()
    tree["jobs"] *= 2
    ((_, said),) = problems(yaml.dump(tree, Dumper=yaml.SafeDumper))
    assert "jobs[0] has this name too" in said


def test_everything_is_reported_at_once(problems: Problems) -> None:
    tree = creating({"objectTemplate": "none.yml"}, {"objectTemplate": "https://x/y.yml"})
    tree["global"] = {"waitWhenFinished": True}
    assert len(problems(yaml.safe_dump(tree))) == 3

"""Whether the values of a search have an effect, before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from searches import workload

from perfscale.config.sections.fields import MAX_COUNT
from perfscale.errors import ConfigError, UsageError
from perfscale.search import Circumstances, OpenedSearch, SearchPlan, Varied, begin_search
from perfscale.templates.first_workload import FirstWorkload

THRESHOLD_OF_PODS: Final = {"metric": "failed", "max": 0}


def begin(file: Path, start: float, end: float | None = None, vary: str = "qps") -> OpenedSearch:
    results = file.parent / "results"
    return begin_search(Varied(file, (), vary), SearchPlan(start, end), results, Circumstances())


@pytest.mark.parametrize(
    ("keys", "start", "end", "place"),
    [
        ({"burst": 0}, 5, 200, r":\d+:\d+: workloads\[0\].objects\[0\].replicas: at 200/s"),
        ({"burst": 0}, 100, None, r":\d+:\d+: workloads\[0\].objects\[0\].replicas: at 100/s"),
        ({"burst": 100}, 5, None, r":\d+:\d+: workloads\[0\].burst: at 5/s"),
    ],
)
def test_a_rate_that_fewer_objects_than_its_burst_never_offer_is_refused_with_its_line(
    tmp_path: Path, keys: dict[str, Any], start: float, end: float | None, place: str
) -> None:
    file = workload(tmp_path, **keys)
    with pytest.raises(ConfigError, match=f"workload.yaml{place} the rate is never") as caught:
        begin(file, start, end)
    assert "no more objects than its burst" in str(caught.value)
    assert "burst: 1" in str(caught.value.hint)
    assert "replicas" in str(caught.value.hint)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("keys", "vary"),
    [
        ({"burst": 500, "qps": 5}, "replicas"),
        ({"burst": 90}, "qps"),
        ({"burst": 0, "arrival": "poisson", "qps": 5}, "qps"),
        ({"burst": 500, "iterationCount": 6, **dict.fromkeys(
            ("iterationCreationWait", "iterationCleanup", "iterationDeletionWait"), False
        )}, "workloads[0].qps"),
    ],
)  # fmt: skip
def test_what_offers_its_rate_or_varies_none_is_not_refused(
    tmp_path: Path, keys: dict[str, Any], vary: str
) -> None:
    assert begin(workload(tmp_path, **keys), 5, 200, vary).document.steps == []


def test_templates_that_make_several_objects_are_counted_with_all_of_them(tmp_path: Path) -> None:
    one = "apiVersion: v1\nkind: {}\nmetadata: {{name: 'a-{{{{ replica }}}}'}}\n"
    (tmp_path / "two.yaml").write_text(
        one.format("ConfigMap") + "---\n" + one.format("ServiceAccount")
    )
    keys: dict[str, Any] = {"objects": [{"templateFile": "two.yaml", "replicas": 100}], "burst": 0}
    file = tmp_path / "workload.yaml"
    threshold = {"metric": "failed", "max": 0}
    file.write_text(repr({"workloads": [{"name": "two", "thresholds": [threshold], **keys}]}))
    assert begin(file, 150).document.notes == ()
    with pytest.raises(ConfigError, match="200 at once"):
        begin(file, 200)


def test_the_first_workload_file_can_be_searched(tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    file.write_text(FirstWorkload(ready_within="1m").text(), encoding="utf-8")
    assert begin(file, 5, 200).document.steps == []


def refused(file: Path, start: float, end: float | None, vary: str) -> str:
    """Why a search is refused, with the way out; it has made nothing."""
    with pytest.raises(ConfigError) as caught:
        begin(file, start, end, vary)
    assert not (file.parent / "results").exists()
    return f"{caught.value} | {caught.value.hint}"


def write(folder: Path, *workloads: dict[str, Any], **limits: Any) -> Path:
    """A workload file of several workloads, with limits of the run."""
    named = [
        {
            "name": f"load-{at}",
            **({"objects": [pods(100, f"load-{at}")]} if "operation" not in each else {}),
            **each,
        }
        for at, each in enumerate(workloads)
    ]
    tree = {"globalConfig": {"thresholds": [THRESHOLD_OF_PODS], **limits}, "workloads": named}
    path = folder / "workload.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return path


def pods(replicas: int, namespace: str) -> dict[str, Any]:
    return {
        "templateFile": "templates/pod.yaml",
        "replicas": replicas,
        "inputVars": {"namespace": namespace},
    }


def stage(duration: str, qps: float, *, step: bool = False) -> dict[str, Any]:
    return {"duration": duration, "qps": qps, "step": step}


LIMITED = "globalConfig.qps"


@pytest.mark.parametrize(
    ("keys", "limits", "vary", "place", "why"),
    [
        # The limit of the run, above what its workloads ever send.
        ({"qps": 20, "burst": 1}, {}, LIMITED, "workloads[0].qps: at qps=40",
         "no more than 20 requests a second are due"),
        ({"stages": [stage("1m", 30), stage("1m", 10)]}, {}, LIMITED, "workloads[0].stages",
         "no more than 30 requests"),
        ({"spread": "10s"}, {}, LIMITED, "workloads[0].spread", "no more than 10 requests"),
        ({}, {"burst": 95}, LIMITED, "globalConfig.burst", "of which 95 may go at once"),
        # The rate of a workload, above what the run lets it send.
        ({"burst": 1}, {"qps": 10}, "qps", "globalConfig.qps: at 12/s", "no more than 10"),
        # Stages.
        ({"stages": [stage("1m", 30)]}, {}, "qps", "workloads[0].stages", "stages say the rate"),
        ({"stages": [stage("1m", 1), stage("200ms", 9, step=True)]}, {},
         "workloads[0].stages[1].qps", "stages[1].duration: at qps=", "requests of the stage"),
        ({"stages": [stage("1m", 3.2), stage("1m", 9, step=True)]}, {},
         "workloads[0].stages[1].qps", "objects[0].replicas: at qps=12", "4 of its 100 requests"),
        # Bounds that are never reached.
        ({}, {}, "maxInFlight", "objects[0].replicas: at 400 in flight", "no more than 100"),
        ({"maxInFlight": 30}, {}, "maxInFlight", "workloads[0].maxInFlight", "no more than 30"),
        ({}, {"maxInFlight": 50}, "workloads[0].maxInFlight", "globalConfig.maxInFlight", "50"),
        ({}, {"maxInFlight": 999}, "workloads[0].maxInFlight", "objects[0].replicas", "than 100"),
        # Objects that are never due.
        ({"qps": 5, "burst": 1, "duration": "10s"}, {}, "replicas", "workloads[0].duration",
         "the load is over after 50 of the 400 objects"),
        # Bursts.
        ({"qps": 5}, {}, "workloads[0].burst", "objects[0].replicas", "no more than 100 requests"),
        ({}, {}, "workloads[0].burst", "--vary", "limits nothing without qps"),
        ({}, {}, "globalConfig.burst", "--vary", "limits nothing without globalConfig.qps"),
        # What is no load, and what nothing reads.
        ({}, {}, "globalConfig.seed", "--vary", "the load is the same"),
        ({}, {}, "globalConfig.thresholds[0].max", "--vary", "the load is the same"),
        ({}, {}, "workloads[0].objects[0].inputVars.disks", "objects[0].templateFile",
         "the template has no disks in it"),
    ],
)  # fmt: skip
def test_a_value_without_effect_is_refused_with_what_keeps_it_from_having_one(
    tmp_path: Path, keys: dict[str, Any], limits: dict[str, Any], vary: str, place: str, why: str
) -> None:
    end = {"maxInFlight": 400, "replicas": 400, "workloads[0].maxInFlight": 400}.get(vary)
    end = end or {"workloads[0].burst": 400, "globalConfig.burst": 400}.get(vary, 40)
    message = refused(write(tmp_path, keys, **limits), 12, end, vary)
    assert place in message
    assert why in message
    if place != "--vary":
        assert "workload.yaml:" in message


@pytest.mark.parametrize(
    ("keys", "limits", "vary"),
    [
        ({"qps": 40, "burst": 1}, {}, LIMITED),
        ({"qps": 20, "burst": 60}, {}, LIMITED),  # the burst comes as fast as the limit lets it
        ({}, {}, LIMITED),  # in a closed loop, as fast as answers come
        ({"burst": 1}, {"qps": 40}, "qps"),
        ({"burst": 1}, {"qps": 10, "burst": 100}, "qps"),
        ({"stages": [stage("1m", 1, step=True)]}, {}, "workloads[0].stages[0].qps"),
        ({"stages": [stage("2s", 40), stage("2s", 40)]}, {}, "workloads[0].stages[*].qps"),
        ({"maxInFlight": 40}, {}, "maxInFlight"),
        ({}, {}, "workloads[0].maxInFlight"),
        ({"qps": 5}, {}, "workloads[0].burst"),
        ({"qps": 5, "duration": "1m"}, {}, "replicas"),
        ({}, {}, "workloads[0].iterationCount"),
    ],
)
def test_a_value_with_an_effect_is_not_refused(
    tmp_path: Path, keys: dict[str, Any], limits: dict[str, Any], vary: str
) -> None:
    opened = begin(write(tmp_path, keys, **limits), 12, 40, vary)
    assert opened.document.notes == ()


@pytest.mark.parametrize("background", [True, False])
def test_only_workloads_that_go_on_beside_each_other_are_counted_together(
    tmp_path: Path, background: bool
) -> None:
    first = {"qps": 25, "burst": 1, "background": background}
    file = write(tmp_path, first, {"qps": 20, "burst": 1})
    if background:
        assert begin(file, 12, 40, LIMITED).document.steps == []
    else:
        assert "no more than 25 requests a second are due" in refused(file, 12, 40, LIMITED)


def test_workloads_on_which_a_value_has_no_effect_are_named_where_it_has_one_on_others(
    tmp_path: Path,
) -> None:
    few = {"objects": [pods(20, "few")], "burst": 15}
    (note,) = begin(write(tmp_path, {"burst": 1}, few), 12, 40).document.notes
    assert "workload.yaml:" in note
    assert "workloads[1].burst: at 40/s the rate is hardly offered" in note
    assert "5 of its requests come after its burst, 15 at once" in note


def test_operations_are_counted_by_what_they_are_done_to(tmp_path: Path) -> None:
    made = {"objects": [pods(20, "few")], "qps": 100}
    (tmp_path / "patch.yaml").write_text("metadata: {labels: {a: b}}\n")
    patched = {
        "operation": "patch", "targets": {"workload": "load-0"},
        "patch": {"templateFile": "patch.yaml"},
    }  # fmt: skip
    message = refused(write(tmp_path, made, patched), 12, 40, "workloads[1].qps")
    assert "workloads[1].targets: at qps=12 the rate is hardly offered" in message
    assert "8 of its requests come after its burst" in message


def test_a_value_that_the_file_has_and_that_cannot_be_raised_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, {"iterationCount": MAX_COUNT})
    with pytest.raises(UsageError, match="nothing changes with it"):
        begin(file, MAX_COUNT, None, "workloads[0].iterationCount")

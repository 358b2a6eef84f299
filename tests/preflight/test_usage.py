"""What a run asks of a namespace at the same time: neither too much, nor twice."""

from pathlib import Path
from typing import Any

import pytest
from clusters import CONFIGMAPS, PODS, VMIS
from workloads import config, objects, template, workload

from perfscale.kube.resources import NAMESPACES
from perfscale.preflight.quota.usage import usage_of
from perfscale.templates import TemplateDefaults, compile_templates

RESOURCES = {(each.api_version, each.kind): each for each in (CONFIGMAPS, PODS, VMIS, NAMESPACES)}
GROWING = """\
apiVersion: v1
kind: Pod
metadata: {name: "pod-{{ iteration }}-{{ replica }}", namespace: %s}
spec: {containers: [{resources: {requests: {cpu: "{{ replica * 10 }}m"}}}]}
"""


def peaks(*workloads: dict[str, Any], namespaces: tuple[str, ...]) -> dict[str, dict[str, str]]:
    factories = compile_templates(
        config(*workloads), run_id="some-run", defaults=TemplateDefaults()
    )
    usage = usage_of(factories, RESOURCES, namespaces)
    return {
        namespace: {name: f"{amount.normalize():f}" for name, amount in asked.items()}
        for namespace, asked in usage.peaks.items()
    }


def configmaps(count: int, **keys: Any) -> dict[str, Any]:
    return workload(objects("configmap.yaml", count), **keys)


@pytest.mark.parametrize(
    ("keys", "most"),
    [
        ({}, 5),
        ({"iterationDeletionWait": False}, 5),
        ({"iterationCleanup": False, "iterationDeletionWait": False}, 15),
        ({"namespacedIterations": True}, 5),
    ],
)
def test_iterations_add_up_only_where_nothing_is_deleted(keys: dict[str, Any], most: int) -> None:
    found = peaks(configmaps(5, iterationCount=3, **keys), namespaces=("density-1",))
    assert found["density-1"]["configmaps"] == str(most)


def test_what_one_workload_leaves_is_there_while_the_next_one_runs() -> None:
    kept = {"iterationCleanup": False, "iterationDeletionWait": False}
    first = workload(objects("configmap.yaml", 4), name="first", **kept)
    second = workload(objects("pod.yaml", 3), objects(count=2), name="second")
    third = workload(objects("pod.yaml", 2), name="third")
    found = peaks(first, second, third, namespaces=("density-1",))["density-1"]
    assert found["configmaps"] == "4"
    # Three pods, and one for each instance.
    assert (found["pods"], found["count/pods"]) == ("5", "5")
    assert found["requests.cpu"] == "0.203"


def test_only_namespaces_that_are_asked_about_are_counted(tmp_path: Path) -> None:
    text = GROWING % "their-{{ replica % 2 }}"
    found = peaks(workload(objects(template(tmp_path, text), 5)), namespaces=("their-1",))
    assert found == {
        "their-1": {
            "count/pods": "3",
            "pods": "3",
            "requests.cpu": "0.09",
            "cpu": "0.09",
        }
    }


def test_of_a_large_workload_the_least_of_a_sample_counts_for_the_rest(tmp_path: Path) -> None:
    text = GROWING % "density-1"
    load = workload(objects(template(tmp_path, text), 100_000))
    found = peaks(load, namespaces=("density-1",))["density-1"]
    assert found["pods"] == "100000"
    # The first two and the last two as they are, and the others as much as the first.
    assert found["requests.cpu"] == "2999.98"


def test_of_a_large_workload_in_changing_namespaces_only_the_sample_counts(
    tmp_path: Path,
) -> None:
    text = GROWING % "their-{{ replica % 2 }}"
    load = workload(objects(template(tmp_path, text), 100_000))
    assert peaks(load, namespaces=("their-1",))["their-1"]["pods"] == "2"

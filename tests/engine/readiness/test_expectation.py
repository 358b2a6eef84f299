"""``readyWhen`` and ``failedWhen``, judged as kubectl does."""

from typing import Any

import pytest
from readings import condition, judge

from perfscale.config.sections.objects import ObjectSpec
from perfscale.engine.tracking.readiness import is_created_ready
from perfscale.engine.tracking.readiness.expectation import Expectation
from perfscale.kube.resources import Resource

JSON = dict[str, Any]

READY: JSON = {"status": {"conditions": [condition("Ready"), condition("Synced", "False")]}}
BOUND: JSON = {"status": {"phase": "Bound", "replicas": 3, "done": True, "ports": [80, 443]}}


@pytest.mark.parametrize(
    "form",
    ["condition=Ready", "condition=ready", "condition=Ready=true", "condition=Synced=False"],
)
def test_a_condition_is_met_whatever_its_case(form: str) -> None:
    reading = judge(READY, readyWhen=form)
    assert (reading.ready, reading.detail) == (True, None)


@pytest.mark.parametrize(
    ("document", "form", "detail"),
    [
        (
            READY,
            "condition=Available",
            "condition Available was absent; conditions seen: Ready=True, Synced=False",
        ),
        ({}, "condition=Ready", "condition Ready was absent; no conditions were seen"),
        (
            {"status": {"conditions": "none"}},
            "condition=Ready",
            "condition Ready was absent; no conditions were seen",
        ),
        (
            {"status": {"conditions": [condition("Ready", "False", reason="A", message="b")]}},
            "condition=Ready",
            "condition Ready is False, not True (A: b)",
        ),
        (
            {"metadata": {"generation": 2}, "status": {**READY["status"], "observedGeneration": 1}},
            "condition=Ready",
            "condition Ready is of generation 1, and the object is at 2",
        ),
        (
            {
                "metadata": {"generation": 2},
                "status": {"conditions": [condition("Ready", observedGeneration=1)]},
            },
            "condition=Ready",
            "condition Ready is of generation 1, and the object is at 2",
        ),
        (
            BOUND,
            "jsonpath={.status.phase}=Ready",
            'jsonpath {.status.phase} is "Bound", not "Ready"',
        ),
        (
            BOUND,
            "jsonpath={.status.state}=Ready",
            "jsonpath {.status.state} leads to nothing; .status has phase, replicas, done, ports",
        ),
        (
            {},
            "jsonpath={.status.state}",
            "jsonpath {.status.state} leads to nothing; the object has no status",
        ),
        (
            BOUND,
            "jsonpath={.status.ports[*]}=80",
            "jsonpath {.status.ports[*]} leads to 2 values, and one is compared",
        ),
        (
            BOUND,
            "jsonpath={.status.ports}=80",
            "jsonpath {.status.ports} leads to a mapping or a list, which has no value to compare",
        ),
        (BOUND, "jq={.replicas}=3", 'jq={.replicas}=3 gives 3, not "3"'),
        (BOUND, "jq={.none | length}=x", 'jq={.none | length}=x gives 0, not "x"'),
        (BOUND, "jq={.phase | .[0]}=x", 'jq={.phase | .[0]}=x gives nothing, not "x"'),
        ({}, "jq={.phase}=x", "the object has no status"),
        (
            {"data": {"password": "aGlkZGVu"}},
            "jsonpath={.data.password}=b3Blbg==",
            "jsonpath {.data.password} has another value",
        ),
    ],
)
def test_what_is_not_met_says_what_was_there_instead(
    document: JSON, form: str, detail: str
) -> None:
    reading = judge(document, readyWhen=form)
    assert (reading.ready, reading.failure, reading.detail) == (False, None, detail)


@pytest.mark.parametrize(
    "form",
    [
        "jsonpath={.status.phase}=Bound",
        "jsonpath=.status.phase=Bound",
        "jsonpath='{.status.phase}'=Bound",
        "jsonpath=status.phase='Bound'",
        "jsonpath={.status.phase}",
        "jsonpath={.status.replicas}=3",
        "jsonpath={.status.done}=true",
        "jsonpath={.status.ports[-1]}=443",
        "jsonpath={.metadata.annotations.example\\.com/state}=up",
        "jsonpath={.metadata.labels['app']}=web",
        'jsonpath={.status.conditions[?(@.type=="Ready")].status}=True',
        "jq={.phase}=Bound",
        "jq={.replicas > 2 | tostring}=true",
        "jq=.conditions[].status=True",
        "create",
    ],
)
def test_a_path_is_met_with_and_without_braces_and_value(form: str) -> None:
    metadata = {"annotations": {"example.com/state": "up"}, "labels": {"app": "web"}}
    status = {**BOUND["status"], **READY["status"]}
    assert judge({"metadata": metadata, "status": status}, readyWhen=form).ready


def test_everything_of_a_list_has_to_be_so_and_what_is_not_is_named() -> None:
    forms = ["condition=Ready", "jsonpath={.status.phase}=Bound", "condition=Synced"]
    reading = judge({"status": {**READY["status"], "phase": "Pending"}}, readyWhen=forms)
    assert reading.detail == (
        'jsonpath {.status.phase} is "Pending", not "Bound"; condition Synced is False, not True'
    )


def test_one_of_a_list_is_enough_to_fail_and_says_why() -> None:
    failed = condition("Failed", reason="OutOfSpace", message="the disk is full")
    forms = ["jsonpath={.status.phase}=Error", "condition=Failed"]
    reading = judge({"status": {"conditions": [failed]}}, failedWhen=forms)
    assert reading.failure == "failedWhen: condition=Failed (OutOfSpace: the disk is full)"


PVC = {"group": "", "plural": "persistentvolumeclaims"}
VMI = {"group": "kubevirt.io", "plural": "virtualmachineinstances"}


def test_each_of_the_two_stands_in_the_place_of_its_half_of_the_kinds_rule() -> None:
    lost, pending = {"status": {"phase": "Lost"}}, {"status": {"phase": "Pending"}}
    assert judge(lost, readyWhen="condition=Ready", **PVC).failure is not None
    assert judge(lost, failedWhen="jsonpath={.status.phase}=Pending", **PVC).failure is None
    reading = judge(pending, failedWhen="jsonpath={.status.phase}=Pending", **PVC)
    assert reading.failure == "failedWhen: jsonpath={.status.phase}=Pending"


def test_an_end_that_is_waited_for_is_no_failure() -> None:
    document = {"status": {"phase": "Succeeded"}}
    reading = judge(document, readyWhen="jsonpath={.status.phase}=Succeeded", **VMI)
    assert (reading.ready, reading.failure) == (True, None)


def test_a_vmi_keeps_its_phase_its_milestones_and_its_reasons() -> None:
    unschedulable = condition("PodScheduled", "False", reason="Unschedulable")
    status = {"phase": "Scheduling", "conditions": [unschedulable]}
    reading = judge({"status": status}, readyWhen="condition=AgentConnected", **VMI)
    assert (reading.phase, reading.detail) == (
        "Scheduling",
        "condition AgentConnected was absent; conditions seen: PodScheduled=False; Unschedulable",
    )
    connected = {"phase": "Running", "conditions": [condition("AgentConnected")]}
    reading = judge({"status": connected}, readyWhen="condition=AgentConnected", **VMI)
    assert (reading.ready, reading.milestones) == (True, ("AgentConnected",))


@pytest.mark.parametrize(
    ("plural", "keys", "ready"),
    [
        ("configmaps", {}, True),
        ("configmaps", {"readyWhen": "create"}, True),
        ("configmaps", {"readyWhen": ["create", "jsonpath={.data.a}"]}, False),
        ("configmaps", {"failedWhen": "jsonpath={.data.b}"}, True),
        ("pods", {"readyWhen": "create"}, True),
        ("pods", {"failedWhen": "condition=Bad"}, False),
    ],
)
def test_only_create_and_kinds_without_a_rule_are_ready_with_their_answer(
    plural: str, keys: JSON, ready: bool
) -> None:
    spec = ObjectSpec.model_validate({"templateFile": "a.yaml", **keys})
    expected = Expectation(spec.ready_when, spec.failed_when) if keys else None
    resource = Resource("", "v1", plural, "Kind", namespaced=True)
    assert is_created_ready(resource, expected) is ready

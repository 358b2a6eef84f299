from typing import Any

import msgspec
import pytest

from perfscale.config.sections.metrics import METRICS, MILESTONES_OF, Latency
from perfscale.engine.tracking.readiness import Reading, rule_for
from perfscale.kube.resources import Resource


def read(plural: str, document: dict[str, Any], *, group: str = "kubevirt.io") -> Reading:
    rule = rule_for(Resource(group, "v1", plural, "Kind", namespaced=True))
    document = {"metadata": {"name": "a", "uid": "u"}, **document}
    assert rule.read is not None
    return rule.read(msgspec.json.decode(msgspec.json.encode(document), type=rule.decoder))


@pytest.mark.parametrize("phase", [None, "Pending", "Scheduling", "Scheduled", "Unknown"])
def test_a_vmi_on_its_way_is_neither_ready_nor_failed(phase: str | None) -> None:
    reading = read("virtualmachineinstances", {"status": {"phase": phase}})
    assert (reading.phase, reading.ready, reading.failure) == (phase, False, None)


def test_a_vmi_without_a_status_is_on_its_way() -> None:
    assert read("virtualmachineinstances", {}) == Reading()


def test_a_running_vmi_is_ready() -> None:
    assert read("virtualmachineinstances", {"status": {"phase": "Running"}}).ready


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_vmi_that_has_ended_has_failed(phase: str) -> None:
    reading = read("virtualmachineinstances", {"status": {"phase": phase, "reason": "Evicted"}})
    assert reading.failure == f"it ended in phase {phase} (Evicted)"


def test_a_vmi_that_waits_says_why() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }
    status = {"phase": "Scheduling", "conditions": [condition]}
    reading = read("virtualmachineinstances", {"status": status})
    assert reading.detail == "Unschedulable: 0/3 nodes are available"


def test_a_vmi_without_a_node_says_that_and_not_that_it_does_not_run() -> None:
    conditions = [
        {"type": "Ready", "status": "False", "reason": "GuestNotRunning"},
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"},
    ]
    status = {"phase": "Scheduling", "conditions": conditions}
    assert read("virtualmachineinstances", {"status": status}).detail == "Unschedulable"


def test_a_vmi_keeps_the_servers_own_phase_times() -> None:
    stamp = {"phase": "Running", "phaseTransitionTimestamp": "2026-01-01T00:00:05Z"}
    status = {"phase": "Running", "phaseTransitionTimestamps": [stamp]}
    reading = read("virtualmachineinstances", {"status": status})
    assert reading.stamps == (("Running", "2026-01-01T00:00:05Z"),)


def test_a_vmi_comes_to_its_milestones_one_by_one() -> None:
    def milestones(interface: dict[str, Any], **conditions: str) -> tuple[str, ...]:
        listed = [{"type": name, "status": status} for name, status in conditions.items()]
        status = {"phase": "Running", "conditions": listed, "interfaces": [interface]}
        return read("virtualmachineinstances", {"status": status}).milestones

    assert milestones({"name": "default"}, Ready="False") == ()
    assert milestones({"ipAddress": "10.0.0.1"}, Ready="False") == ("IP",)
    assert milestones({"ipAddress": "", "name": "default"}, Ready="False") == ()
    assert milestones({}, Ready="True", AgentConnected="True") == (
        "ReadyCondition",
        "AgentConnected",
    )


def test_a_vmi_whose_conditions_are_no_list_has_no_milestones() -> None:
    status = {"phase": "Running", "conditions": "?", "interfaces": 3}
    assert read("virtualmachineinstances", {"status": status}).milestones == ()


def test_a_vm_is_ready_when_its_status_says_so() -> None:
    status = {"ready": True, "printableStatus": "Running"}
    assert read("virtualmachines", {"spec": {"running": True}, "status": status}).ready


def test_a_vm_that_starts_is_not_ready() -> None:
    status = {"printableStatus": "Starting"}
    reading = read("virtualmachines", {"spec": {"runStrategy": "Always"}, "status": status})
    assert (reading.phase, reading.ready) == ("Starting", False)


@pytest.mark.parametrize("spec", [{"running": False}, {"runStrategy": "Halted"}])
def test_a_vm_that_should_not_run_is_ready_once_it_is_stopped(spec: dict[str, Any]) -> None:
    assert not read("virtualmachines", {"spec": spec}).ready
    assert read("virtualmachines", {"spec": spec, "status": {"printableStatus": "Stopped"}}).ready


@pytest.mark.parametrize(
    ("spec", "status", "ready"),
    [
        ({"replicas": 3}, {"readyReplicas": 3}, True),
        ({"replicas": 3}, {"readyReplicas": 2}, False),
        ({"replicas": 3}, {}, False),
        ({}, {"readyReplicas": 1}, True),
        ({"replicas": 0}, {}, True),
    ],
)
def test_a_replica_set_is_ready_with_as_many_ready_vmis_as_it_should_have(
    spec: dict[str, Any], status: dict[str, Any], ready: bool
) -> None:
    reading = read("virtualmachineinstancereplicasets", {"spec": spec, "status": status})
    assert reading.ready is ready


def test_a_vm_without_a_node_says_what_the_scheduler_says_of_its_instance() -> None:
    conditions = [
        {"type": "Ready", "status": "False", "reason": "GuestNotRunning"},
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/3 nodes are available",
        },
    ]
    status = {"printableStatus": "ErrorUnschedulable", "conditions": conditions}
    reading = read("virtualmachines", {"spec": {"running": True}, "status": status})
    assert reading.detail == "Unschedulable: 0/3 nodes are available"


def test_a_replica_set_that_cannot_make_its_vmis_says_why() -> None:
    conditions = [
        {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": "exceeded quota",
        },
    ]
    reading = read("virtualmachineinstancereplicasets", {"status": {"conditions": conditions}})
    assert reading.detail == "FailedCreate: exceeded quota"


def test_a_replica_set_that_no_controller_has_looked_at_is_not_ready() -> None:
    assert not read("virtualmachineinstancereplicasets", {"spec": {"replicas": 0}}).ready


@pytest.mark.parametrize(
    ("phase", "condition", "ready", "failed"),
    [
        ("Pending", "False", False, False),
        ("Running", "False", False, False),
        ("Running", "True", True, False),
        ("Succeeded", "False", True, False),
        ("Failed", "False", False, True),
    ],
)
def test_a_pod_is_ready_when_it_runs_and_says_so_or_has_run_to_its_end(
    phase: str, condition: str, ready: bool, failed: bool
) -> None:
    status = {"phase": phase, "conditions": [{"type": "Ready", "status": condition}]}
    reading = read("pods", {"status": status}, group="")
    assert reading.ready is ready
    assert (reading.failure is not None) is failed


def test_the_conditions_of_a_pod_are_its_milestones_and_the_same_ones_the_same_object() -> None:
    def reading(*true: str) -> tuple[str, ...]:
        conditions = [{"type": kind, "status": "True"} for kind in true]
        conditions.append({"type": "ContainersReady", "status": "False"})
        return read("pods", {"status": {"conditions": conditions}}, group="").milestones

    assert reading() == ()
    assert reading("Initialized", "PodScheduled", "Other") == ("PodScheduled", "Initialized")
    assert reading("Initialized", "PodScheduled") is reading("PodScheduled", "Initialized")


def test_a_migration_is_ready_when_it_has_succeeded() -> None:
    assert read("virtualmachineinstancemigrations", {"status": {"phase": "Succeeded"}}).ready
    assert read("virtualmachineinstancemigrations", {"status": {"phase": "Failed"}}).failure


def test_a_kind_without_readiness_has_no_rule_to_read() -> None:
    assert rule_for(Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)).read is None


def test_a_rule_holds_for_every_version_of_its_api() -> None:
    versions = [
        Resource("kubevirt.io", version, "virtualmachineinstances", "X", namespaced=True)
        for version in ("v1", "v1alpha3")
    ]
    assert rule_for(versions[0]) is rule_for(versions[1])


@pytest.mark.parametrize(
    ("group", "plural", "kind"),
    [
        ("kubevirt.io", "virtualmachineinstances", "VirtualMachineInstance"),
        ("kubevirt.io", "virtualmachines", "VirtualMachine"),
        ("kubevirt.io", "virtualmachineinstancereplicasets", "VirtualMachineInstanceReplicaSet"),
        ("kubevirt.io", "virtualmachineinstancemigrations", "VirtualMachineInstanceMigration"),
        ("", "pods", "Pod"),
    ],
)
def test_every_phase_on_the_way_to_readiness_can_have_a_threshold(
    group: str, plural: str, kind: str
) -> None:
    of_kind = [metric for metric in METRICS.values() if metric.kind == kind]
    path = rule_for(Resource(group, "v1", plural, kind, namespaced=True)).path
    milestones = MILESTONES_OF.get(kind, ())
    first = [metric.latency for metric in of_kind if not metric.churn]
    assert first == [Latency.CREATION, *path, Latency.READY, *milestones, Latency.DELETION]
    churned = [metric.latency for metric in of_kind if metric.churn]
    assert churned == [Latency.CREATION, *path, Latency.READY, Latency.DELETION]

from datetime import UTC, datetime
from typing import Any

from perfscale.sim.controllers.actions import Delete, UpdateStatus
from perfscale.sim.controllers.cache import Cache
from perfscale.sim.controllers.kubevirt.pod import PodController
from perfscale.sim.latency import Stage

JSON = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEDULED = {"type": "PodScheduled", "status": "True"}


def pod(status: JSON | None = None, **metadata: object) -> JSON:
    return {
        "metadata": {"namespace": "load", "name": "pod-1", "uid": "pod-uid", **metadata},
        "spec": {"containers": [{"name": "main", "image": "registry/pause:3"}]},
        "status": status or {},
    }


def started(status: JSON | None = None) -> JSON:
    told = {"conditions": [SCHEDULED], **(status or {})}
    (action,) = PodController().act(pod(told), Cache(lambda: 0.0), NOW)
    assert isinstance(action, UpdateStatus)
    result: JSON = action.obj["status"]
    return result


def test_a_pending_pod_runs_after_a_while() -> None:
    assert PodController().stage(pod()) is Stage.POD_SCHEDULING
    assert PodController().stage(pod({"phase": "Pending"})) is Stage.POD_SCHEDULING
    scheduled = pod({"phase": "Pending", "conditions": [SCHEDULED]})
    assert PodController().stage(scheduled) is Stage.POD_STARTING
    assert started()["phase"] == "Running"


def test_a_pod_of_a_cluster_without_nodes_is_let_go_without_one() -> None:
    (action,) = PodController().act(pod(), Cache(lambda: 0.0), NOW)
    assert isinstance(action, UpdateStatus)
    (said,) = action.obj["status"]["conditions"]
    assert (said["type"], said["status"]) == ("PodScheduled", "True")


def test_a_running_pod_is_ready_and_has_addresses() -> None:
    status = started({"phase": "Pending", "qosClass": "BestEffort"})
    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert conditions["Ready"] == conditions["PodScheduled"] == "True"
    assert status["podIPs"] == [{"ip": status["podIP"]}]
    assert status["hostIP"].startswith("192.168.")
    assert status["startTime"] == "2026-03-01T12:00:00Z"
    assert status["qosClass"] == "BestEffort"


def test_its_containers_run() -> None:
    (container,) = started()["containerStatuses"]
    assert (container["name"], container["image"]) == ("main", "registry/pause:3")
    assert container["ready"] is True
    assert container["state"] == {"running": {"startedAt": "2026-03-01T12:00:00Z"}}


def test_a_running_or_finished_pod_is_left_alone() -> None:
    assert PodController().stage(pod({"phase": "Running"})) is None
    assert PodController().stage(pod({"phase": "Failed"})) is None


def test_a_deleted_pod_is_removed_once_its_containers_have_stopped() -> None:
    deleted = pod({"phase": "Running"}, deletionTimestamp="x")
    assert PodController().stage(deleted) is Stage.POD_STOPPING
    (action,) = PodController().act(deleted, Cache(lambda: 0.0), NOW)
    assert isinstance(action, Delete)
    assert action.grace_period_s == 0

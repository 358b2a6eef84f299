"""Kubernetes' own workloads, with objects as its API server has them."""

from typing import Any

import pytest
from readings import condition, read

JSON = dict[str, Any]

ROLLED_OUT: JSON = {
    "observedGeneration": 2,
    "replicas": 3,
    "updatedReplicas": 3,
    "readyReplicas": 3,
    "availableReplicas": 3,
    "conditions": [
        condition("Available", reason="MinimumReplicasAvailable"),
        condition("Progressing", reason="NewReplicaSetAvailable"),
    ],
}


def deployment(generation: int = 2, **status: Any) -> JSON:
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": 3, "strategy": {"type": "RollingUpdate"}},
        "status": {**ROLLED_OUT, **status},
    }


def test_a_deployment_is_ready_when_it_is_rolled_out() -> None:
    reading = read("apps", "deployments", deployment())
    assert (reading.ready, reading.failure, reading.detail) == (True, None, None)


@pytest.mark.parametrize(
    ("obj", "detail"),
    [
        (deployment(3), "its controller has not seen its spec yet"),
        ({"metadata": {"generation": 1}}, "its controller has not seen its spec yet"),
        (deployment(updatedReplicas=1), "1 of 3 replicas are updated"),
        (deployment(replicas=4), "1 old replicas are still there"),
        (deployment(availableReplicas=2), "2 of 3 replicas are available"),
        (
            deployment(
                availableReplicas=0,
                conditions=[condition("ReplicaFailure", reason="FailedCreate", message="quota")],
            ),
            "FailedCreate: quota",
        ),
    ],
)
def test_a_deployment_that_is_not_rolled_out_says_what_is_missing(obj: JSON, detail: str) -> None:
    reading = read("apps", "deployments", obj)
    assert (reading.ready, reading.failure, reading.detail) == (False, None, detail)


def test_a_deployment_fails_by_its_progress_deadline_as_kubectl_says() -> None:
    late = condition(
        "Progressing",
        "False",
        reason="ProgressDeadlineExceeded",
        message='ReplicaSet "a" timed out',
    )
    reading = read("apps", "deployments", deployment(updatedReplicas=1, conditions=[late]))
    assert reading.failure == 'it exceeded its progress deadline (ReplicaSet "a" timed out)'
    behind = read("apps", "deployments", deployment(3, conditions=[late]))
    assert behind.failure is None


def stateful(status: JSON, generation: int = 1, **strategy: Any) -> JSON:
    strategy = strategy or {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    known = {"observedGeneration": 1, "currentRevision": "a-1", "updateRevision": "a-1"}
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": 3, "updateStrategy": strategy},
        "status": {**known, **status},
    }


@pytest.mark.parametrize(
    ("obj", "ready"),
    [
        (stateful({"readyReplicas": 3, "updatedReplicas": 3}), True),
        (stateful({"readyReplicas": 2, "updatedReplicas": 3}), False),
        (stateful({"readyReplicas": 3, "updatedReplicas": 2}), False),
        (stateful({"readyReplicas": 3, "updatedReplicas": 3}, generation=2), False),
        (stateful({"readyReplicas": 3}, type="OnDelete"), True),
        (
            stateful(
                {"readyReplicas": 3, "updatedReplicas": 1},
                type="RollingUpdate",
                rollingUpdate={"partition": 2},
            ),
            True,
        ),
        (
            stateful({"readyReplicas": 3, "updateRevision": "a-2"}, type="RollingUpdate"),
            False,
        ),
        ({"metadata": {"generation": 1}, "spec": {"replicas": 0}}, False),
    ],
)
def test_a_stateful_set_is_ready_as_kubectl_judges_its_rollout(obj: JSON, ready: bool) -> None:
    reading = read("apps", "statefulsets", obj)
    assert reading.ready is ready
    assert (reading.detail is None) is ready


@pytest.mark.parametrize(
    ("group", "plural"), [("apps", "replicasets"), ("", "replicationcontrollers")]
)
@pytest.mark.parametrize(
    ("generation", "replicas", "available", "ready"),
    [(1, 2, 2, True), (1, 2, 1, False), (1, 3, 3, False), (2, 2, 2, False)],
)
def test_a_set_is_ready_with_as_many_available_as_it_wants(
    group: str, plural: str, generation: int, replicas: int, available: int, ready: bool
) -> None:
    status = {"observedGeneration": 1, "replicas": replicas, "availableReplicas": available}
    obj = {"metadata": {"generation": generation}, "spec": {"replicas": 2}, "status": status}
    assert read(group, plural, obj).ready is ready


@pytest.mark.parametrize(
    ("generation", "updated", "available", "detail"),
    [
        (1, 5, 5, None),
        (1, 4, 5, "4 of 5 pods are updated"),
        (1, 5, 4, "4 of 5 pods are available"),
        (2, 5, 5, "its controller has not seen its spec yet"),
    ],
)
def test_a_daemon_set_is_ready_when_it_is_on_every_node(
    generation: int, updated: int, available: int, detail: str | None
) -> None:
    status = {
        "observedGeneration": 1,
        "desiredNumberScheduled": 5,
        "currentNumberScheduled": 5,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberReady": available,
    }
    reading = read("apps", "daemonsets", {"metadata": {"generation": generation}, "status": status})
    assert (reading.ready, reading.detail) == (detail is None, detail)


def test_a_job_is_ready_when_it_is_complete_and_not_before() -> None:
    spec = {"completions": 3}
    working = {"active": 2, "succeeded": 1, "failed": 1}
    reading = read("batch", "jobs", {"spec": spec, "status": working})
    assert (reading.ready, reading.detail) == (False, "1 of 3 pods have succeeded, 1 have failed")
    met = condition("SuccessCriteriaMet", reason="CompletionsReached")
    done = {"succeeded": 3, "conditions": [met, condition("Complete")]}
    assert read("batch", "jobs", {"spec": spec, "status": done}).ready
    assert not read("batch", "jobs", {"spec": spec, "status": {"conditions": [met]}}).ready


def test_a_job_that_failed_says_why() -> None:
    why = condition("Failed", reason="BackoffLimitExceeded", message="it reached its backoff limit")
    reading = read("batch", "jobs", {"status": {"failed": 7, "conditions": [why]}})
    assert reading.failure == "the job failed (BackoffLimitExceeded: it reached its backoff limit)"


def test_a_suspended_job_says_so() -> None:
    reading = read("batch", "jobs", {"spec": {"suspend": True}})
    assert (reading.ready, reading.detail) == (False, "it is suspended (spec.suspend)")

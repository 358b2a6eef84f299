"""Claims, data volumes and snapshots, with objects as their controllers write them."""

from typing import Any

import pytest
from readings import condition, read

CDI = "cdi.kubevirt.io"


@pytest.mark.parametrize(
    ("phase", "ready", "failure"),
    [
        ("Pending", False, None),
        ("Bound", True, None),
        ("Lost", False, "it ended in phase Lost"),
    ],
)
def test_a_claim_is_ready_when_it_is_bound_and_fails_when_it_is_lost(
    phase: str, ready: bool, failure: str | None
) -> None:
    reading = read("", "persistentvolumeclaims", {"status": {"phase": phase}})
    assert (reading.phase, reading.ready, reading.failure) == (phase, ready, failure)


def test_a_claim_that_is_not_bound_says_what_it_may_wait_for() -> None:
    reading = read("", "persistentvolumeclaims", {"status": {"phase": "Pending"}})
    assert reading.detail is not None
    assert "WaitForFirstConsumer" in reading.detail


@pytest.mark.parametrize("phase", [None, "Pending", "ImportInProgress", "CloneScheduled", "Paused"])
def test_a_data_volume_on_its_way_is_neither_ready_nor_failed(phase: str | None) -> None:
    reading = read(CDI, "datavolumes", {"status": {"phase": phase, "progress": "12.5%"}})
    assert (reading.phase, reading.ready, reading.failure) == (phase, False, None)


def test_a_data_volume_is_ready_when_it_has_succeeded() -> None:
    conditions = [condition("Ready"), condition("Running", "False", reason="Completed")]
    status = {"phase": "Succeeded", "progress": "100.0%", "conditions": conditions}
    reading = read(CDI, "datavolumes", {"status": status})
    assert (reading.ready, reading.failure) == (True, None)


def test_a_data_volume_that_failed_says_why() -> None:
    why = condition("Running", "False", reason="Error", message="Unable to connect to http")
    reading = read(CDI, "datavolumes", {"status": {"phase": "Failed", "conditions": [why]}})
    assert reading.failure == "it ended in phase Failed (Error: Unable to connect to http)"


@pytest.mark.parametrize("phase", ["WaitForFirstConsumer", "PendingPopulation"])
def test_a_data_volume_that_waits_for_its_first_pod_says_so_and_what_to_write(phase: str) -> None:
    reading = read(CDI, "datavolumes", {"status": {"phase": phase}})
    assert (reading.ready, reading.failure) == (False, None)
    assert reading.detail is not None
    assert reading.detail.startswith("it stays there until a pod uses it")
    assert f"readyWhen: jsonpath={{.status.phase}}={phase}" in reading.detail


@pytest.mark.parametrize(
    ("plural", "kind"), [("datasources", "Ready"), ("dataimportcrons", "UpToDate")]
)
def test_a_source_is_ready_by_its_condition(plural: str, kind: str) -> None:
    assert read(CDI, plural, {"status": {"conditions": [condition(kind)]}}).ready
    waiting = condition(kind, "False", reason="NotFound", message="PVC not found")
    reading = read(CDI, plural, {"status": {"conditions": [waiting]}})
    assert (reading.ready, reading.detail) == (False, "NotFound: PVC not found")
    assert read(CDI, plural, {}).detail == f"its condition {kind} is not True"


@pytest.mark.parametrize(
    ("status", "ready", "detail"),
    [
        ({"readyToUse": True, "restoreSize": "1Gi"}, True, None),
        ({"readyToUse": False}, False, None),
        ({}, False, None),
        (
            {"readyToUse": False, "error": {"message": "no class", "time": "2026-01-01T00:00:00Z"}},
            False,
            "no class",
        ),
    ],
)
def test_a_volume_snapshot_is_ready_to_use_or_not_and_its_errors_may_heal(
    status: dict[str, Any], ready: bool, detail: str | None
) -> None:
    reading = read("snapshot.storage.k8s.io", "volumesnapshots", {"status": status})
    assert (reading.ready, reading.failure, reading.detail) == (ready, None, detail)

"""Which images are on which nodes, as the pods that pull them say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from perfscale.engine.preload.pulls import ImagePulls, PullingPod

IMAGES = ("quay.io/a:1", "quay.io/b:1")


def pod(node: str | None, *containers: dict[str, Any], uid: str = "") -> PullingPod:
    """A pod as the server writes it."""
    written = {
        "metadata": {"uid": uid or f"on-{node}", "name": f"pull-{node}", "resourceVersion": "1"},
        "spec": {"nodeName": node},
        "status": {
            "containerStatuses": [
                {"name": f"image-{number}", "imageID": "", **each}
                for number, each in enumerate(containers)
            ]
        },
    }
    return msgspec.convert(written, PullingPod)


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


PULLED = {"imageID": "quay.io/a@sha256:1", **waiting("CrashLoopBackOff")}


@pytest.mark.parametrize(
    "container",
    [
        PULLED,
        waiting("RunContainerError"),
        waiting("CreateContainerError"),
        {"state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}},
        {"state": {"terminated": {"exitCode": 128, "reason": "StartError"}}},
    ],
)
def test_an_image_is_there_once_its_container_got_as_far_as_being_started(
    container: dict[str, Any],
) -> None:
    pulls = ImagePulls(IMAGES)
    pulls.observe("ADDED", pod("n1", container, container))
    assert pulls.complete(1)
    assert not pulls.complete(2)


@pytest.mark.parametrize("reason", ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"])
def test_an_image_is_not_there_before(reason: str) -> None:
    pulls = ImagePulls(IMAGES)
    pulls.observe("ADDED", pod("n1", PULLED, waiting(reason)))
    assert not pulls.complete(1)
    assert pulls.describe_missing(1) == f"not on 1 of 1 node: n1 (quay.io/b:1: {reason})"


def test_an_image_stays_though_its_container_is_tried_again() -> None:
    pulls = ImagePulls(IMAGES)
    pulls.observe("ADDED", pod("n1", PULLED, PULLED))
    pulls.observe("MODIFIED", pod("n1", waiting("ContainerCreating"), PULLED))
    assert pulls.complete(1)


def test_nodes_without_a_pod_and_pods_that_are_gone_count_as_missing() -> None:
    pulls = ImagePulls(IMAGES)
    pulls.reconcile([pod("n1", PULLED, PULLED), pod("n2", PULLED, PULLED)])
    pulls.observe("DELETED", pod("n2"))
    assert pulls.describe_missing(3) == "not on 2 of 3 nodes: 2 nodes without a pod yet"


def test_only_some_of_many_nodes_are_named() -> None:
    pulls = ImagePulls(IMAGES[:1])
    pulls.reconcile([pod(f"n{number}", waiting("ErrImagePull")) for number in range(9)])
    assert pulls.describe_missing(9).endswith("n4 (quay.io/a:1: ErrImagePull), 4 more")


def test_nothing_is_complete_before_a_controller_has_counted_the_nodes() -> None:
    pulls = ImagePulls(IMAGES)
    assert not pulls.complete(None)
    assert "no controller" in pulls.describe_missing(None)

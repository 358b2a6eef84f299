"""Records of objects as a test wants them, without a run."""

from __future__ import annotations

from typing import Any

from perfscale.results import ObjectRecord, Outcome


def record(**facts: Any) -> ObjectRecord:
    """A pod of which nothing is known but what is told."""
    unknown: dict[str, Any] = dict.fromkeys(
        ("scheduled_s", "admitted_s", "sent_s", "created_s", "ready_s", "delete_requested_s",
         "deleted_s", "error")
    )  # fmt: skip
    about = {"kind": "Pod", "namespace": "density-1", "name": "pod-1", "uid": "1", "replica": 1}
    belongs = {"workload": "density", "iteration": 1, "outcome": Outcome.READY}
    return ObjectRecord(**{**unknown, **about, **belongs, "phases_s": {}, "server": {}, **facts})

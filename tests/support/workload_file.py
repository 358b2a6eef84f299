"""Workload files as people write them, for tests of the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

WAITING: Final = {
    "iterationCreationWait": True,
    "iterationCleanup": True,
    "iterationDeletionWait": True,
    "maxWaitTimeout": "60s",
}


def entry(template: str, replicas: int, namespace: str, **variables: Any) -> dict[str, Any]:
    """An entry of ``objects``."""
    variables = {"namespace": namespace, "containerImg": "cirros", **variables}
    return {"templateFile": template, "replicas": replicas, "inputVars": variables}


def write_workload(folder: Path, *objects: dict[str, Any], **keys: Any) -> Path:
    """Write a workload file with one workload that waits and cleans up, unless told otherwise."""
    path = folder / "workload.yaml"
    workload = {"name": "density", **WAITING, **keys, "objects": list(objects)}
    path.write_text(yaml.safe_dump({"workloads": [workload]}, sort_keys=False), encoding="utf-8")
    return path

"""Workload files for tests, as programs build them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perfscale.config import Config

ALL_WAITS = {
    "iterationCreationWait": True,
    "iterationCleanup": True,
    "iterationDeletionWait": True,
    "maxWaitTimeout": "60s",
}


def objects(template: str = "vmi-ephemeral.yaml", count: int = 5, **variables: Any) -> Any:
    variables = {"namespace": "density", "containerImg": "cirros", **variables}
    return {"templateFile": template, "replicas": count, "inputVars": variables}


def workload(*members: Any, name: str = "density", **keys: Any) -> dict[str, Any]:
    return {"name": name, **ALL_WAITS, "objects": list(members) or [objects()], **keys}


def config(*workloads: dict[str, Any], **global_config: Any) -> Config:
    return Config.model_validate(
        {"globalConfig": global_config, "workloads": list(workloads) or [workload()]}
    )


def template(directory: Path, text: str, name: str = "template.yaml") -> str:
    """Write a template; returns what ``templateFile`` says."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return str(path)

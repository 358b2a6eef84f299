"""What `deploy/` gives to a cluster, as kubectl makes it."""

import os.path
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from kubectl import find_kubectl
from service_accounts import Rule

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
OVERLAYS: Final = DEPLOY / "overlays"
COMPONENTS: Final = ("results-volume", "summary-json")

JSON = dict[str, Any]


def build(folder: Path) -> list[JSON]:
    """The manifests of a folder with a kustomization; leaves the test out without kubectl."""
    program = find_kubectl()
    if program is None:
        pytest.skip("kubectl is not installed")
    built = subprocess.run(
        [program, "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


def with_components(overlay: str, folder: Path) -> Path:
    """A kustomization in `folder`, as somebody writes one: an overlay with every component."""
    paths = [os.path.relpath(DEPLOY / "components" / each, folder) for each in COMPONENTS]
    resource = os.path.relpath(OVERLAYS / overlay, folder)
    kustomization = {"resources": [resource], "components": paths}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder


def of_kind(manifests: list[JSON], kind: str) -> JSON:
    """The only one of its kind."""
    [found] = [each for each in manifests if each["kind"] == kind]
    return found


def arguments(manifests: list[JSON], workload: Path, namespace: str) -> list[str]:
    """The command line of the Job, for a workload file written to `workload` from the ConfigMap."""
    [text] = [each["data"]["workload.yaml"] for each in manifests if _has_workload(each)]
    workload.write_text(text)
    [container] = of_kind(manifests, "Job")["spec"]["template"]["spec"]["containers"]
    known = {"/workload/workload.yaml": str(workload)}
    return [
        known.get(each, each).replace("$(POD_NAMESPACE)", namespace) for each in container["args"]
    ]


def _has_workload(manifest: JSON) -> bool:
    return manifest["kind"] == "ConfigMap" and "workload.yaml" in manifest["data"]


def permissions(rules: list[Rule]) -> Iterator[tuple[str, str, str]]:
    """Each group, plural and verb that rules permit."""
    for rule in rules:
        for group in rule["apiGroups"]:
            for plural in rule["resources"]:
                yield from ((group, plural, verb) for verb in rule["verbs"])

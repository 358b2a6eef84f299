"""Shipped templates and examples: found in both layouts, and all of them work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from perfscale.config import load_config
from perfscale.errors import PerfscaleError
from perfscale.templates import (
    TemplateDefaults,
    compile_templates,
    default_workload,
    packaged_file,
    packaged_templates,
    render_manifests,
)
from perfscale.templates.packaged import data_root

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = sorted(
    path for path in packaged_file("examples").glob("*/*.yaml") if path.parent.name != "faults"
)
NAMES = {
    "kubevirt-churn": (100, "VirtualMachineInstance"),
    "kubevirt-density": (100, "VirtualMachineInstance"),
    "kubevirt-density-namespaced": (20, "VirtualMachineInstance"),
    "kubevirt-density-scale": (1200, "VirtualMachineInstance"),
    "kubevirt-density-thresholds": (100, "VirtualMachineInstance"),
    "kubevirt-density-warmup": (1, "VirtualMachineInstance"),
    "vm-density": (100, "VirtualMachine"),
    "vmirs-density": (10, "VirtualMachineInstanceReplicaSet"),
}
LOADS = {"boot-storm", "restart-storm", "migration-storm", "read-load", "capacity-ramp"}
"""Those of docs/which-load.md, which do more than create and delete."""


def layout(root: Path) -> Path:
    (root / "templates").mkdir(parents=True)
    (root / "examples").mkdir()
    return root


def test_a_wheel_has_them_inside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "perfscale"
    inside = layout(package / "_data")
    assert data_root(package) == inside


def test_a_checkout_has_them_at_its_top(tmp_path: Path) -> None:
    assert data_root(layout(tmp_path) / "src" / "perfscale") == tmp_path


def test_an_installation_without_them_says_so(tmp_path: Path) -> None:
    with pytest.raises(PerfscaleError, match="are missing") as caught:
        data_root(tmp_path / "src" / "perfscale")
    assert caught.value.hint == "install the package again"


def test_the_default_workload_is_there() -> None:
    assert default_workload() in EXAMPLES


def test_the_examples_are_the_ones_that_are_promised() -> None:
    assert {path.stem for path in EXAMPLES} == NAMES.keys() | LOADS
    assert all(path.parent.name == path.stem for path in EXAMPLES)
    assert all((path.parent / "README.md").is_file() for path in EXAMPLES)


@pytest.mark.parametrize(
    "path", [path for path in EXAMPLES if path.stem in NAMES], ids=lambda path: path.stem
)
def test_every_example_of_creates_compiles(path: Path) -> None:
    count, kind = NAMES[path.stem]
    config = load_config(path)
    factories = compile_templates(config, run_id="run-1", defaults=TemplateDefaults())
    assert {kind for members in factories for f in members for _, kind in f.kinds} == {kind}
    objects = sum(f.spec.replicas * f.workload.iteration_count for m in factories for f in m)
    assert objects == count
    for workload in config.workloads:
        assert workload.qps == 20
        assert workload.iteration_creation_wait
        assert workload.iteration_cleanup
        assert workload.iteration_deletion_wait
    assert render_manifests(factories, 1, 1)


@pytest.mark.parametrize("name", packaged_templates())
@pytest.mark.parametrize("namespaced", [True, False])
def test_every_template_works_with_and_without_a_namespace_for_each_iteration(
    tmp_path: Path, name: str, namespaced: bool
) -> None:
    workload = tmp_path / "workload.yaml"
    entry = {
        "templateFile": f"templates/{name}",
        "replicas": 3,
        "inputVars": {"containerImg": "cirros", "vmis": 2},
    }
    keys = {"iterationCount": 3, "namespacedIterations": namespaced, "objects": [entry]}
    workload.write_text(json.dumps({"workloads": [{"name": "density", **keys}]}), encoding="utf-8")
    ((factory,),) = compile_templates(load_config(workload), run_id="run-1")
    (request,) = factory.render(3, 3)
    assert request.namespace == ("density-3" if namespaced else "density-1")
    body = json.loads(request.body)
    if "cirros" in request.body.decode():
        assert '"image":"registry:5000/kubevirt/cirros:devel"' in request.body.decode()
    selector = body.get("spec", {}).get("selector", {}).get("matchLabels", {})
    if selector:
        assert selector.items() <= body["spec"]["template"]["metadata"]["labels"].items()

"""The run's labels go into every template that is inside of a template."""

from typing import Any

import pytest
from template_folder import Folder

from perfscale.templates.manifests.checks import add_labels, find_flaws
from perfscale.templates.manifests.nested import find_templates, kinds_made

OURS = {"run": "1"}
POD = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}}
CLAIM = {"metadata": {"name": "data"}, "spec": {}}
VM = {"template": {"spec": {}}, "dataVolumeTemplates": [{"metadata": {"name": "disk"}}, CLAIM]}
POOL = {"virtualMachineTemplate": {"metadata": {"labels": {"app": "a"}}, "spec": VM}}
EPHEMERAL = {"volumes": [{"name": "x", "emptyDir": {}}, {"ephemeral": {"volumeClaimTemplate": {}}}]}

CLAIMS = ("v1", "PersistentVolumeClaim")
PODS = ("v1", "Pod")
VMIS = ("kubevirt.io/v1", "VirtualMachineInstance")
VMS = ("kubevirt.io/v1", "VirtualMachine")
DATA_VOLUMES = ("cdi.kubevirt.io/v1beta1", "DataVolume")
CASES: dict[str, tuple[str, str, dict[str, Any], list[tuple[str, str]], int]] = {
    "deployment": ("apps/v1", "Deployment", {"template": POD}, [PODS], 1),
    "without metadata": ("apps/v1", "Deployment", {"template": {"spec": {}}}, [PODS], 1),
    "stateful set": (
        "apps/v1", "StatefulSet", {"template": POD, "volumeClaimTemplates": [CLAIM, CLAIM]},
        [PODS, CLAIMS, CLAIMS], 3,
    ),
    "cron job": (
        "batch/v1", "CronJob", {"jobTemplate": {"spec": {"template": POD}}},
        [("batch/v1", "Job"), PODS], 2,
    ),
    "VM": ("kubevirt.io/v1", "VirtualMachine", VM, [VMIS, DATA_VOLUMES, DATA_VOLUMES], 3),
    "older VM": (
        "kubevirt.io/v1alpha3", "VirtualMachine", {"template": {}},
        [("kubevirt.io/v1alpha3", "VirtualMachineInstance")], 1,
    ),
    "pool": (
        "pool.kubevirt.io/v1beta1", "VirtualMachinePool", POOL,
        [VMS, VMIS, DATA_VOLUMES, DATA_VOLUMES], 4,
    ),
    "ephemeral claim": ("v1", "Pod", EPHEMERAL, [CLAIMS], 1),
    "ephemeral claim of a deployment": (
        "apps/v1", "Deployment", {"template": {"spec": EPHEMERAL}}, [PODS, CLAIMS], 2,
    ),
    "unknown": ("example.org/v1", "Widget", {"template": POD}, [], 1),
    "unknown, without metadata": ("example.org/v1", "Widget", {"template": {"spec": {}}}, [], 0),
    "empty": ("apps/v1", "StatefulSet", {"template": None, "volumeClaimTemplates": None}, [], 0),
}  # fmt: skip


def manifest(version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(("version", "kind", "spec", "made", "count"), CASES.values(), ids=CASES)
def test_every_template_gets_the_labels_and_keeps_its_own(
    version: str, kind: str, spec: dict[str, Any], made: list[tuple[str, str]], count: int
) -> None:
    document = manifest(version, kind, spec)
    before = [template.metadata for template in find_templates(document)]
    add_labels(document, OURS)
    after = [template.metadata for template in find_templates(document)]
    assert list(kinds_made(document)) == made
    assert len(after) == count
    for old, new in zip(before, after, strict=True):
        known: Any = old or {}
        assert new == {**known, "labels": {**known.get("labels", {}), **OURS}}


def test_what_a_template_shares_with_others_through_an_alias_stays_as_it_is() -> None:
    document = manifest("apps/v1", "StatefulSet", {"volumeClaimTemplates": [CLAIM, CLAIM]})
    add_labels(document, OURS)
    assert CLAIM == {"metadata": {"name": "data"}, "spec": {}}


def test_a_wrong_label_of_an_inner_template_is_found_with_its_line(folder: Folder) -> None:
    spec = {"volumeClaimTemplates": [{"metadata": {"labels": {"n": 5}}}]}
    [flaw] = find_flaws(manifest("apps/v1", "StatefulSet", spec), OURS)
    assert flaw.path == ("spec", "volumeClaimTemplates", "0", "metadata", "labels", "n")
    folder.template(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n"
        "  volumeClaimTemplates:\n  - metadata:\n      labels:\n        n: 5\n"
    )
    [problem] = folder.problems()
    assert problem.line == 8

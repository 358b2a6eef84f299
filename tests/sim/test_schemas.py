"""What controllers could not work with is refused, as by a schema."""

from typing import Any

import pytest
from simulated_api import Api

JSON = dict[str, Any]
APPS = "/apis/apps/v1/namespaces/demo"
KUBEVIRT = "/apis/kubevirt.io/v1/namespaces/demo"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
UNNAMED = [{"image": "an-image"}]

MALFORMED = [
    ("/api/v1/namespaces/demo/pods", {"containers": UNNAMED}, "spec.containers[0].name"),
    ("/api/v1/namespaces/demo/pods", {"containers": "none"}, "spec.containers"),
    (
        f"{APPS}/deployments",
        {"template": {"spec": {"containers": UNNAMED}}},
        "spec.template.spec.containers[0].name",
    ),
    (
        f"{APPS}/deployments",
        {"template": {}, "strategy": {"rollingUpdate": {"maxSurge": "a few"}}},
        "spec.strategy.rollingUpdate.maxSurge",
    ),
    (
        f"{APPS}/statefulsets",
        {"template": {}, "volumeClaimTemplates": [{"spec": {}}]},
        "spec.volumeClaimTemplates[0].metadata",
    ),
    ("/apis/batch/v1/namespaces/demo/jobs", {"parallelism": "two"}, "spec.parallelism"),
    ("/api/v1/namespaces/demo/persistentvolumeclaims", None, "spec"),
    (
        "/apis/cdi.kubevirt.io/v1beta1/namespaces/demo/datavolumes",
        {"pvc": "large"},
        "spec.pvc",
    ),
    (
        f"{KUBEVIRT}/virtualmachines",
        {"template": {}, "dataVolumeTemplates": [{"spec": {}}]},
        "spec.dataVolumeTemplates[0].metadata",
    ),
    (f"{KUBEVIRT}/virtualmachineinstancereplicasets", {"selector": "all"}, "spec.selector"),
    (DEFINITIONS, {"group": "example.com", "versions": [{"name": "v1"}]}, "spec.names"),
    (
        DEFINITIONS,
        {
            "group": "example.com",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": False}],
        },
        "spec.versions",
    ),
]


def malformed(spec: JSON | None) -> JSON:
    return {"metadata": {"name": "malformed"}, **({} if spec is None else {"spec": spec})}


@pytest.mark.parametrize(("path", "spec", "field"), MALFORMED)
async def test_a_field_that_is_no_such_thing_is_refused_by_its_path(
    api: Api, path: str, spec: JSON | None, field: str
) -> None:
    status, answer = await api("POST", path, malformed(spec))
    assert status == 422
    assert field in {cause["field"] for cause in answer["details"]["causes"]}


async def test_a_spec_of_another_type_is_one_problem(api: Api) -> None:
    status, answer = await api(
        "POST", f"{APPS}/deployments", {**malformed(None), "spec": "three replicas"}
    )
    assert status == 422
    assert [cause["field"] for cause in answer["details"]["causes"]] == ["spec"]


async def test_a_patch_that_controllers_could_not_work_with_is_refused(api: Api) -> None:
    pod = malformed({"containers": [{"name": "only"}]})
    status, _ = await api("POST", "/api/v1/namespaces/demo/pods", pod)
    assert status == 201
    status, _ = await api(
        "PATCH",
        "/api/v1/namespaces/demo/pods/malformed",
        {"spec": {"nodeSelector": "any"}},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert status == 422
